"""Find the plugins of a converter: Python modules that make some of its types.

`jubatus.plugins` has their contract. What replaces the plugins of 1.1 is in that package and goes by their old names.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary

from jubatus.errors import ConfigError

OLD_NAMES = {
    "libimage_feature.so": "jubatus.plugins.image",
    "libmecab_splitter.so": "jubatus.plugins.mecab",
    "libpython_bridge.so": "jubatus.plugins.bridge",
    "libux_splitter.so": "jubatus.plugins.ux",
}

# What a type of each section has to do: one of these methods.
METHODS = {
    "string_filter_types": ("filter",),
    "num_filter_types": ("filter",),
    "string_types": ("split", "extract"),
    "num_types": ("extract",),
    "binary_types": ("extract",),
    "combination_types": ("extract",),
}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Plugin:
    """A type that a plugin made. `method` is the name of what `call` calls; `name` is for the texts of errors."""

    name: str
    method: str
    call: Callable[..., Any]
    commutative: bool = False


_in_use: WeakValueDictionary[tuple[object, ...], Plugin] = WeakValueDictionary()
_reuses = ContextVar("_reuses", default=False)


@contextmanager
def reuse_plugins() -> Iterator[None]:
    """Let load_plugin return plugins that are in use: a model of the same configuration needs no second dictionary."""
    token = _reuses.set(True)
    try:
        yield
    finally:
        _reuses.reset(token)


def load_plugin(section: str, parameters: Mapping[str, str], where: str) -> Plugin:
    """Make a type of a section.

    Args:
        section: a key of METHODS.
        parameters: of the type, with `path` and `function`.
        where: path of the type in the configuration.

    Raises:
        ConfigError: the plugin cannot be loaded or refuses the parameters.
    """
    path, function = parameters["path"], parameters["function"]
    key = (section, *sorted(parameters.items()))
    known = _in_use.get(key)
    if known is not None and _reuses.get():
        return known
    try:
        module = _module(path)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"cannot load dynamic library: {path}: {explain(error)} ({where}.path)") from error
    factory = getattr(module, function, None)
    if not callable(factory):
        raise ConfigError(f"cannot dlsym: {function}: {path} has no such function ({where}.function)")
    name = f"plugin {path}, function {function}"
    try:
        made = factory(dict(parameters))
        if made is None:
            raise ConfigError("it returned None")
        plugin = _in_use[key] = _check(section, made, name)
    except ConfigError as error:
        raise ConfigError(f"failed to load plugin: {name}: {error} ({where})") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"failed to load plugin: {name}: {explain(error)} ({where})") from error
    return plugin


def explain(error: BaseException) -> str:
    """Return class and text of an error in one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "its text cannot be read"
    if isinstance(error, ConfigError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _module(path: str) -> ModuleType:
    """Import what the parameter `path` names."""
    base = path.rpartition("/")[2]
    if base in OLD_NAMES:
        return importlib.import_module(OLD_NAMES[base])
    if base.endswith(".so"):
        allowed = ", ".join(OLD_NAMES)
        raise ConfigError(f"a Python file (*.py), a module or one of {allowed} is expected")
    if not path.endswith(".py"):
        return importlib.import_module(path)
    folder = os.environ.get("JUBATUS_PLUGIN_PATH")
    if "/" not in path and folder and os.path.exists(os.path.join(folder, path)):
        path = os.path.join(folder, path)
    return _run_file(os.path.abspath(path))


def _run_file(path: str) -> ModuleType:
    """Run a file as a module of its own. Each type that names a file has it run anew."""
    if not os.path.isfile(path):
        raise ConfigError(f"there is no file {path}")
    name = f"jubatus plugin {path.replace('.', ' ')}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses, for one, look for it
    spec.loader.exec_module(module)
    return module


def _check(section: str, made: Any, name: str) -> Plugin:
    allowed = METHODS[section]
    methods = [method for method in allowed if callable(getattr(made, method, None))]
    if len(methods) != 1:
        expected = f"{'either ' if len(allowed) > 1 else ''}a method {' or '.join(allowed)}"
        raise ConfigError(f"{expected} is expected of a type of {section}, but {type(made).__name__} is given")
    (method,) = methods
    commutative = False
    if section == "combination_types":
        if not isinstance(getattr(made, "commutative", None), bool):
            raise ConfigError(f"an attribute commutative, True or False, is expected of {type(made).__name__}")
        commutative = made.commutative
    return Plugin(name, method, getattr(made, method), commutative)
