"""Recordings of the original: how they are read, and how a reply is compared with the recorded one.

A recording's text is UTF-8; a reply's bytes are decoded, so that both sides hold str.
"""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jubatus.idl import services
from tests.services import Facts, facts_of

FOLDER = Path(__file__).parent
SUFFIXES = (".json", ".json.gz")
SLACK = 1e-12
"""Sums and products are the original's bit for bit; only the C library's logarithm may differ between machines."""


def load(path: Path) -> dict[str, Any]:
    """Read a recording, packed with gzip or not."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def recordings(service: str, kind: str) -> list[Path]:
    """Return the recordings of a kind (see tests.services.KINDS) that a service has."""
    folder, start = {
        "calls": (FOLDER / service, ""),
        "models": (FOLDER / "models", f"{service}-"),
        "cluster": (FOLDER / "cluster" / service, ""),
        "diff": (FOLDER / "diff", f"{service}-"),
    }[kind]
    return sorted(path for path in folder.glob(f"{start}*") if path.name.endswith(SUFFIXES))


def each_recording(*kinds: str, only: Callable[[Facts], bool] = lambda facts: True) -> pytest.MarkDecorator:
    """Run a test for each recording of these kinds of all services for which something holds."""
    names = [name for name in services() if only(facts_of(name))]
    found = [(name, path) for kind in kinds for name in names for path in recordings(name, kind)]
    ids = [f"{name}/{path.name.split('.')[0].removeprefix(f'{name}-')}" for name, path in found]
    return pytest.mark.parametrize("path", [path for _, path in found], ids=ids)


def decoded(value: Any) -> Any:
    """Make every bytes of a reply a str."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (list, tuple)):
        return [decoded(v) for v in value]
    if isinstance(value, dict):
        return {decoded(k): decoded(v) for k, v in value.items()}
    return value


def close(got: float, want: float, tolerance: float) -> bool:
    if math.isnan(want):
        return math.isnan(got)
    return got == want or abs(got - want) <= tolerance * max(1.0, abs(got), abs(want))


def difference(got: Any, want: Any, tolerance: float, path: str = "reply") -> str | None:
    """Say where two decoded values first differ, else None; types must agree, floats only within the tolerance."""
    if isinstance(got, float) and want in ("NaN", "Infinity", "-Infinity"):
        want = float(want)
    if type(got) is not type(want):
        return f"{path}: {got!r}, want {want!r}"
    if isinstance(got, float):
        return None if close(got, want, tolerance) else f"{path}: {got!r}, want {want!r}"
    if isinstance(got, dict):
        if got.keys() != want.keys():
            return f"{path}: keys {sorted(got)!r}, want {sorted(want)!r}"
        pairs = [(f"{path}.{key}", got[key], want[key]) for key in want]
    elif isinstance(got, list):
        if len(got) != len(want):
            return f"{path}: {len(got)} items, want {len(want)}"
        pairs = [(f"{path}[{i}]", g, w) for i, (g, w) in enumerate(zip(got, want, strict=True))]
    else:
        return None if got == want else f"{path}: {got!r}, want {want!r}"
    return next((d for p, g, w in pairs if (d := difference(g, w, tolerance, p))), None)


def text_of(value: Any) -> Any:
    """Make every key of the maps a str, so that the paths of differences can be read."""
    if isinstance(value, dict):
        return {repr(key): text_of(v) for key, v in value.items()}
    return [text_of(v) for v in value] if isinstance(value, list) else value


def disordered(mode: str, value: Any) -> Any:
    """Bring a reply into one order where the recording's mode leaves the order open."""
    if mode == "set":
        return sorted(value, key=repr)
    if mode in ("listset", "datum"):
        return [sorted(v, key=repr) for v in value]
    if mode == "finite":
        return math.isfinite(value) if isinstance(value, float) else value
    assert mode == "exact", mode
    return value


def check(call: dict[str, Any], got: Any, tolerance: float) -> str | None:
    """Compare a reply with the recorded result of a call.

    The modes of a recording: ``exact``; ``set`` is a list without order, ``listset`` a list of such, ``datum`` a datum
    whose three lists are such; ``scored`` is a list of (id, score), of which only the scores are in order, and of ids
    with the last score any may be there; ``finite`` is any finite number, ``ignore`` anything.
    """
    mode, want, got = call["compare"], call["result"], decoded(got)
    if mode == "ignore":
        return None
    if mode == "scored":
        last = want[-1][1] if want else 0.0
        ranks = [[score for _, score in reply] for reply in (got, want)]
        certain = [sorted(id for id, score in reply if not close(score, last, tolerance)) for reply in (got, want)]
        return difference(ranks[0], ranks[1], tolerance) or difference(certain[0], certain[1], tolerance)
    return difference(disordered(mode, got), disordered(mode, want), tolerance)
