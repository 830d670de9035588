import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus.cli.pretty import Object, pretty, quote

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def printed(value: Any) -> str:
    return "".join(pretty(value, quote, repr))


@pytest.mark.parametrize(
    "value, text",
    [
        (1, "1\n"),
        ([], "[\n]\n"),
        ({}, "{\n}\n"),
        ([[], {}], "[\n  [\n  ],\n  {\n  }\n]\n"),
        ({"a": [1, True, None]}, '{\n  "a": [\n    1,\n    true,\n    null\n  ]\n}\n'),
        (Object([("a", iter([1])), ("b", 2.5)]), '{\n  "a": [\n    1\n  ],\n  "b": 2.5\n}\n'),
        ('a/"\\\b\f\n\r\t\0\x1f\x7fé', '"a\\/\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001F\\u007Fé"\n'),
    ],
)
def test_the_format(value: Any, text: str) -> None:
    assert printed(value) == text


@given(VALUES)
def test_any_value_is_read_again(value: Any) -> None:
    assert json.loads(printed(value)) == value


def test_a_deep_value() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]
    assert printed(value).count("[") == 5001
