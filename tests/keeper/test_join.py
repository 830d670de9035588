import msgpack
import pytest

from jubatus._core.wire import pack, unpack
from jubatus.errors import BadArguments
from jubatus.idl import Join
from jubatus.keeper.join import join


@pytest.mark.parametrize("how", Join)
def test_one_result_passes_unchanged(how: Join) -> None:
    str8 = msgpack.packb("x" * 40)
    assert str8[0] == 0xD9
    assert join(how, [str8]) is str8


def test_of_several_the_first_is_passed_on() -> None:
    assert join(Join.PASS, [pack(3), pack([1]), pack("x")]) == pack(3)


@pytest.mark.parametrize(
    ("values", "both", "either"),
    [
        ((True, True), True, True),
        ((False, True), False, True),
        ((True, False, True), False, True),
        ((False,) * 3, False, False),
    ],
)
def test_logic(values: tuple[bool, ...], both: bool, either: bool) -> None:
    packed = [pack(value) for value in values]
    assert join(Join.ALL_AND, packed) == pack(both)
    assert join(Join.ALL_OR, packed) == pack(either)


def test_maps_are_merged_in_order_of_their_keys_and_later_entries_win() -> None:
    results = [pack({"b": 1, "a": [1, "x"]}), pack({}), pack({"c": {"k": "v"}, "b": 2})]
    merged = join(Join.MERGE, results)
    assert merged == pack({"a": [1, "x"], "b": 2, "c": {"k": "v"}})
    assert list(unpack(join(Join.MERGE, results[::-1])).items())[1] == (b"b", 1)


def test_keys_of_any_format_are_one() -> None:
    assert join(Join.MERGE, [b"\x81\xd9\x01a\x01", b"\x81\xa1a\x02"]) == pack({"a": 2})


@pytest.mark.parametrize(
    ("how", "wrong"), [(Join.ALL_AND, 1), (Join.ALL_OR, None), (Join.MERGE, [1]), (Join.MERGE, {1: 2})]
)
def test_another_type_is_refused(how: Join, wrong: object) -> None:
    right = {} if how is Join.MERGE else True
    with pytest.raises(BadArguments):
        join(how, [pack(right), pack(wrong)])
