"""What is measured of anomaly: points of 10 numbers in clusters, added to a thousand rows and more, or only scored."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.workloads import SEED, Load, request

NUMBERS = 10
CLUSTERS = 20


def config(method: str, rows: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a method, with rows of another one."""
    return {
        "method": method,
        "parameter": {"nearest_neighbor_num": 10, "reverse_nearest_neighbor_num": 30, **rows},
        "converter": {"num_rules": [{"key": "*", "type": "num"}]},
    }


LOF = config("lof", {"method": "inverted_index_euclid", "parameter": {}})
LIGHT = config("light_lof", {"method": "euclid_lsh", "parameter": {"hash_num": 64}})


def datums(count: int, seed: int = SEED) -> Iterator[list[Any]]:
    """Yield datums of normally distributed numbers around a few centres."""
    random = Random(seed)
    centers = [[random.gauss(0, 10) for _ in range(NUMBERS)] for _ in range(CLUSTERS)]
    for _ in range(count):
        yield [[], [[f"x{j}", random.gauss(x, 1)] for j, x in enumerate(random.choice(centers))], []]


def calls(row: str, name: str, count: int, seed: int = SEED) -> Iterator[bytes]:
    """Yield packed calls of a row that takes a datum."""
    for datum in datums(count, seed):
        yield request(row, datum, name=name)


def load(what: str, config: dict[str, Any], row: str, rows: int, connections: int, total: int) -> Load:
    """Return a load of one row."""
    return Load(
        work=f"{row} {what}, {rows:,} rows of {NUMBERS} numbers, c {connections}",
        config=config,
        requests=lambda name: calls(row, name, total, SEED + 1),
        teaching=lambda: calls("add", "", rows if row == "calc_score" else 1),
        size=1,
        connections=connections,
        total=total,
        fresh=row == "add",
    )


RPC = (
    load("lof", LOF, "add", 1000, 8, 1000),
    load("lof", LOF, "calc_score", 1000, 8, 20_000),
    load("light_lof euclid_lsh 64", LIGHT, "add", 2000, 8, 2000),
    load("light_lof euclid_lsh 64", LIGHT, "calc_score", 2000, 8, 40_000),
)
KEEPER = (load("lof", LOF, "calc_score", 1000, 16, 10_000),)
