"""Packing and unpacking of Python values of declared types."""

from collections.abc import Iterable
from typing import Any

from jubatus._core.wire import Reader

class Encoder:
    """Pack values, one of each of some types."""

    def __init__(self, kinds: Iterable[Any]) -> None: ...
    def array(self, values: tuple[Any, ...]) -> bytes:
        """Return the values as a packed array; raise what ``to_msgpack`` of their types raises."""
    def reader(self, values: tuple[Any, ...]) -> Reader:
        """Return a reader that stands on the first of the packed values; raise as ``array``."""

class Decoder:
    """Unpack values of a type."""

    def __init__(self, kind: Any) -> None: ...
    def read(self, reader: Reader) -> Any:
        """Return the next value of a reader; raise BadArguments, or what ``from_msgpack`` of the type raises."""
    def decode(self, data: bytes) -> Any:
        """Return the one value that the bytes hold; raise as ``read``."""

class Shape:
    """What is compiled of a plan."""

class Surprise(Exception):
    """A value that is left to its type; never leaves the module."""
