"""What is measured of nearest_neighbor: 10,000 rows of 50 numbers, and the ten rows nearest to a datum."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.workloads import SEED, Load, request

NUMBERS = 50
ROWS = 10_000
QUERIES = 20_000
"""Calls that the requests are made of; a load starts again when it has sent all."""
NEAREST = 10


def config(method: str, bits: int) -> dict[str, Any]:
    """Return the configuration of a method."""
    return {
        "method": method,
        "parameter": {"hash_num": bits},
        "converter": {"num_rules": [{"key": "*", "type": "num"}]},
    }


def datums(seed: int = SEED) -> Iterator[list[Any]]:
    """Yield datums of normally distributed numbers."""
    random = Random(seed)
    while True:
        yield [[], [[f"x{j:02}", random.gauss(0, 1)] for j in range(NUMBERS)], []]


def rows(name: str) -> Iterator[bytes]:
    """Yield packed calls that set all rows."""
    for i, datum in zip(range(ROWS), datums(), strict=False):
        yield request("set_row", f"row{i:05}", datum, name=name)


def queries(name: str) -> Iterator[bytes]:
    """Yield packed calls that ask for the rows nearest to a datum."""
    for _, datum in zip(range(QUERIES), datums(SEED + 1), strict=False):
        yield request("neighbor_row_from_datum", datum, NEAREST, name=name)


def load(method: str, bits: int, asks: bool, connections: int, total: int) -> Load:
    """Return a load of one method: rows that are set, or queries."""
    what = "neighbor_row_from_datum" if asks else "set_row"
    return Load(
        work=f"{what} {method} {bits}, {ROWS:,} rows of {NUMBERS} numbers, c {connections}",
        config=config(method, bits),
        requests=queries if asks else rows,
        teaching=lambda: rows(""),
        size=1,
        connections=connections,
        total=total,
        fresh=False,
    )


RPC = tuple(
    load(method, bits, asks, 8, 40_000)
    for method, bits in (("lsh", 64), ("euclid_lsh", 64), ("minhash", 64), ("euclid_lsh", 512))
    for asks in (False, True)
)
KEEPER = (load("lsh", 64, False, 16, 40_000), load("lsh", 64, True, 16, 40_000))
