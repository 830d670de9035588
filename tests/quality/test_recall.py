"""How many of the true nearest rows the hashes of nearest_neighbor find: as many as hashes made of ideal random numbers.

The yardstick draws its random directions, or exponential numbers, from numpy. Its recall has a spread over draws. Ours
draws others for other names of the features, and its mean must lie in that spread.
"""

from typing import Any

import numpy as np
import pytest

from jubatus import embedded
from jubatus.common import Datum

ROWS, QUERIES, NUMBERS, NEAREST = 300, 20, 12, 10
DRAWS, IDEAL = 5, 60
"""How often ours is measured, and how often the yardstick."""

Array = np.ndarray[Any, Any]


def data(positive: bool) -> tuple[Array, Array]:
    """Return rows, and vectors to look for; of a few places, so that there are near ones."""
    random = np.random.default_rng(11)
    places = random.normal(size=(10, NUMBERS))
    rows = places[random.integers(10, size=ROWS)] + random.normal(scale=0.4, size=(ROWS, NUMBERS))
    asked = places[random.integers(10, size=QUERIES)] + random.normal(scale=0.4, size=(QUERIES, NUMBERS))
    return (np.exp(rows), np.exp(asked)) if positive else (rows, asked)


def nearest(distances: Array) -> list[set[int]]:
    return [set(np.argsort(row, kind="stable")[:NEAREST].tolist()) for row in distances]


def recall(found: list[set[int]], true: list[set[int]]) -> float:
    return sum(len(a & b) for a, b in zip(found, true, strict=True)) / (NEAREST * len(true))


def angles(a: Array, b: Array) -> Array:
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (a, b)]
    return np.arccos(np.clip(units[0] @ units[1].T, -1, 1))


def jaccard(a: Array, b: Array) -> Array:
    """Return 1 minus the similarity of probability Jaccard, which this MinHash of weights estimates.

    Moulton and Jiang 2018; of weights x and y, it is the sum over features of 1 / sum of max(x_j / x_i, y_j / y_i).
    """
    result = np.empty((len(a), len(b)))
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            shares = np.maximum(x[None, :] / x[:, None], y[None, :] / y[:, None]).sum(axis=1)
            result[i, j] = 1 - (1 / shares).sum()
    return result


def true_distances(method: str, asked: Array, rows: Array) -> Array:
    if method == "lsh":
        return angles(asked, rows)
    if method == "minhash":
        return jaccard(asked, rows)
    return np.linalg.norm(asked[:, None, :] - rows[None, :, :], axis=2)


def ideal_distances(method: str, asked: Array, rows: Array, bits: int, seed: int) -> Array:
    """Return distances by hashes of ideal random numbers."""
    random = np.random.default_rng(seed)
    if method == "minhash":
        numbers = random.exponential(size=(NUMBERS, bits))
        names = random.integers(2, size=NUMBERS)  # the lowest bit of each feature's hash
        hashes = [names[np.argmin(numbers[None, :, :] / each[:, :, None], axis=1)] for each in (asked, rows)]
    else:
        directions = random.normal(size=(NUMBERS, bits))
        hashes = [each @ directions > 0 for each in (asked, rows)]
    differ = (hashes[0][:, None, :] != hashes[1][None, :, :]).mean(axis=2)
    if method != "euclid_lsh":
        return differ
    a, b = np.linalg.norm(asked, axis=1)[:, None], np.linalg.norm(rows, axis=1)[None, :]
    return np.sqrt(np.maximum(a * a + b * b - 2 * a * b * np.cos(np.pi * differ), 0))


def our_nearest(method: str, bits: int, draw: int, asked: Array, rows: Array) -> list[set[int]]:
    names = [f"n{draw}-{i}" for i in range(NUMBERS)]
    config = {
        "method": method,
        "parameter": {"hash_num": bits},
        "converter": {"num_rules": [{"key": "*", "type": "num"}]},
    }
    with embedded.NearestNeighbor(config) as model:
        for i, row in enumerate(rows.tolist()):
            model.set_row(str(i), Datum(dict(zip(names, row, strict=True))))
        found = [
            model.neighbor_row_from_datum(Datum(dict(zip(names, row, strict=True))), NEAREST) for row in asked.tolist()
        ]
    return [{int(each.id) for each in one} for one in found]


@pytest.mark.parametrize("bits", [64, 512])
@pytest.mark.parametrize("method", ["lsh", "euclid_lsh", "minhash"])
def test_recall_is_that_of_ideal_hashes(method: str, bits: int) -> None:
    rows, asked = data(positive=method == "minhash")
    true = nearest(true_distances(method, asked, rows))
    ideal = [recall(nearest(ideal_distances(method, asked, rows, bits, seed)), true) for seed in range(IDEAL)]
    ours = [recall(our_nearest(method, bits, draw, asked, rows), true) for draw in range(DRAWS)]
    error = float(np.std(ideal)) * (1 / DRAWS + 1 / IDEAL) ** 0.5
    assert abs(float(np.mean(ours)) - float(np.mean(ideal))) < 4 * error
    assert np.mean(ideal) > 3 * NEAREST / ROWS  # the hashes tell something
