"""The seeded workloads that all benchmarks share, as Python values, packed objects and packed requests.

Every message has the same number of bytes, and so has every request made from the same number of items: the bare
server (bare.py) needs only to count bytes to answer each request, which makes it as fast a yardstick as there can be.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

CLASSES = 20
WORDS = 100
VOCABULARY = 50_000
NUMBERS = 10
SEED = 20

SPACE_BIN = {"string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}]}
NUM = {"num_rules": [{"key": "*", "type": "num"}]}

Value = str | list[float]
Item = tuple[str, Value]


@dataclass(frozen=True)
class Load:
    """Requests of one kind: a line of a table.

    Args:
        work: what the table calls it.
        config: of the server.
        requests: makes the packed requests to a cluster's name; all have the same length.
        teaching: makes packed requests that are sent before the first run.
        size: items of a request.
        connections: how many there are, with one request in flight on each.
        total: requests of a run.
        fresh: whether each run starts from an empty model.
    """

    work: str
    config: dict[str, Any]
    requests: Callable[[str], Iterable[bytes]]
    teaching: Callable[[], Iterable[bytes]]
    size: int
    connections: int
    total: int
    fresh: bool


@cache
def messages(count: int, seed: int = SEED) -> list[Item]:
    """Return (label, text) pairs: 100 words of 50,000, Zipf; one in ten from a list that belongs to the label.

    So little tells the labels apart that under PA nearly every message of the first pass changes the model.
    """
    random = np.random.default_rng(seed)
    labels = random.integers(CLASSES, size=count)
    common = _zipf(random, VOCABULARY, (count, WORDS))
    own = _zipf(random, VOCABULARY // CLASSES, (count, WORDS)) * CLASSES + labels[:, None]
    words = np.where(random.random((count, WORDS)) < 0.1, own, common)
    return [
        (f"class{label:02}", " ".join([f"w{word:05}" for word in row]))
        for label, row in zip(labels.tolist(), words.tolist(), strict=True)
    ]


@cache
def numbers(count: int, seed: int = SEED) -> list[Item]:
    """Return (label, ten numbers) pairs, normally distributed around the label's centre."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(CLASSES, NUMBERS))
    labels = random.integers(CLASSES, size=count)
    values = centres[labels] + random.normal(scale=0.5, size=(count, NUMBERS))
    return [(f"class{label:02}", row) for label, row in zip(labels.tolist(), values.tolist(), strict=True)]


def _zipf(random: np.random.Generator, size: int, shape: tuple[int, int]) -> "np.ndarray[Any, Any]":
    cumulative = np.cumsum(1 / np.arange(1, size + 1))
    return np.searchsorted(cumulative, random.random(shape) * cumulative[-1])


def datum(value: Value) -> list[Any]:
    """Return the wire form of a message (one string) or of numbers."""
    if isinstance(value, str):
        return [[["message", value]], [], []]
    return [[], [[f"number{index}", number] for index, number in enumerate(value)], []]


def pack(value: object) -> bytes:
    """Pack as the official clients do: the old raw format, float64."""
    packed: bytes = msgpack.packb(value, use_bin_type=False)
    return packed


def request(method: str, *arguments: object, name: str = "") -> bytes:
    """Return one packed request to a cluster's name; all have the same id, so that all have the same length."""
    return pack([0, 1, method, [name, *arguments]])


def write(path: Path, records: Iterable[bytes]) -> None:
    """Write the records as load.c reads them: each behind its length as a little-endian 32-bit number."""
    with open(path, "wb") as file:
        for record in records:
            file.write(struct.pack("<I", len(record)) + record)
