"""Classes that were written for the Python bridge of 1.1."""

from pathlib import Path
from typing import Any

import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.wire import pack
from jubatus.errors import ConfigError

SOURCE = """
class Words:
    @classmethod
    def create(cls, parameters):
        made = cls()
        made.times = int(parameters["times"])
        return made
    def split(self, text): return [(0, 2)] * self.times
    def extract(self, text): return [(0, 1, text, 0.5)] * self.times

class Numbers:
    @staticmethod
    def create(parameters): return Numbers()
    def extract(self, key, value): return [(key + "!", len(value) if isinstance(value, bytes) else value)]

class Nothing: pass
class Empty:
    def create(parameters): return object()
"""
DATUM = [[["k", "日本語"]], [["n", 2.5]], [["b", b"xyz"]]]


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old_plugins.py").write_text(SOURCE)
    (tmp_path / "old_broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))


def converter(section: str, function: str, **parameters: str) -> Converter:
    made = {"method": "dynamic", "path": "libpython_bridge.so", "function": function, **parameters}
    rule: dict[str, Any] = {"key": "*", "type": "t"}
    if section == "string":
        rule |= {"sample_weight": "tf", "global_weight": "bin"}
    return Converter({f"{section}_types": {"t": made}, f"{section}_rules": [rule]}, ".converter")


@pytest.mark.parametrize(
    ("section", "function", "name", "expected"),
    [
        ("string", "word_splitter", "Words", ("k$日本@t#tf/bin", 3.0)),
        ("string", "string_feature", "Words", ("k$日本語@t#tf/bin", 1.5)),
        ("num", "num_feature", "Numbers", ("n@t!", 2.5)),
        ("binary", "binary_feature", "Numbers", ("b@t!", 3.0)),
    ],
)
def test_classes(section: str, function: str, name: str, expected: tuple[str, float]) -> None:
    made = converter(section, function, module="old_plugins", times="3", **{"class": name})
    assert [(key.decode(), value) for key, value in made.vector(pack(DATUM))] == [expected]


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"class": "Words"}, "module parameter is missing"),
        ({"module": "old_plugins"}, "class parameter is missing"),
        ({"module": "old_missing", "class": "Words"}, "cannot import module (maybe PYTHONPATH is not set properly?): old_missing: "
         "ModuleNotFoundError: No module named 'old_missing'"),
        ({"module": "old_broken", "class": "Words"}, "cannot import module (maybe PYTHONPATH is not set properly?): old_broken: "
         "ZeroDivisionError: division by zero"),
        ({"module": "old_plugins", "class": "X"}, "cannot get class from module: X"),
        ({"module": "old_plugins", "class": "Nothing"}, "cannot get create method of the class: Nothing"),
        ({"module": "old_plugins", "class": "Words"}, "failed to call create method of the class: Words: KeyError: 'times'"),
        ({"module": "old_plugins", "class": "Empty"}, "split method cannot be called"),
    ],
)  # fmt: skip
def test_errors(parameters: dict[str, str], cause: str) -> None:
    with pytest.raises(ConfigError) as caught:
        converter("string", "word_splitter", **parameters)
    name = "failed to load plugin: plugin libpython_bridge.so, function word_splitter"
    assert str(caught.value) == f"{name}: {cause} (.converter.string_types.t)"
