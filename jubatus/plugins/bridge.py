"""The plugin ``libpython_bridge.so`` of 1.1: classes written in Python.

A class is named by ``module`` and ``class``, and its method ``create`` is called with all parameters. The methods of
what it returns are those of the contract but for ``extract`` of a string feature, which returns begin, length, token
and score; begin and length are not looked at.
"""

import importlib
from collections.abc import Iterable
from typing import Any

from jubatus.errors import ConfigError
from jubatus.plugins import BinaryFeature, NumberFeature, Parameters, Splitter, StringFeature


class _Tokens:
    """A string feature of such a class."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def extract(self, text: str) -> Iterable[tuple[str, float]]:
        return [(token, score) for _, _, token, score in self.made.extract(text)]


class _Words:
    """A splitter of such a class, which may have other methods too."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def split(self, text: str) -> Iterable[tuple[int, int]]:
        words: Iterable[tuple[int, int]] = self.made.split(text)
        return words


def string_feature(parameters: Parameters) -> StringFeature:
    """Take ``module`` and ``class``, of which ``extract(text)`` returns (begin, length, token, score)."""
    return _Tokens(_make(parameters, "extract"))


def word_splitter(parameters: Parameters) -> Splitter:
    """Take ``module`` and ``class``, of which ``split(text)`` returns (begin, length)."""
    return _Words(_make(parameters, "split"))


def num_feature(parameters: Parameters) -> NumberFeature:
    """Take ``module`` and ``class``, of which ``extract(key, number)`` returns (name, value)."""
    made: NumberFeature = _make(parameters, "extract")
    return made


def binary_feature(parameters: Parameters) -> BinaryFeature:
    """Take ``module`` and ``class``, of which ``extract(key, bytes)`` returns (name, value)."""
    made: BinaryFeature = _make(parameters, "extract")
    return made


def _make(parameters: Parameters, method: str) -> Any:
    for name in ("module", "class"):
        if name not in parameters:
            raise ConfigError(f"{name} parameter is missing")
    module, name = parameters["module"], parameters["class"]
    try:
        found = importlib.import_module(module)
    except Exception as error:
        reason = f"{module}: {type(error).__name__}: {error}"
        raise ConfigError(f"cannot import module (maybe PYTHONPATH is not set properly?): {reason}") from error
    if not hasattr(found, name):
        raise ConfigError(f"cannot get class from module: {name}")
    if not hasattr(getattr(found, name), "create"):
        raise ConfigError(f"cannot get create method of the class: {name}")
    try:
        made = getattr(found, name).create(dict(parameters))
    except Exception as error:
        reason = f"{name}: {type(error).__name__}: {error}"
        raise ConfigError(f"failed to call create method of the class: {reason}") from error
    if not callable(getattr(made, method, None)):
        raise ConfigError(f"{method} method cannot be called")
    return made
