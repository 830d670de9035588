"""Calling a model as a server does: packed arguments in, a packed reply out."""

import math
from typing import Any

from jubatus._core.wire import Reader, pack, unpack


def call(model: Any, method: str, *args: Any) -> Any:
    """Call a handler with values and return the unpacked reply; text is bytes there."""
    reader = Reader(pack(["", *args]))
    reader.arguments(len(args))
    return unpack(getattr(model, method)(reader))


def exact(value: Any) -> Any:
    """Make a value comparable bit for bit: maps by key, NaN equal to itself, -0.0 not to 0.0, a tuple as a list."""
    if isinstance(value, float):
        return value if value != 0.0 and math.isfinite(value) else repr(value)
    if isinstance(value, dict):
        return {key: exact(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(v) for v in value]
    return value


def diff_of(value: list[Any]) -> Any:
    """Bring a classifier's diff into a form without order: cells by feature and label."""
    (count, (rows, version)), labels, weights = value
    return exact([count, {f: {label: cell for label, cell in cells} for f, cells in rows}, version, labels, weights])


def stored(value: Any) -> Any:
    """Bring an unpacked driver into a form without order: maps compare so anyway, an unlearner's sticky ids are a set."""
    driver = exact(value)
    first = driver[0][0]
    if isinstance(first, list) and len(first) == 2 and all(isinstance(part, list) for part in first):
        first[1].sort()
    return driver
