"""Reading of packed values."""

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

def unpack(data: bytes) -> Any:
    """Return the one value that the bytes hold; BadArguments if they hold anything else."""
