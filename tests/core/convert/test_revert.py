import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.convert.converter import Converter
from jubatus._core.convert.revert import revert_features
from jubatus._core.wire import pack, unpack
from tests.reference.revert import revert

PIECES = st.sampled_from(
    b"@|#|$|@str|@str#|@num|@str$|str|num|bin/bin|&|a|1|-|.|e|5| |+|\0|\xe3\x81\x82|E|@str#bin/bin|@str$-1.5e3".split(
        b"|"
    )
)


def reverted(features: list[tuple[bytes, float]]) -> list[list[tuple[bytes, object]]]:
    return [[(key, value) for key, value in part] for part in unpack(revert_features(features))]


@pytest.mark.parametrize(
    ("name", "strings", "numbers"),
    [
        (b"key@num", [], [(b"key", 2.0)]),
        (b"a@b@num", [], [(b"a@b", 2.0)]),
        (b"@num", [], [(b"", 2.0)]),
        (b"key@str$1.5", [], [(b"key", 1.5)]),
        (b"key@str$ -1e3x", [], [(b"key", -1000.0)]),
        (b"key@str$1e", [], []),
        (b"key@str$x", [], []),
        (b"key@str$1e999", [], []),
        (b"key@str$inf", [], []),
        (b"key@str$", [], []),
        (b"key$text@str#bin/bin", [(b"key", b"text")], []),
        (b"key$a$b@c#d@str#tf/idf", [(b"key", b"a$b@c#d")], []),
        (b"key$@str#bin/bin", [(b"key", b"")], []),
        (b"a$x@str#bin/bin&b$y@str#bin/bin/add", [(b"a", b"x@str#bin/bin&b$y")], []),
        (b"key$text@space#bin/bin", [], []),
        (b"key@log", [], []),
        (b"key@num&other@num/add", [], []),
        (b"12345", [], []),
        (b"", [], []),
        (b"@", [], []),
        (b"#", [], []),
        (b"$@str#", [(b"", b"")], []),
        (b"@str#$", [(b"@str#", b"")], []),
    ],
)
def test_a_name_tells_what_the_feature_was_made_of(
    name: bytes, strings: list[tuple[bytes, bytes]], numbers: list[tuple[bytes, float]]
) -> None:
    assert reverted([(name, 2.0)]) == [strings, numbers, []]


def test_a_datum_of_plain_rules_comes_back_in_the_order_of_its_features() -> None:
    string = {"key": "*", "type": "str", "sample_weight": "bin", "global_weight": "bin"}
    converter = Converter({"string_rules": [string], "num_rules": [{"key": "*", "type": "num"}]})
    datum = [[(b"s", "あ".encode()), (b"t", b"x y")], [(b"n", 1.5), (b"m", -2.0)], []]
    assert reverted(converter.vector(pack(datum))) == datum


@given(st.lists(st.tuples(st.lists(PIECES, max_size=6).map(b"".join), st.floats(allow_nan=False)), max_size=5))
def test_any_names_are_told_like_the_slow_way(features: list[tuple[bytes, float]]) -> None:
    assert reverted(features) == [[tuple(pair) for pair in part] for part in revert(features)]
