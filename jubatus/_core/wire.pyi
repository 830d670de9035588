"""MessagePack-RPC over bytes."""

from typing import Any

class Reader:
    """Read packed values in order from bytes; BadArguments where the next one is of another type."""

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None: ...
    @property
    def offset(self) -> int:
        """Where in the bytes the next value stands."""
    @property
    def at_end(self) -> bool:
        """Whether all values have been read."""
    def arguments(self, count: int) -> None:
        """Enter a params array of at least 1 + count values and step over the first, the cluster's name."""
    def string(self) -> bytes:
        """Return a string of any of the raw formats."""
    def integer(self) -> int:
        """Return an integer."""
    def double(self) -> float:
        """Return any number as a float."""
    def boolean(self) -> bool:
        """Return a bool."""
    def array(self) -> int:
        """Enter an array and return the number of its values."""
    def map(self) -> int:
        """Enter a map and return the number of its pairs."""
    def skip(self) -> None:
        """Step over a value."""
    def raw(self) -> bytes:
        """Return the bytes of a value, undecoded."""
    def unpack(self) -> Any:
        """Return a value as Python objects; raw strings become bytes."""

class Writer:
    """Write packed values one behind the other."""

    def string(self, v: bytes | str) -> None:
        """Write a string in the old raw format."""
    def integer(self, v: int) -> None:
        """Write an integer in its shortest form."""
    def double(self, v: float) -> None:
        """Write a number as float64."""
    def boolean(self, v: bool) -> None:
        """Write a bool."""
    def nil(self) -> None:
        """Write nil."""
    def array(self, n: int) -> None:
        """Start an array of n values."""
    def map(self, n: int) -> None:
        """Start a map of n pairs."""
    def append(self, packed: bytes) -> None:
        """Write values that are packed already."""
    def pack(self, v: object) -> None:
        """Write a Python value; dicts by ascending key bytes."""
    def getvalue(self) -> bytes:
        """Return all that was written."""

class Frame:
    """One message of a stream: kind 0 is a request, 1 a response, 2 a notification."""

    @property
    def kind(self) -> int: ...
    @property
    def msgid(self) -> int: ...
    @property
    def method(self) -> bytes: ...
    @property
    def params(self) -> Reader: ...
    @property
    def error(self) -> Any: ...
    @property
    def result(self) -> Reader: ...
    @property
    def size(self) -> int: ...

class FrameSplitter:
    """Cut a stream that arrives in chunks into messages."""

    def __init__(self, max_size: int = ..., max_depth: int = 32, responses: bool = False) -> None: ...
    @property
    def failure(self) -> str | None:
        """Why the stream is broken."""
    @property
    def max_size(self) -> int: ...
    @property
    def max_depth(self) -> int: ...
    @property
    def responses(self) -> bool: ...
    @property
    def pending(self) -> int:
        """Bytes held of a message that is not whole."""
    def feed(self, data: bytes) -> list[Frame]:
        """Take the next chunk and return the messages that it completes."""

def pack(v: object) -> bytes:
    """Return a value packed."""

def unpack(data: bytes) -> Any:
    """Return the one value that the bytes hold; BadArguments if they hold anything else."""

def order_of_key(key: object) -> bytes:
    """Return what the keys of a map are sorted by."""

def reply(msgid: int, result: bytes) -> bytes:
    """Return the response that carries a packed result."""

def error_reply(msgid: int, error: int | str | bytes, result: bytes | str | None = None) -> bytes:
    """Return the response that carries an error."""
