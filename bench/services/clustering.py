"""What is measured of clustering: points of 10 numbers around 20 places, and what is asked of the clusters."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bench.workloads import SEED, Load, request

NUMBERS = 10
PLACES = 20
POINTS = 20_000
"""Points that the requests are made of; a load starts again when it has sent all."""

CONFIG: dict[str, Any] = {
    "method": "kmeans",
    "parameter": {"k": PLACES, "seed": SEED},
    "compressor_method": "compressive",
    "compressor_parameter": {
        "bucket_size": 1000,
        "compressed_bucket_size": 200,
        "bicriteria_base_size": 10,
        "bucket_length": 2,
        "forgetting_factor": 0.0,
        "forgetting_threshold": 0.5,
        "seed": SEED,
    },
    "converter": {"num_rules": [{"key": "*", "type": "num"}]},
}


def datums() -> Iterator[list[Any]]:
    """Yield datums."""
    random = Random(SEED)
    places = [[random.uniform(-10, 10) for _ in range(NUMBERS)] for _ in range(PLACES)]
    for _ in range(POINTS):
        place = random.choice(places)
        yield [[], [[f"x{j}", x + random.gauss(0, 1)] for j, x in enumerate(place)], []]


def pushes(size: int, name: str) -> Iterator[bytes]:
    """Yield packed calls with that many points each."""
    points = [[f"{i:05}", datum] for i, datum in enumerate(datums())]
    for start in range(0, POINTS, size):
        yield request("push", points[start : start + size], name=name)


def questions(row: str, name: str) -> Iterator[bytes]:
    """Yield packed calls about a datum each."""
    for datum in datums():
        yield request(row, datum, name=name)


def push(size: int, connections: int, total: int) -> Load:
    """Return a load of points."""
    return Load(
        work=f"push clustering kmeans compressive, {size} points, c {connections}",
        config=CONFIG,
        requests=lambda name: pushes(size, name),
        teaching=lambda: pushes(1000, ""),
        size=size,
        connections=connections,
        total=total,
        fresh=False,
    )


def ask(row: str, connections: int, total: int) -> Load:
    """Return a load of questions."""
    return Load(
        work=f"{row} clustering kmeans, {PLACES} centers, c {connections}",
        config=CONFIG,
        requests=lambda name: questions(row, name),
        teaching=lambda: pushes(1000, ""),
        size=1,
        connections=connections,
        total=total,
        fresh=False,
    )


RPC = (
    push(1, 8, 40_000),
    push(100, 4, 2_000),
    ask("get_nearest_center", 8, 60_000),
    ask("get_nearest_members_light", 8, 2_000),
)
KEEPER = (ask("get_nearest_center", 16, 30_000),)
