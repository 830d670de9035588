"""Reading of text parameters and of UTF-8 as the original does it, and the key matchers."""

import re
from collections.abc import Callable, Iterable

from tests.reference import Refusal
from tests.reference.regex import compile_regex

Matcher = Callable[[bytes], bool]


class ConversionError(Refusal):
    """A datum that cannot be converted; the text is what a client sees."""


class OutOfRange(ConversionError):
    """A regular expression group that took no part in the match."""


def read_double(text: str) -> float:
    """Read the number at the start of a text as a C++ stream does; what follows it does not matter."""
    found = re.match(r"[ \t\n\v\f\r]*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)", text, re.ASCII)
    if not found:
        raise ValueError("std::bad_cast")
    return float(found[1])


def read_int(text: str) -> int:
    found = re.match(r"[ \t\n\v\f\r]*([+-]?\d+)", text, re.ASCII)
    if not found or not -(1 << 31) <= int(found[1]) < 1 << 31:
        raise ValueError("std::bad_cast")
    return int(found[1])


def decode_utf8(text: bytes) -> list[int]:
    """Decode up to the first NUL; surrogates and four-byte forms above U+10FFFF pass."""
    text = text.split(b"\0")[0]
    points, i = [], 0
    while i < len(text):
        lead = text[i]
        if lead < 0x80:
            size, point, least = 1, lead, 0
        elif 0xC2 <= lead <= 0xDF:
            size, point, least = 2, lead & 0x1F, 0x80
        elif 0xE0 <= lead <= 0xEF:
            size, point, least = 3, lead & 0x0F, 0x800
        elif 0xF0 <= lead <= 0xF7:
            size, point, least = 4, lead & 0x07, 0x10000
        else:
            raise ConversionError("Invalid UTF-8")
        for c in text[i + 1 : i + size]:
            if c & 0xC0 != 0x80:
                raise ConversionError("Invalid UTF-8")
            point = point << 6 | c & 0x3F
        if i + size > len(text):
            raise ConversionError("Too short string")
        if point < least:
            raise ConversionError("Invalid UTF-8")
        points.append(point)
        i += size
    return points


def encode_utf8(points: Iterable[int]) -> bytes:
    """Encode code points; those above U+10FFFF give nothing."""
    return "".join(chr(point) for point in points if point <= 0x10FFFF).encode("utf-8", "surrogatepass")


def matcher(pattern: str) -> Matcher:
    """Make the test that a key pattern stands for."""
    p = pattern.encode()
    if p in (b"", b"*"):
        return lambda key: True
    if p.startswith(b"*"):
        return lambda key: key.endswith(p[1:])
    if p.endswith(b"*"):
        return lambda key: key.startswith(p[:-1])
    if len(p) >= 2 and p[:1] == p[-1:] == b"/":
        match = compile_regex(p[1:-1])
        return lambda key: match(key, 0) is not None
    return lambda key: key == p


def matcher_except(pattern: str, excluded: str | None) -> Matcher:
    included = matcher(pattern)
    if excluded is None:
        return included
    excluding = matcher(excluded)
    return lambda key: included(key) and not excluding(key)
