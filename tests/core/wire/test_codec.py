"""Tests of jubatus._core.wire.codec: whatever the type and the value, the outcome is that of the type's own two methods."""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.wire import Reader, codec, pack, unpack
from jubatus._core.wire.codec import Decoder, Encoder
from jubatus.classifier.types import EstimateResult, LabeledDatum
from jubatus.errors import BadArguments
from jubatus.types import (
    BOOL,
    DATUM,
    DOUBLE,
    FLOAT,
    INT,
    RAW,
    STRING,
    UINT,
    ULONG,
    Datum,
    Message,
    TEnum,
    TFloat,
    TInt,
    TList,
    TMap,
    TNullable,
    TObject,
    TPrimitive,
    TString,
    TTuple,
    TUserDef,
)


class Node(Message):
    """Fields that are no scalars."""

    property: Annotated[dict[str, str], TMap(STRING, STRING)]
    edges: Annotated[list[int], TList(ULONG)]
    data: Annotated[Datum, DATUM]


class Own:
    """A type of a program, made without ours."""

    def to_msgpack(self, m: Any) -> Any:
        return [m]

    def from_msgpack(self, m: Any) -> Any:
        return ("own", m)


class Loud(TString):
    """A type of a program, made of one of ours."""

    def to_msgpack(self, m: Any) -> Any:
        return m.upper()


class Float(float):
    pass


class Text(str):
    pass


class List(list[Any]):
    pass


class Tuple(tuple[Any, ...]):
    pass


class Color(IntEnum):
    RED = 1


class Labeled(LabeledDatum):
    """A message derived from another."""


class OwnDatum(Datum):
    pass


class Changing(Message):
    """A message whose second attribute empties the list that it is in."""

    one: Annotated[str, STRING]
    two: Annotated[str, STRING]

    def __getattribute__(self, name: str) -> Any:
        if name == "two":
            GROUP.clear()
        return super().__getattribute__(name)


GROUP: list[Any] = []

Typed = tuple[Any, st.SearchStrategy[Any]]

texts = st.text(max_size=40) | st.sampled_from(["", "größe", "x" * 40, "\udc80", "\ud800"])
floats = st.floats() | st.sampled_from([Float(1.5), 0.0, -0.0])
integers = st.integers(-(2**64), 2**65) | st.integers(-200, 200)
pairs = st.tuples(texts, texts)
anything = st.recursive(
    st.none()
    | st.booleans()
    | integers
    | floats
    | texts
    | st.binary(max_size=9)
    | st.sampled_from([Color.RED, object]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(texts | integers, inner, max_size=2)
        | st.lists(inner, max_size=2).map(Tuple)
        | st.lists(inner, max_size=2).map(List)
    ),
    max_leaves=5,
)


@st.composite
def datums(draw: st.DrawFn, kind: type[Datum] = Datum) -> Datum:
    datum = kind()
    datum.string_values = draw(st.lists(pairs | pairs.map(list), max_size=2))
    datum.num_values = draw(st.lists(st.tuples(texts, floats), max_size=2))
    datum.binary_values = draw(st.lists(st.tuples(texts, st.binary(max_size=5)), max_size=1) | anything)
    return datum


def inside(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high) | st.sampled_from([low, high])


SCALARS: list[Typed] = [
    (STRING, texts),
    (RAW, st.binary(max_size=40)),
    (BOOL, st.booleans()),
    (DOUBLE, floats),
    (FLOAT, floats),
    (INT, inside(-(2**31), 2**31 - 1)),
    (UINT, inside(0, 2**32 - 1)),
    (ULONG, inside(0, 2**64 - 1)),
    (TInt(True, 1), inside(-128, 127)),
    (TInt(True, 8), inside(-(2**63), 2**63 - 1)),
    (TInt(True, 16), integers),
]
OTHERS: list[Typed] = [
    (DATUM, datums() | datums(OwnDatum)),
    (TUserDef(LabeledDatum), st.builds(LabeledDatum, texts, datums()) | st.tuples(texts, datums())),
    (TUserDef(LabeledDatum), st.builds(Labeled, texts, datums())),
    (TUserDef(Labeled), st.builds(Labeled, texts, datums())),
    (TUserDef(Node), st.builds(Node, st.dictionaries(texts, texts), st.lists(inside(0, 2**64 - 1)), datums())),
    (TObject(), anything),
    (TEnum([1, 2]), st.sampled_from([1, 2])),
    (TPrimitive((str, int)), texts | inside(0, 9)),
    (Own(), anything),
    (Loud(), texts),
]


def containers(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    def listed(one: Typed) -> Typed:
        values = st.lists(one[1], max_size=20)
        return TList(one[0]), values | values.map(tuple)

    return (
        inner.map(listed)
        | inner.map(lambda one: (TNullable(one[0]), st.none() | one[1]))
        | st.lists(inner, max_size=3).map(
            lambda all: (TTuple(*[one[0] for one in all]), st.tuples(*[one[1] for one in all]))
        )
        | st.tuples(st.sampled_from(SCALARS[:-1]) | inner, inner).map(
            lambda two: (
                TMap(two[0][0], two[1][0]),
                st.dictionaries(two[0][1].filter(is_key), two[1][1], max_size=3),
            )
        )
    )


def is_key(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


typed = st.recursive(st.sampled_from(SCALARS + OTHERS), containers, max_leaves=4)


@st.composite
def kinds_and_values(draw: st.DrawFn) -> tuple[Any, Any]:
    kind, values = draw(typed)
    return kind, draw(values)


def plain(value: Any) -> Any:
    """Return a value that is equal for equal values of equal types only, whatever is in them."""
    if isinstance(value, float):
        return type(value), struct.pack("<d", value)
    if isinstance(value, (list, tuple)):
        return type(value), [plain(each) for each in value]
    if isinstance(value, dict):
        return type(value), [(plain(key), plain(each)) for key, each in value.items()]
    if isinstance(value, (Message, Datum)):
        return type(value), plain(vars(value))
    return type(value), value


def outcome(convert: Callable[[], Any]) -> Any:
    try:
        return plain(convert())
    except Exception as error:
        assert error.__context__ is None or not isinstance(error.__context__, codec.Surprise)
        return type(error), str(error)


def check_encoding(kind: Any, value: Any) -> None:
    expected = outcome(lambda: b"\x91" + pack(kind.to_msgpack(value)))
    assert outcome(lambda: Encoder([kind]).array((value,))) == expected
    reader = outcome(lambda: b"\x91" + Encoder([kind]).reader((value,)).raw())
    assert reader == expected


def check_decoding(kind: Any, data: bytes) -> None:
    expected = outcome(lambda: kind.from_msgpack(unpack(data)))
    assert outcome(lambda: Decoder(kind).decode(data)) == expected
    # A reader may have more behind the value.
    one, other = Reader(data), Reader(data)
    assert outcome(lambda: Decoder(kind).read(one)) == outcome(lambda: kind.from_msgpack(other.unpack()))
    if expected[0] is not BadArguments:
        assert one.offset == other.offset


@given(kinds_and_values())
def test_values_are_packed_as_by_their_type(case: tuple[Any, Any]) -> None:
    check_encoding(*case)


@given(kinds_and_values(), anything)
def test_so_are_values_of_another_type(case: tuple[Any, Any], value: Any) -> None:
    check_encoding(case[0], value)
    check_encoding(TList(case[0]), [case[1], value, case[1]])
    check_encoding(TUserDef(LabeledDatum), LabeledDatum(case[1], value))


@given(kinds_and_values(), st.data())
def test_values_are_unpacked_as_by_their_type(case: tuple[Any, Any], data: st.DataObject) -> None:
    kind, value = case
    try:
        packed = pack(kind.to_msgpack(value))
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
        return
    check_decoding(kind, packed)
    check_decoding(kind, packed + b"\xc0")
    check_decoding(TList(kind), b"\x92" + packed + packed)
    check_decoding(data.draw(typed)[0], packed)
    broken = bytearray(packed)
    broken[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    check_decoding(kind, bytes(broken))


@given(kinds_and_values())
def test_truncated_bytes_are_bad_arguments(case: tuple[Any, Any]) -> None:
    kind, value = case
    try:
        packed = pack(kind.to_msgpack(value))
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
        return
    decoder = Decoder(kind)
    for end in range(len(packed)):
        for cut in (lambda end=end: decoder.decode(packed[:end]), lambda end=end: decoder.read(Reader(packed, 0, end))):
            with pytest.raises(BadArguments):
                cut()


@given(typed, st.binary(max_size=12))
def test_any_bytes_are_unpacked_as_by_the_type(kind: Typed, data: bytes) -> None:
    check_decoding(kind[0], data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (TList(BOOL), b"\xdd\xff\xff\xff\xff\xc3"),
        (TTuple(BOOL), b"\xdd\xff\xff\xff\xff\xc3"),
        (TMap(STRING, BOOL), b"\xdf\xff\xff\xff\xff\xa1a\xc3"),
        (STRING, b"\xdb\xff\xff\xff\xffa"),
        (TUserDef(EstimateResult), b"\x92\xa1a"),
        (DATUM, b"\x93\x90\x90"),
        (TNullable(BOOL), b""),
    ],
    ids=str,
)
def test_sizes_that_lie(kind: Any, data: bytes) -> None:
    with pytest.raises(BadArguments):
        Decoder(kind).decode(data)


def test_both_forms_of_numbers_and_strings_are_read() -> None:
    assert Decoder(TList(DOUBLE)).decode(b"\x92\xca\x3f\x80\x00\x00\xcb\x3f\xf0" + bytes(6)) == [1.0, 1.0]
    assert Decoder(TList(STRING)).decode(b"\x93\xa1a\xd9\x01b\xc4\x01c") == ["a", "b", "c"]
    assert Decoder(TList(RAW)).decode(b"\x91\xc4\x01\xff") == [b"\xff"]


def test_a_map_is_packed_by_ascending_keys() -> None:
    assert Encoder([TMap(STRING, INT)]).array(({"b": 1, "ab": 2, "a": 3},)) == b"\x91\x83\xa1a\x03\xa2ab\x02\xa1b\x01"


def test_several_values_follow_each_other() -> None:
    encoder = Encoder([STRING, TEnum([7]), TList(INT)])
    assert encoder.array(("a", 7, [1])) == b"\x93\xa1a\x07\x91\x01"
    reader = encoder.reader(("a", 7, [1]))
    assert (reader.string(), reader.integer(), reader.unpack(), reader.at_end) == (b"a", 7, [1], True)
    assert Encoder([]).array(()) == b"\x90"
    assert Encoder([]).reader(()).at_end
    with pytest.raises(TypeError, match=r"^3 values are expected, but 2 are given$"):
        encoder.array(("a", 7))
    with pytest.raises(TypeError):
        encoder.array(["a", 7, [1]])  # type: ignore[arg-type]


def test_a_list_that_changes_while_it_is_packed() -> None:
    GROUP[:] = [Changing("a", "b"), Changing("c", "d")]
    assert unpack(Encoder([TList(TUserDef(Changing))]).array((GROUP,))) == [[]]


def test_messages_with_a_constructor_of_their_own_are_made_by_it() -> None:
    class Counted(Message):
        one: Annotated[str, STRING]
        two: Annotated[str, STRING]

        def __post_init__(self) -> None:
            self.length = len(self.one)

    class Packed(Message):
        one: Annotated[str, STRING]
        two: Annotated[str, STRING]

        def to_msgpack(self) -> list[Any]:
            return [self.two, self.one]

    class Derived(Counted):
        pass

    class Given(Message):
        one: Annotated[str, STRING]
        two: Annotated[str, STRING]
        three: int = 3

    for cls in (Counted, Derived):
        assert Decoder(TUserDef(cls)).decode(b"\x92\xa2aa\xa1b").length == 2
    assert Encoder([TList(TUserDef(Packed))]).array(([Packed("a", "b")],)) == b"\x91\x91\x92\xa1b\xa1a"
    assert vars(Decoder(TUserDef(Given)).decode(b"\x92\xa1a\xa1b"))["three"] == 3
    assert EstimateResult.PLAIN and not Counted.PLAIN and not Derived.PLAIN and not Packed.PLAIN and not Given.PLAIN


def test_types_of_programs_have_no_plan() -> None:
    assert Loud().plan is None
    assert TFloat(4).plan == ("double",)
    assert TList(Loud()).plan == ("list", None)
    assert TEnum([1]).plan is None
