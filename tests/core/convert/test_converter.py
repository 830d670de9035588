"""Tests of jubatus._core.convert.converter against the slow converter: the same features, in the same order, bit for bit."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jubatus._core.convert.converter import Converter
from jubatus._core.wire import pack
from jubatus.errors import BadArguments, ModelError
from tests.core.calls import exact
from tests.core.strategies import KEYS, configs, data, odd_numbers, raw_texts
from tests.reference import converter as slow
from tests.reference.text import ConversionError, OutOfRange


def compare(config: dict[str, Any], datum: list[Any]) -> None:
    """Convert with both and compare features or errors."""
    fast = Converter(config)
    try:
        want = slow.Converter(config).convert(slow.Datum.of(datum))
    except ConversionError as e:
        with pytest.raises(ModelError) as refused:
            fast.vector(pack(datum))
        assert isinstance(e, OutOfRange) or str(refused.value).startswith(str(e))
    else:
        assert exact(fast.vector(pack(datum))) == exact(want)


@given(configs(), data(raw_texts, odd_numbers))
def test_any_datum_converts_as_in_the_slow_converter(config: dict[str, Any], datum: list[Any]) -> None:
    compare(config, datum)


@given(configs(), data(raw_texts, odd_numbers, [*KEYS, "a$b", "$"]))
def test_a_dollar_in_a_key_is_refused_as_soon_as_a_feature_needs_it(config: dict[str, Any], datum: list[Any]) -> None:
    compare(config, datum)


def one_type(name: str = "t", **parameters: str) -> dict[str, Any]:
    rule = {"key": "*", "type": name, "sample_weight": "tf", "global_weight": "bin"}
    return {"string_types": {name: parameters} if parameters else {}, "string_rules": [rule]}


PIECES = [
    *(bytes([c]) for c in b"ab \t\n\v\f\r,\0\xc3\xa9\xe3\x81\x82\x80\xf0\x9f\xff"),
    b"\xf4\x90\x80\x80",
    b"\xf7\xbf\xbf\xbf",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
@example(b"hello world foo bar baz")
@example(b"a\0b")
@example(b"\xff\xfe")
@example(b"a,\xf7\xbf\xbf\xbfb,c,d")
def test_every_string_type_cuts_any_bytes_alike(value: bytes) -> None:
    datum = [[["k", value]], [], []]
    compare(one_type("space"), datum)
    compare(one_type("str"), datum)
    for parameters in (
        {"method": "ngram", "char_num": "1"},
        {"method": "ngram", "char_num": "2"},
        {"method": "ngram", "char_num": "5"},
        {"method": "split", "separators": ", é"},
        {"method": "split", "separators": ""},
        {"method": "regexp", "pattern": "."},
        {"method": "regexp", "pattern": "(a+)b?", "group": "1"},
        {"method": "regexp", "pattern": r"\w+|\s"},
        {"method": "regexp", "pattern": "a?"},
    ):
        compare(one_type(**parameters), datum)


@given(st.lists(st.integers(0, 3000).map(str), max_size=400, unique=True))
def test_many_tokens_come_in_the_order_of_the_original_s_map(words: list[str]) -> None:
    compare(one_type("space"), [[["k", " ".join(words)]], [], []])


@given(st.lists(st.floats(), max_size=8))
def test_numbers_are_printed_as_c_prints_them(values: list[float]) -> None:
    config = {"num_rules": [{"key": "*", "type": "str"}, {"key": "*", "type": "log"}]}
    compare(config, [[], [["k", v] for v in values], []])


@pytest.mark.parametrize(
    "datum",
    [
        [],
        [[]],
        [[["a", "x"]]],
        [[], [["a", 1]]],
        [[], [["a", 1]], [], "more", {}],
        [[["a", b"\xff\0"]], [["a", 2**64 - 1], ["b", -(2**63)]], [["c", b"\0"]]],
    ],
)
def test_outer_list_of_any_length(datum: list[Any]) -> None:
    config = {
        "string_rules": [{"key": "*", "type": "str", "sample_weight": "bin", "global_weight": "bin"}],
        "num_rules": [{"key": "*", "type": "num"}],
    }
    compare(config, datum)


@pytest.mark.parametrize(
    "datum",
    [
        None,
        5,
        {},
        "text",
        [None],
        [{}],
        ["text"],
        [[5]],
        [[["a"]]],
        [[["a", "x", "y"]]],
        [[["a", 5]]],
        [[["a", None]]],
        [[[5, "x"]]],
        [[{"a": "x"}]],
        [[], [["a", "1"]]],
        [[], [["a", None]]],
        [[], [["a", True]]],
        [[], [[1, 1]]],
        [[], [["a", 1, 2]]],
        [[], [], [["a", 1]]],
        [[], [], [["a"]]],
        [[], [], 1],
    ],
)
def test_what_is_no_datum_is_refused(datum: object) -> None:
    for config in ({}, {"num_rules": [{"key": "*", "type": "num"}]}, one_type("space")):
        with pytest.raises(BadArguments):
            Converter(config).vector(pack(datum))
