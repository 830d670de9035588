"""Calling a model as a server does: packed arguments in, a packed reply out."""

import math
from typing import Any

from jubatus._core.wire import Reader, pack, unpack


def call(model: Any, method: str, *args: Any) -> Any:
    """Call a handler with values and return the unpacked reply; text is bytes there."""
    reader = Reader(pack(["", *args]))
    reader.arguments(len(args))
    return unpack(getattr(model, method)(reader))


def give(model: Any) -> tuple[bytes, Any]:
    """Give a model's diff to a mix: return it, and the snapshot that remembers it."""
    snapshot = model.snapshot()
    assert snapshot.take(1 << 40)
    return snapshot.pack(), snapshot


def mix_of(models: list[Any]) -> tuple[bytes, list[Any]]:
    """Mix the diffs of models; return the mixed one, and the snapshots."""
    given = [give(model) for model in models]
    return models[0].mix([diff for diff, _ in given]), [snapshot for _, snapshot in given]


def mix_of_slow(models: list[Any]) -> Any:
    """Mix the diffs of slow models."""
    mixed = models[0].get_diff()
    for model in models[1:]:
        mixed = model.mix(model.get_diff(), mixed)
    return mixed


def mix_alone(model: Any) -> bool:
    """Mix a model with itself; return whether it took the diff."""
    taken: bool = model.put_diff(*give(model))
    return taken


def mix_slow_alone(model: Any) -> bool:
    """Do the same with a slow model."""
    taken: bool = model.put_diff(model.get_diff(), model.given())
    return taken


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
