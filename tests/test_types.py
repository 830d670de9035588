"""The types, the datum and the base of messages; the texts are those of the official client."""

import pickle
import re
from typing import Annotated, Any

import numpy
import pytest

from jubatus._core.wire import pack
from jubatus._core.wire.codec import Encoder
from jubatus.classifier.types import EstimateResult, LabeledDatum
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
    Type,
    check_type,
    check_types,
)

LABELED = TUserDef(LabeledDatum)
PAIR = TTuple(STRING, DOUBLE)


class Node(Message):
    """Fields of several kinds."""

    property: Annotated[dict[str, str], TMap(STRING, STRING)]
    in_edges: Annotated[list[int], TList(ULONG)]
    out_edges: Annotated[list[int], TList(ULONG)]


class Foreign:
    """A message class of a program, made without ours."""

    TYPE = TTuple(TString(), TFloat())

    def __init__(self, one: str, two: float) -> None:
        self.one, self.two = one, two

    def to_msgpack(self) -> Any:
        return self.TYPE.to_msgpack((self.one, self.two))

    @classmethod
    def from_msgpack(cls, arg: Any) -> "Foreign":
        return cls(*cls.TYPE.from_msgpack(arg))


class Any1:
    """A type of a program, made without ours."""

    def to_msgpack(self, m: Any) -> Any:
        return [m]

    def from_msgpack(self, m: Any) -> Any:
        return m[0]


SAME = [
    (INT, -(2**31)),
    (INT, 2**31 - 1),
    (INT, True),
    (UINT, 2**32 - 1),
    (ULONG, 2**64 - 1),
    (TInt(True, 1), -128),
    (TInt(True, 8), -(2**63)),
    (DOUBLE, 1.5),
    (FLOAT, float("inf")),
    (BOOL, False),
    (STRING, "größe"),
    (RAW, b"\xff"),
    (TNullable(BOOL), None),
    (TNullable(BOOL), True),
    (TList(INT), [1, 2]),
    (TList(TList(STRING)), [["a"], []]),
    (TMap(STRING, BOOL), {"a": True}),
    (TObject(), {"any": [1, None]}),
    (TEnum([1, 2]), 2),
]


@pytest.mark.parametrize(("kind", "value"), SAME, ids=str)
def test_values_that_stay_as_they_are(kind: Type, value: Any) -> None:
    for found in (kind.to_msgpack(value), kind.from_msgpack(value)):
        assert found == value
        assert type(found) is type(value)


WRONG = [
    (INT, None, "type <class 'int'> is expected, but <class 'NoneType'> is given"),
    (INT, 1.0, "type <class 'int'> is expected, but <class 'float'> is given"),
    (DOUBLE, 1, "type <class 'float'> is expected, but <class 'int'> is given"),
    (DOUBLE, True, "type <class 'float'> is expected, but <class 'bool'> is given"),
    (BOOL, 1, "type <class 'bool'> is expected, but <class 'int'> is given"),
    (STRING, 1, "type <class 'str'> is expected, but <class 'int'> is given"),
    (RAW, "text", "type <class 'bytes'> is expected, but <class 'str'> is given"),
    (TNullable(BOOL), 1, "type <class 'bool'> is expected, but <class 'int'> is given"),
    (TList(INT), "text", "type <class 'list'>, <class 'tuple'> is expected, but <class 'str'> is given"),
    (TList(INT), [1, "a"], "type <class 'int'> is expected, but <class 'str'> is given"),
    (TList(DOUBLE), [1.0, 1], "type <class 'float'> is expected, but <class 'int'> is given"),
    (TList(BOOL), [True, None], "type <class 'bool'> is expected, but <class 'NoneType'> is given"),
    (TMap(STRING, BOOL), [], "type <class 'dict'> is expected, but <class 'list'> is given"),
    (TMap(STRING, BOOL), {1: True}, "type <class 'str'> is expected, but <class 'int'> is given"),
    (PAIR, ("a",), "size of tuple is 1, but 2 is expected: ('a',)"),
    (PAIR, ["a", 1.0, 2], "size of tuple is 3, but 2 is expected: ['a', 1.0, 2]"),
    (PAIR, {}, "type <class 'list'>, <class 'tuple'> is expected, but <class 'dict'> is given"),
    (TList(PAIR), [("a", 1.0), ("b",)], "size of tuple is 1, but 2 is expected: ('b',)"),
    (TList(PAIR), [("a", 1.0), ("b", "c")], "type <class 'float'> is expected, but <class 'str'> is given"),
    (TEnum([1]), "a", "type <class 'int'> is expected, but <class 'str'> is given"),
]


@pytest.mark.parametrize(("kind", "value", "text"), WRONG, ids=str)
def test_values_of_another_type(kind: Type, value: Any, text: str) -> None:
    for convert in (kind.to_msgpack, kind.from_msgpack):
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            convert(value)


@pytest.mark.parametrize(
    ("kind", "value", "low", "high"),
    [
        (INT, 2**31, -(2**31), 2**31 - 1),
        (UINT, -1, 0, 2**32 - 1),
        (ULONG, 2**64, 0, 2**64 - 1),
        (TInt(True, 1), -129, -128, 127),
        (TList(UINT), [1, -1], 0, 2**32 - 1),
    ],
    ids=str,
)
def test_integers_out_of_range(kind: Type, value: Any, low: int, high: int) -> None:
    given = value[-1] if isinstance(value, list) else value
    text = f"int value must be in ({low}, {high}), but {given} is given"
    for convert in (kind.to_msgpack, kind.from_msgpack):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            convert(value)


def test_an_enum_refuses_other_integers_without_a_text() -> None:
    with pytest.raises(ValueError) as caught:
        TEnum([1, 2]).to_msgpack(3)
    assert caught.value.args == ()


def test_strings_come_as_bytes() -> None:
    assert STRING.from_msgpack("größe".encode()) == "größe"
    assert TList(STRING).from_msgpack([b"a", "b"]) == ["a", "b"]
    with pytest.raises(UnicodeDecodeError):
        STRING.from_msgpack(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        TList(STRING).from_msgpack([b"\xff"])
    with pytest.raises(TypeError):
        STRING.to_msgpack(b"a")
    with pytest.raises(TypeError):
        TList(STRING).to_msgpack([b"a"])


FLOATS = ["float16", "float32", "float64", "longdouble"]
INTEGERS = ["int8", "uint8", "int16", "int32", "int64", "uint64"]


@pytest.mark.parametrize("name", FLOATS + INTEGERS)
def test_scalars_of_numpy_are_numbers(name: str) -> None:
    number = getattr(numpy, name)(2)
    datum = Datum({"a": number})
    datum.add_number("b", number)
    assert datum.num_values == [["a", 2.0], ["b", 2.0]]
    assert [isinstance(value, float) for _, value in datum.num_values] == [True, True]
    for found in (DOUBLE.to_msgpack(number), *TList(DOUBLE).to_msgpack([number])):
        assert (found, isinstance(found, float)) == (2.0, True)
    if name in INTEGERS:
        for found in (INT.to_msgpack(number), TEnum([2]).to_msgpack(number), *TList(ULONG).to_msgpack([number])):
            assert (found, type(found)) == (2, int)
    else:
        with pytest.raises(TypeError, match=rf"^type <class 'int'> is expected, but {re.escape(str(type(number)))}"):
            INT.to_msgpack(number)


def test_scalars_of_numpy_are_checked_like_other_numbers() -> None:
    with pytest.raises(ValueError, match=r"^int value must be in \(0, 4294967295\), but -1 is given$"):
        UINT.to_msgpack(numpy.int64(-1))
    for kind in (INT, DOUBLE):
        with pytest.raises(TypeError):
            kind.to_msgpack(numpy.bool_(True))
    with pytest.raises(TypeError, match=r"^value of 'a' must be str or a number, but is ndarray$"):
        Datum({"a": numpy.zeros(1)})  # type: ignore[dict-item]


def test_tuples_are_lists_on_the_wire_and_lists_become_tuples() -> None:
    assert TList(INT).to_msgpack((1, 2)) == [1, 2]
    assert PAIR.to_msgpack(("a", 1.0)) == ["a", 1.0]
    assert PAIR.from_msgpack([b"a", 1.0]) == ("a", 1.0)
    assert TList(PAIR).from_msgpack([[b"a", 1.0], [b"b", 2.0]]) == [("a", 1.0), ("b", 2.0)]
    assert TList(TTuple()).from_msgpack([[], []]) == [(), ()]


def test_names_are_those_of_the_interface_definition() -> None:
    kinds = (INT, UINT, ULONG, DOUBLE, FLOAT, BOOL, STRING, RAW, DATUM)
    assert " ".join(map(str, kinds)) == "int uint ulong double float bool string raw datum"
    assert str(TMap(STRING, TList(TUserDef(EstimateResult)))) == "map<string, list<estimate_result>>"
    assert str(TTuple(INT, TNullable(TObject()))) == "tuple<int, nullable<object>>"


def test_checks_by_themselves() -> None:
    check_type("a", str)
    check_types(1, (str, int))
    with pytest.raises(
        TypeError, match=r"^type <class 'str'>, <class 'int'> is expected, but <class 'list'> is given$"
    ):
        check_types([], (str, int))
    with pytest.raises(TypeError, match=r"^type <class 'str'> is expected, but <class 'int'> is given$"):
        check_type(1, str)
    assert TPrimitive((str, int)).to_msgpack(1) == 1
    with pytest.raises(TypeError):
        Type().to_msgpack(1)


def test_messages_are_taken_as_instances_and_as_arrays() -> None:
    datum = Datum({"a": "b"})
    wire = ["label", ([["a", "b"]], [], [])]
    for value in (LabeledDatum("label", datum), ("label", datum), ["label", datum]):
        assert LABELED.to_msgpack(value) == wire
        assert [list(item) for item in TList(LABELED).to_msgpack([value, value])] == [wire, wire]
    mixed = TList(LABELED).to_msgpack([("label", datum), LabeledDatum("label", datum)])
    assert [list(item) for item in mixed] == [wire, wire]
    assert TList(LABELED).to_msgpack([]) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, f"type {LabeledDatum} or tuple/list are expected, but <class 'int'> is given"),
        (EstimateResult("a", 1.0), f"type {LabeledDatum} or tuple/list are expected, but {EstimateResult} is given"),
        (("a",), "size of tuple is 1, but 2 is expected: ('a',)"),
        ((1, Datum()), "type <class 'str'> is expected, but <class 'int'> is given"),
        (("a", None), f"type {Datum} is expected, but <class 'NoneType'> is given"),
        (LabeledDatum("a", {}), f"type {Datum} is expected, but <class 'dict'> is given"),  # type: ignore[arg-type]
    ],
)
def test_messages_of_another_form(value: Any, text: str) -> None:
    for convert, given in ((LABELED.to_msgpack, value), (TList(LABELED).to_msgpack, [("a", Datum()), value])):
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            convert(given)


def test_class_names_in_texts_are_the_official_ones() -> None:
    assert str(LabeledDatum) == "<class 'jubatus.classifier.types.LabeledDatum'>"
    assert str(Datum) == "<class 'jubatus.common.datum.Datum'>"


def test_a_message_is_its_fields() -> None:
    result = EstimateResult("a", 1.0)
    assert repr(result) == str(result) == "estimate_result{label: a, score: 1.0}"
    assert repr(Node({}, [], [])) == "node{property: {}, in_edges: [], out_edges: []}"
    assert vars(EstimateResult(score=2.0, label="b")) == {"label": "b", "score": 2.0}
    assert result.to_msgpack() == ["a", 1.0]
    assert isinstance(EstimateResult.TYPE, TTuple)
    assert result != EstimateResult("a", 1.0)
    result.label = "c"
    assert EstimateResult.from_msgpack([b"a", 1.0]).label == "a"
    assert vars(pickle.loads(pickle.dumps(result))) == vars(result)
    found = TList(TUserDef(EstimateResult)).from_msgpack([[b"a", 1.0], [b"b", 2.0]])
    assert [(type(each), each.label, each.score) for each in found] == [
        (EstimateResult, "a", 1.0),
        (EstimateResult, "b", 2.0),
    ]


def test_a_message_checks_nothing_until_it_is_sent() -> None:
    wrong = EstimateResult(1, "a")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        wrong.to_msgpack()
    with pytest.raises(TypeError):
        EstimateResult("a")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        EstimateResult.from_msgpack([b"a", 1])
    with pytest.raises(TypeError, match="size of tuple is 3, but 2 is expected"):
        TList(TUserDef(EstimateResult)).from_msgpack([[b"a", 1.0, 2]])


def test_classes_and_types_of_programs_work() -> None:
    kind = TUserDef(Foreign)  # type: ignore[arg-type]
    found = kind.from_msgpack(("a", 1.0))
    assert isinstance(found, Foreign)
    assert kind.to_msgpack(found) == ["a", 1.0]
    assert TList(kind).to_msgpack([found]) == [["a", 1.0]]
    assert isinstance(TList(kind).from_msgpack([["a", 1.0]])[0], Foreign)
    for value in (1, [], None):
        with pytest.raises(TypeError):
            kind.to_msgpack(value)
    own: Any = Any1()
    assert TList(own).to_msgpack([1, 2]) == [[1], [2]]
    assert TList(TTuple(own, STRING)).from_msgpack([[[1], b"a"]]) == [(1, "a")]


def test_a_datum_sorts_values_by_their_type() -> None:
    datum = Datum({"s": "text", "f": 1.5, "i": 3, "b": True})
    assert datum.string_values == [["s", "text"]]
    assert datum.num_values == [["f", 1.5], ["i", 3.0], ["b", 1.0]]
    assert [type(value) for _, value in datum.num_values] == [float, float, float]
    assert datum.binary_values == []
    assert Datum().to_msgpack() == ([], [], [])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({1: "a"}, "a key of a datum must be str, but 1 is int"),
        ({b"k": "a"}, "a key of a datum must be str, but b'k' is bytes"),
        ({"k": b"a"}, "value of 'k' must be str or a number, but is bytes"),
        ({"first": 1, "k": None}, "value of 'k' must be str or a number, but is NoneType"),
        ({"age": [1]}, "value of 'age' must be str or a number, but is list"),
        ({"k": 1j}, "value of 'k' must be str or a number, but is complex"),
    ],
    ids=str,
)
def test_a_datum_says_which_value_it_refuses(values: Any, text: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        Datum(values)


def test_a_datum_says_which_number_is_too_large() -> None:
    for make in (lambda: Datum({"a": 1, "k": 10**400}), lambda: Datum().add_number("k", 10**400)):
        with pytest.raises(OverflowError, match=r"^value of 'k' is too large for a float$"):
            make()


def test_values_are_added_in_order_and_may_repeat() -> None:
    datum = Datum({"a": "b"})
    assert datum.add_string("a", "b") is None  # type: ignore[func-returns-value]
    assert datum.add_number("n", 1) is None  # type: ignore[func-returns-value]
    datum.add_number("n", 0.5)
    assert datum.add_binary("bin", b"\xff") is None  # type: ignore[func-returns-value]
    assert datum.to_msgpack() == ([["a", "b"]] * 2, [["n", 1.0], ["n", 0.5]], [["bin", b"\xff"]])
    assert type(datum.num_values[0][1]) is float


@pytest.mark.parametrize(
    ("method", "key", "value", "text"),
    [
        ("add_string", 1, "a", "a key of a datum must be str, but 1 is int"),
        ("add_string", "a", b"a", "value of 'a' must be str, but is bytes"),
        ("add_string", "a", 1, "value of 'a' must be str, but is int"),
        ("add_number", 1, 1, "a key of a datum must be str, but 1 is int"),
        ("add_number", "a", "1", "value of 'a' must be a number, but is str"),
        ("add_number", "a", None, "value of 'a' must be a number, but is NoneType"),
        ("add_binary", b"a", b"a", "a key of a datum must be str, but b'a' is bytes"),
        ("add_binary", "a", "a", "value of 'a' must be bytes, but is str"),
    ],
)
def test_added_values_are_checked(method: str, key: Any, value: Any, text: str) -> None:
    datum = Datum()
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        getattr(datum, method)(key, value)
    assert datum.to_msgpack() == ([], [], [])


@pytest.mark.parametrize(
    ("field", "pair", "text"),
    [
        ("string_values", ("k", object()), "value of 'k' must be str, but is object"),
        ("string_values", ["k", numpy.float32(1)], "value of 'k' must be str, but is float32"),
        ("string_values", ["k", 2**64], "value of 'k' must be str, but is int"),
        ("num_values", ["k", [1, {1: {2}}]], "value of 'k' must be a number, but is list"),
        ("num_values", ["k", {object(): 1}], "value of 'k' must be a number, but is dict"),
        ("num_values", [{1}, 1.0], "a key of a datum must be str, but {1} is set"),
        ("binary_values", ["k", bytearray(b"a")], "value of 'k' must be bytes, but is bytearray"),
    ],
)
def test_values_put_in_by_hand_that_cannot_be_packed_are_named(field: str, pair: Any, text: str) -> None:
    datum = Datum({"a": "b"})
    getattr(datum, field).append(pair)
    for convert, value in ((DATUM.to_msgpack, datum), (LABELED.to_msgpack, ("label", datum))):
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            convert(value)
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        Encoder([LABELED]).array((("label", datum),))


def test_values_put_in_by_hand_that_can_be_packed_are_left_to_the_server() -> None:
    datum = Datum()
    datum.string_values = [["a", b"a"], ("b", 1), "no pair", ["three", 1, 2]]
    datum.num_values = [["a", "1"], ["b", None], ["c", [1]], ["d", {"a": 1}], [1, True]]
    datum.binary_values = "no list"  # type: ignore[assignment]
    assert DATUM.to_msgpack(datum) == datum.to_msgpack()


def test_numbers_put_in_by_hand_may_be_of_numpy() -> None:
    datum = Datum()
    datum.num_values += [["a", numpy.float32(1.5)], ("b", numpy.int64(2)), ("c", 2**64)]
    assert DATUM.to_msgpack(datum) == ([], [["a", 1.5], ["b", 2.0], ["c", 2.0**64]], [])
    assert Encoder([DATUM]).array((datum,)) == pack([DATUM.to_msgpack(datum)])


def test_datums_do_not_share_their_lists() -> None:
    Datum().add_string("a", "b")
    assert Datum().string_values == []


def test_the_text_of_a_datum() -> None:
    datum = Datum({"a": "b", "n": 1})
    assert str(datum) == "datum{string_values: [['a', 'b']], num_values: [['n', 1.0]], binary_values: []}"
    assert repr(datum).startswith("<jubatus.common.datum.Datum object at ")


def test_a_received_datum_has_tuples() -> None:
    datum = DATUM.from_msgpack([[[b"a", b"b"]], [[b"n", 1.0]], [[b"x", b"\xff"]]])
    assert isinstance(datum, Datum)
    assert datum.to_msgpack() == ([("a", "b")], [("n", 1.0)], [("x", b"\xff")])
    assert datum.to_msgpack() == Datum.TYPE.from_msgpack(datum.to_msgpack())
    for broken in ([], [[], []], [[], [["a", 1]], []], [[["a"]], [], []], 5):
        with pytest.raises(TypeError):
            Datum.from_msgpack(broken)


def test_only_datums_are_datums() -> None:
    text = f"type {Datum} is expected, but <class 'dict'> is given"
    for kind, value in ((DATUM, {}), (TList(DATUM), [Datum(), {}])):
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            kind.to_msgpack(value)
    assert TList(DATUM).to_msgpack([Datum({"a": 1})]) == [([], [["a", 1.0]], [])]


def test_a_datum_can_be_pickled() -> None:
    datum = Datum({"a": "b"})
    assert pickle.loads(pickle.dumps(datum)).to_msgpack() == datum.to_msgpack()
