from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.schema import (
    ANY,
    BOOL,
    FLOAT,
    INTEGER,
    LONG,
    STRING,
    Field,
    Reader,
    json_equal,
    list_of,
    made_by,
    map_of,
    optional,
    parse_json,
    read,
    structure,
)
from jubatus.errors import ConfigError, ConfigSyntaxError, UnsupportedMethod


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' {"a": [1, -2.5, true, false, null, "x"]}', {"a": [1, -2.5, True, False, None, "x"]}),
        ("{} \r\n\t", {}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("-0", 0),
        ("1e3", 1000.0),
        ("0.0e-999", 0.0),
        ("2.2250738585072014e-308", 2.2250738585072014e-308),
        (b'"\xe3\x81\x82"', "あ"),
        (r'"\u3042\n\/"', "あ\n/"),
        (r'"\ud800"', "\ud800"),
        (b'"\xed\xa0\x80"', "\ud800"),
    ],
)
def test_parse_json(text: str | bytes, value: object) -> None:
    parsed = parse_json(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("}", 1, 1),
        ("1 trailing text", 1, 3),
        ("{}\n }", 2, 2),
        ("05", 1, 2),
        ('{"a": 1,}', 1, 9),
        ('{"a": 1}'[:-1], 1, 8),
        ("[1 2]", 1, 4),
        ('{\n  "method" 1}', 2, 12),
        ('{"あ" 1}', 1, 6),
        ("// comment\n1", 1, 1),
        ('"a\nb"', 1, 3),
        ('["\t"]', 1, 3),
        ("[NaN]", 1, 2),
        ('["NaN",\n Infinity]', 2, 2),
        ("[1, -Infinity]", 1, 5),
        ('{"9223372036854775808":\n\n  9223372036854775808}', 3, 3),
        ("-9223372036854775809", 1, 1),
        ("[" + "9" * 10000 + "]", 1, 2),
        ('["1e999\\"", 1e999]', 1, 13),
        ("[0.0, 1e-999]", 1, 7),
        ("4e-320", 1, 1),
        (b'{\n"\xff"}', 2, 2),
        (b'"\xe3\x81\x82\xe3"', 1, 3),
        ("[" * 100000, 1, 1),
    ],
)
def test_syntax_error(text: str | bytes, line: int, column: int) -> None:
    with pytest.raises(ConfigSyntaxError) as caught:
        parse_json(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"{line}:{column} ")


def test_syntax_error_names_the_source() -> None:
    with pytest.raises(ConfigSyntaxError) as caught:
        parse_json(b"[\xff]", "/etc/c.json")
    assert str(caught.value) == "/etc/c.json:1:2 Invalid UTF-8"
    assert caught.value.messages == ("/etc/c.json:1:2 Invalid UTF-8",)


@pytest.mark.parametrize("text", ["", b"", " \n"])
def test_empty_text(text: str | bytes) -> None:
    with pytest.raises(ConfigSyntaxError) as caught:
        parse_json(text, "ignored")
    assert str(caught.value) == "json_parser reached end of data"


@given(st.text(alphabet='[]{},:"\\ \n-+.eE0123456789truefalsnNaInity\u3042', max_size=30) | st.binary(max_size=20))
def test_any_text_is_parsed_or_refused(text: str | bytes) -> None:
    try:
        parse_json(text)
    except ConfigSyntaxError as error:
        assert error.line >= 1 and error.column >= 1


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ('{"a":1,"b":[1,{}]}', '{"b":[1,{}],"a":1}', True),
        ('{"a":1,"a":2}', '{"a":2}', True),
        ("1", "1.0", False),
        ("1.0", "1e0", True),
        ("1", "true", False),
        ("0", "false", False),
        ("null", "false", False),
        ('"1"', "1", False),
        ("[1,2]", "[2,1]", False),
        ("[1]", "[1,1]", False),
        ("[]", "{}", False),
        ('{"a":1}', '{"a":1,"b":null}', False),
        ('{"a":1}', '{"b":1}', False),
        ('{"a":{"b":[1]}}', '{"a":{"b":[1.0]}}', False),
        ("[" * 900 + "]" * 900, "[" * 900 + "]" * 900, True),
    ],
)
def test_json_equal(left: str, right: str, same: bool) -> None:
    assert json_equal(parse_json(left), parse_json(right)) is same
    assert json_equal(parse_json(right), parse_json(left)) is same


VALUES: list[tuple[str, Any]] = [
    ("Null", None), ("Bool", True), ("Integer", 7), ("Float", 2.5), ("String", "x"), ("Array", []), ("Object", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "expected", "accepted"),
    [
        (STRING, "String", {"String"}),
        (INTEGER, "Integer", {"Integer"}),
        (LONG, "Integer", {"Integer"}),
        (FLOAT, "Float", {"Float", "Integer"}),
        (BOOL, "Bool", {"Bool"}),
        (list_of(STRING), "Array", {"Array"}),
        (map_of(STRING), "Object", {"Object"}),
        (structure({}), "Object", {"Object"}),
        (ANY, "", {name for name, _ in VALUES}),
    ],
)
@pytest.mark.parametrize(("actual", "value"), VALUES)
def test_types_are_strict(reader: Reader, expected: str, accepted: set[str], actual: str, value: object) -> None:
    if actual in accepted:
        assert read(value, reader) == value
        return
    with pytest.raises(ConfigError) as caught:
        read(value, reader, ".a[0]")
    assert caught.value.messages == (f"{expected} is expected, but {actual} is given. (.a[0])",)


def test_float_reads_an_integer_as_float() -> None:
    assert type(read(1, FLOAT)) is float


@pytest.mark.parametrize(
    ("reader", "value", "text"),
    [
        (INTEGER, 2**63, "integer of 64 bits is expected, but 9223372036854775808 is given. (.n)"),
        (LONG, 2**63, "integer of 64 bits is expected, but 9223372036854775808 is given. (.n)"),
        (FLOAT, float("nan"), "Float is expected, but nan is given. (.n)"),
        (FLOAT, float("-inf"), "Float is expected, but -inf is given. (.n)"),
        (STRING, b"x", "String is expected, but bytes is given. (.n)"),
    ],
)
def test_values_that_no_json_text_has(reader: Reader, value: object, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(value, reader, ".n")
    assert caught.value.messages == (text,)


@pytest.mark.parametrize(
    ("value", "number"), [(2**31, -(2**31)), (-(2**31) - 1, 2**31 - 1), (2**32 + 64, 64), (2**63 - 1, -1)]
)
def test_of_a_short_integer_the_lowest_bits_count(value: int, number: int) -> None:
    assert read(value, INTEGER) == number


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31)])
def test_integer_limits(value: int) -> None:
    assert read(value, INTEGER) == value
    assert read(value << 32, LONG) == value << 32


RULE = structure({"key": Field(STRING), "except": optional(STRING)})
SERVICE = structure(
    {
        "method": Field(STRING),
        "parameter": optional(ANY),
        "types": optional(map_of(map_of(STRING)), {}),
        "rules": optional(list_of(RULE), []),
        "size": optional(INTEGER, 5),
    }
)


def test_structure() -> None:
    assert read({"method": "PA"}, SERVICE) == {"method": "PA", "parameter": None, "types": {}, "rules": [], "size": 5}
    config = {
        "method": "PA",
        "parameter": {"any": [1]},
        "types": {"t": {"method": "m"}},
        "rules": [{"key": "*"}, {"key": "a", "except": None}, {"key": "b", "except": "c"}],
        "size": None,
    }
    members = read(config, SERVICE)
    assert members == {
        "method": "PA",
        "parameter": {"any": [1]},
        "types": {"t": {"method": "m"}},
        "rules": [{"key": "*", "except": None}, {"key": "a", "except": None}, {"key": "b", "except": "c"}],
        "size": 5,
    }
    assert read(members, SERVICE) == members


def test_all_errors_in_order() -> None:
    config = {
        "zzz": 1,
        "size": "3",
        "rules": [{"key": 1}, {"kye": "a"}, {"key": None, "except": 2}],
        "types": {"t": {"method": 1}, "u": []},
        "aaa": 2,
    }
    with pytest.raises(ConfigError) as caught:
        read(config, SERVICE)
    assert caught.value.messages == (
        '"zzz" is not used ()',
        '"aaa" is not used ()',
        '"method" is not found ()',
        "String is expected, but Integer is given. (.types.t.method)",
        "Object is expected, but Array is given. (.types.u)",
        "String is expected, but Integer is given. (.rules[0].key)",
        '"kye" is not used (.rules[1])',
        '"key" is not found (.rules[1])',
        "String is expected, but Null is given. (.rules[2].key)",
        "String is expected, but Integer is given. (.rules[2].except)",
        "Integer is expected, but String is given. (.size)",
    )


def test_what_is_no_structure_is_one_error_of_all() -> None:
    with pytest.raises(ConfigError) as caught:
        read({"unknown": 1, "rules": [[]]}, SERVICE)
    assert caught.value.messages == (
        '"unknown" is not used ()',
        '"method" is not found ()',
        "Object is expected, but Array is given. (.rules[0])",
    )
    with pytest.raises(ConfigError) as caught:
        read(None, SERVICE)
    assert caught.value.messages == ("Object is expected, but Null is given. ()",)


def test_what_cannot_be_read_is_none_or_the_default() -> None:
    errors: list[str] = []
    config = {"method": 1, "types": {"t": {"a": 1, "b": "2"}, "u": {}}, "rules": [{"key": 1}, {"key": "k"}], "size": ""}
    assert SERVICE(config, "", errors) == {
        "method": None,
        "parameter": None,
        "types": {"t": None, "u": {}},
        "rules": [None, {"key": "k", "except": None}],
        "size": 5,
    }
    assert len(errors) == 4


def test_what_a_function_makes() -> None:
    def make(value: object, path: str) -> object:
        if value == 1:
            raise ConfigError("first", f"second at {path}")
        if value == 2:
            raise UnsupportedMethod("classifier(x)")
        return [value]

    assert read({"a": 5}, structure({"a": Field(made_by(make))})) == {"a": [5]}
    with pytest.raises(ConfigError) as caught:
        read({"a": 1, "b": 2, "c": 3}, structure({name: Field(made_by(make)) for name in "ab"}))
    assert caught.value.messages == (
        '"c" is not used ()',
        "first",
        "second at .a",
        "unsupported method (classifier(x))",
    )


def test_path_of_a_part() -> None:
    with pytest.raises(ConfigError) as caught:
        read({"regularization_weight": 1}, structure({}), ".parameter")
    assert caught.value.messages == ('"regularization_weight" is not used (.parameter)',)
