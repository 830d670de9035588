"""Plugins are found, made and checked; what is wrong with one is told in one line that names the key."""

import sys
from pathlib import Path
from typing import Any

import pytest

from jubatus._core.convert.load import METHODS, OLD_NAMES, explain
from jubatus._core.convert.rules import parse_rules
from jubatus._core.services.weight import Weight
from jubatus.errors import ConfigError

SOURCE = """
from dataclasses import dataclass
from jubatus.errors import ConfigError

@dataclass
class Upper:
    length: "int"
    def filter(self, text): return text.upper()[: self.length]

class Both:
    def split(self, text): return []
    def extract(self, *args): return []

class Features:
    def extract(self, *args): return []

class Pairs(Features):
    commutative = "yes"

def create(parameters): return Upper(int(parameters["length"]))
def nothing(parameters): return None
def fails(parameters): raise ZeroDivisionError("no\\nlength")
def leaves(parameters): raise SystemExit(3)
def refuses(parameters): raise ConfigError("length must be less")
both = lambda parameters: Both()
features = lambda parameters: Features()
pairs = lambda parameters: Pairs()
number = 7
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("JUBATUS_PLUGIN_PATH", raising=False)
    path = tmp_path / "upper.py"
    path.write_text(SOURCE)
    return path


def rules(path: object, function: str = "create", section: str = "string_filter_types", **parameters: str) -> Any:
    made = {"method": "dynamic", "path": str(path), "function": function, "length": "2", **parameters}
    return parse_rules({section: {"t": made}}, ".converter")


def refusal(*args: Any, **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        rules(*args, **options)
    (message,) = caught.value.messages
    assert "\n" not in message
    return message


def test_a_file_is_found_by_its_path(file: Path) -> None:
    rule = {"key": "*", "type": "t", "suffix": ""}
    parameters = {"method": "dynamic", "path": str(file), "function": "create", "length": "3"}
    made = parse_rules({"string_filter_types": {"t": parameters}, "string_filter_rules": [rule]})
    plugin = made.string_filters[0].plugin
    assert plugin is not None
    assert plugin.call("abcd") == "ABC"
    assert plugin.name == f"plugin {file}, function create"


def test_a_name_without_a_slash_is_looked_for_in_the_folder_of_plugins(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir("/")
    assert refusal("upper.py").startswith("cannot load dynamic library: upper.py: there is no file /upper.py ")
    monkeypatch.setenv("JUBATUS_PLUGIN_PATH", str(tmp_path))
    rules("upper.py")
    assert "/other.py" in refusal("other.py")
    monkeypatch.delenv("JUBATUS_PLUGIN_PATH")
    monkeypatch.chdir(tmp_path)
    rules("upper.py")


def test_a_module_is_imported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(file.parent))
    rules("upper")
    assert sys.modules.pop("upper").__file__ == str(file)


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("/nowhere/x.py", "there is no file /nowhere/x.py"),
        ("", "ValueError: Empty module name"),
        *(
            (path, f"a Python file (*.py), a module or one of {', '.join(OLD_NAMES)} is expected")
            for path in ("libnope.so", "/usr/lib/libnope.so")
        ),
    ],
)
def test_a_path_of_which_nothing_can_be_loaded(path: str, cause: str) -> None:
    assert refusal(path) == f"cannot load dynamic library: {path}: {cause} (.converter.string_filter_types.t.path)"


@pytest.mark.parametrize(
    ("text", "cause"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("exit()", "SystemExit"), ("def", "SyntaxError: ")],
)
def test_a_file_that_cannot_be_run(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    assert refusal(path).startswith(f"cannot load dynamic library: {path}: {cause}")


@pytest.mark.parametrize("function", ["nope", "number"])
def test_a_function_that_there_is_not(file: Path, function: str) -> None:
    where = ".converter.string_filter_types.t.function"
    assert refusal(file, function) == f"cannot dlsym: {function}: {file} has no such function ({where})"


@pytest.mark.parametrize(
    ("function", "section", "cause"),
    [
        ("nothing", "string_filter_types", "it returned None"),
        ("fails", "string_filter_types", "ZeroDivisionError: no length"),
        ("leaves", "string_filter_types", "SystemExit: 3"),
        ("refuses", "string_filter_types", "length must be less"),
        ("create", "num_types", "a method extract is expected of a type of num_types, but Upper is given"),
        (
            "both",
            "string_types",
            "either a method split or extract is expected of a type of string_types, but Both is given",
        ),
        (
            "create",
            "string_types",
            "either a method split or extract is expected of a type of string_types, but Upper is given",
        ),
        (
            "features",
            "combination_types",
            "an attribute commutative, True or False, is expected of Features",
        ),
        ("pairs", "combination_types", "an attribute commutative, True or False, is expected of Pairs"),
    ],
)
def test_a_factory_that_makes_no_such_type(file: Path, function: str, section: str, cause: str) -> None:
    name = f"plugin {file}, function {function}"
    assert refusal(file, function, section) == f"failed to load plugin: {name}: {cause} (.converter.{section}.t)"


@pytest.mark.parametrize("section", METHODS)
def test_every_section_takes_plugins_of_its_kind(file: Path, section: str) -> None:
    function = "create" if "filter" in section else "features"
    if section == "combination_types":
        assert "commutative" in refusal(file, function, section)
    else:
        rules(file, function, section)


def test_a_model_of_the_same_configuration_has_the_same_plugins(file: Path) -> None:
    made = {"method": "dynamic", "path": str(file), "function": "create", "length": "3"}
    rule = {"key": "*", "type": "t", "suffix": ""}
    config = {"converter": {"string_filter_types": {"t": made}, "string_filter_rules": [rule]}}
    model = Weight(config)
    other = Weight(config)
    packed = model.pack()
    file.unlink()
    model.unpack(packed)
    fresh = model.fresh()
    del model, other
    fresh.fresh()
    del fresh
    with pytest.raises(ConfigError, match="there is no file"):
        Weight(config)


def test_an_error_is_explained_in_one_line() -> None:
    class Unreadable(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert explain(ValueError(" a\n b ")) == "ValueError: a b"
    assert explain(KeyError()) == "KeyError"
    assert explain(Unreadable()) == "Unreadable: its text cannot be read"
    assert explain(ConfigError("a", "b")) == "a; b"
