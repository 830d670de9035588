from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.order import order_names
from tests.reference.tr1 import Map


def test_the_examples_of_the_original() -> None:
    assert order_names(b"hello world foo bar baz".split()) == b"baz bar world hello foo".split()
    assert order_names(bytes([letter]) for letter in b"abcdefghijklmno") == [bytes([c]) for c in b"nlbfdkiomcagejh"]
    assert order_names([]) == []


@given(st.lists(st.binary(max_size=4), max_size=60))
def test_any_names_come_as_in_the_slow_map(names: list[bytes]) -> None:
    assert order_names(names) == list(Map((name, None) for name in names))
