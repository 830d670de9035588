"""The seeded workloads that all benchmarks share, as Python values, packed objects and packed requests.

Every message has the same number of bytes, and so has every request made from the same number of items: the bare
server (bare.py) needs only to count bytes to answer each request, which makes it as fast a yardstick as there can be.
"""

import struct
from collections.abc import Iterable, Iterator
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


def config(method: str, converter: dict[str, Any], regularization_weight: float | None = None) -> dict[str, Any]:
    """Return the configuration of a classifier."""
    parameter = {} if regularization_weight is None else {"regularization_weight": regularization_weight}
    return {"method": method, "converter": converter, "parameter": parameter}


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


def training(items: Iterable[Item]) -> list[Any]:
    """Return the argument of `train` for these items."""
    return [[label, datum(value)] for label, value in items]


def queries(items: Iterable[Item]) -> list[Any]:
    """Return the argument of `classify` for these items."""
    return [datum(value) for _, value in items]


def pack(value: object) -> bytes:
    """Pack as the official clients do: the old raw format, float64."""
    packed: bytes = msgpack.packb(value, use_bin_type=False)
    return packed


def request(method: str, *arguments: object) -> bytes:
    """Return one packed request; all have the same id, so that all have the same length."""
    return pack([0, 1, method, ["", *arguments]])


def requests(method: str, items: list[Item], size: int) -> Iterator[bytes]:
    """Yield packed requests of `size` items each."""
    argument = {"train": training, "classify": queries}[method]
    for start in range(0, len(items), size):
        yield request(method, argument(items[start : start + size]))


def write(path: Path, records: Iterable[bytes]) -> None:
    """Write the records as load.c reads them: each behind its length as a little-endian 32-bit number."""
    path.write_bytes(b"".join(struct.pack("<I", len(record)) + record for record in records))
