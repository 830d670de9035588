"""The plugin for keywords by its old name."""

import sys
from pathlib import Path

import pytest

from jubatus._core.convert.converter import Converter
from jubatus._core.wire import pack
from jubatus.errors import ConfigError


def tokens(keywords: bytes, text: bytes, folder: Path) -> dict[bytes, float]:
    path = folder / "keywords"
    path.write_bytes(keywords)
    return dict(converter(dict_path=str(path)).vector(pack([[["k", text]], [], []])))


def converter(**parameters: str) -> Converter:
    made = {"method": "dynamic", "path": "libux_splitter.so", "function": "create", **parameters}
    rule = {"key": "*", "type": "u", "sample_weight": "tf", "global_weight": "bin"}
    return Converter({"string_types": {"u": made}, "string_rules": [rule]}, ".converter")


def refusal(**parameters: str) -> str:
    with pytest.raises(ConfigError) as caught:
        converter(**parameters)
    return str(caught.value).removeprefix("failed to load plugin: plugin libux_splitter.so, function create: ")


@pytest.mark.parametrize(
    ("keywords", "text", "expected"),
    [
        (b"ab\nabc\nb\n", b"abcabxb", {b"abc": 1, b"ab": 1, b"b": 1}),
        # The longest of those that begin here, even if one that begins later is longer.
        (b"ab\nbcd", b"abcd", {b"ab": 1}),
        (b"abcd\nbc\n", b"abcxabcd", {b"bc": 1, b"abcd": 1}),
        ("東京\n東京都\n京都\n".encode(), "東京都の京都".encode(), {"東京都".encode(): 1, "京都".encode(): 1}),
        (b"a\r\nb", b"a\r\nb", {b"a\r": 1, b"b": 1}),
        (b"\n\na\n\n", b"aa a", {b"a": 3}),
        (b"\x81\x82\n", "あ".encode(), {b"\x81\x82": 1}),
        (b"", b"abc", {}),
        (b"abc", b"", {}),
        (b"a\na\n", b"a", {b"a": 1}),
    ],
)
def test_the_longest_keywords_from_left_to_right(
    keywords: bytes, text: bytes, expected: dict[bytes, float], tmp_path: Path
) -> None:
    named = {b"k$" + word + b"@u#tf/bin": count for word, count in expected.items()}
    assert tokens(keywords, text, tmp_path) == named


def test_the_dictionary_must_be_a_file(tmp_path: Path) -> None:
    where = " (.converter.string_types.u)"
    assert refusal() == '"dict_path" is not specified in parameters' + where
    assert refusal(dict_path="/nowhere/x") == "failed to stat file: /nowhere/x" + where
    assert refusal(dict_path=str(tmp_path)) == f"directory is specified instead of file: {tmp_path}" + where
    assert refusal(dict_path="/proc/self/mem").startswith("cannot open: /proc/self/mem: ")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    assert refusal().endswith("it comes with the extra jubatus[ux] (.converter.string_types.u)")
