"""Names that programs use to run on Python 2 and 3 alike."""

from jubatus.types import binary_types, int_types, string_types

__all__ = ["b", "binary_types", "int_types", "string_types", "u"]


def u(s: str) -> str:
    """Return a text literal as text."""
    return s


def b(s: str) -> bytes:
    """Return a text literal as bytes, UTF-8."""
    return s.encode()
