"""What is measured of recommender: 5,000 rows of 50 numbers, and the ten rows that are most similar to a datum."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.workloads import SEED, Load, request

NUMBERS = 50
ROWS = 5_000
QUERIES = 20_000
"""Calls that the requests are made of; a load starts again when it has sent all."""
SIMILAR = 10
PARAMETERS: dict[str, dict[str, Any]] = {
    "inverted_index": {},
    "inverted_index_euclid": {},
    "lsh": {"hash_num": 64},
    "minhash": {"hash_num": 64},
    "euclid_lsh": {"hash_num": 64, "table_num": 4, "bin_width": 100, "probe_num": 64, "seed": 1091},
    "nearest_neighbor_recommender": {"method": "lsh", "parameter": {"hash_num": 64}},
}


def config(method: str) -> dict[str, Any]:
    """Return the configuration of a method."""
    converter = {"num_rules": [{"key": "*", "type": "num"}]}
    return {"method": method, "parameter": PARAMETERS[method], "converter": converter}


def datums(seed: int = SEED) -> Iterator[list[Any]]:
    """Yield datums of normally distributed numbers."""
    random = Random(seed)
    while True:
        yield [[], [[f"x{j:02}", random.gauss(0, 1)] for j in range(NUMBERS)], []]


def rows(name: str) -> Iterator[bytes]:
    """Yield packed calls that update all rows."""
    for i, datum in zip(range(ROWS), datums(), strict=False):
        yield request("update_row", f"row{i:05}", datum, name=name)


def queries(name: str) -> Iterator[bytes]:
    """Yield packed calls that ask for the rows most similar to a datum."""
    for _, datum in zip(range(QUERIES), datums(SEED + 1), strict=False):
        yield request("similar_row_from_datum", datum, SIMILAR, name=name)


def load(method: str, asks: bool, connections: int, total: int) -> Load:
    """Return a load of one method: rows that are updated, or queries."""
    what = "similar_row_from_datum" if asks else "update_row"
    return Load(
        work=f"{what} {method}, {ROWS:,} rows of {NUMBERS} numbers, c {connections}",
        config=config(method),
        requests=queries if asks else rows,
        teaching=lambda: rows(""),
        size=1,
        connections=connections,
        total=total,
        fresh=False,
    )


RPC = tuple(load(method, asks, 8, 40_000) for method in PARAMETERS for asks in (False, True))
KEEPER = (load("inverted_index", False, 16, 40_000), load("inverted_index", True, 16, 40_000))
