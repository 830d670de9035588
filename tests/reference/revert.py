"""Features back to a datum, written with slices and regular expressions."""

import math
import re

Features = list[tuple[bytes, float]]
Datum = list[list[tuple[bytes, bytes | float]]]

NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d*|(?!.))(?:(?<=[\d.])[eE][+-]?\d*)?)", re.S)


def read_number(text: bytes) -> float | None:
    """Read a number as a C++ stream does; None if it fails."""
    found = NUMBER.match(text)
    try:
        number = float(found[1]) if found else math.inf
    except ValueError:
        return None
    return None if math.isinf(number) else number


def revert(features: Features) -> Datum:
    """Return [strings, numbers, binaries]."""
    strings: list[tuple[bytes, bytes | float]] = []
    numbers: list[tuple[bytes, bytes | float]] = []
    for name, value in features:
        key, at, rest = name.rpartition(b"@")
        number = value if rest == b"num" else read_number(rest[4:]) if rest.startswith(b"str$") else None
        if at and number is not None:
            numbers.append((key, number))
            continue
        head, sharp, _ = name.rpartition(b"#")
        head, at, kind = head.rpartition(b"@")
        if sharp and at and kind == b"str" and b"$" in name:
            dollar = name.index(b"$")
            strings.append((name[:dollar], name[dollar + 1 : len(head)]))
    return [strings, numbers, []]
