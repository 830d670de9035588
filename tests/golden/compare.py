"""Recordings of the original: how they are read, and how a reply is compared with the recorded one.

A recording's text is UTF-8; a reply's bytes are decoded, so that both sides hold str.
"""

import gzip
import json
import math
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(path: Path) -> dict[str, Any]:
    """Read a recording, packed with gzip or not."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def recordings(folder: str) -> list[Path]:
    return sorted(p for p in (FOLDER / folder).iterdir() if p.name.endswith((".json", ".json.gz")))


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


def disordered(mode: str, value: Any) -> Any:
    """Bring a reply into one order where the recording's mode leaves the order open."""
    if mode == "set":
        return sorted(value)
    if mode == "listset":
        return [sorted(v) for v in value]
    assert mode == "exact", mode
    return value


def check(call: dict[str, Any], got: Any, tolerance: float) -> str | None:
    """Compare a reply with the recorded result of a call."""
    mode = call["compare"]
    return difference(disordered(mode, decoded(got)), disordered(mode, call["result"]), tolerance)
