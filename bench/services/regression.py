"""What is measured of regression: data of 10 numbers."""

from collections.abc import Iterator
from typing import Any

from bench.workloads import NUM, Load, datum, numbers, request

PREPARED = 40_000
"""Items that the requests are made of; a load starts again when it has sent all."""


def config(method: str) -> dict[str, Any]:
    """Return the configuration of a regression."""
    parameter = {"sensitivity": 0.1} | ({} if method == "PA" else {"regularization_weight": 1.0})
    return {"method": method, "converter": NUM, "parameter": parameter}


def requests(method: str, size: int, name: str = "") -> Iterator[bytes]:
    """Yield packed requests of `size` items each, to a cluster's name; the target is the sum of the numbers."""
    data = [datum(value) for _, value in numbers(PREPARED)]
    if method == "train":
        data = [[sum(number for _, number in each[1]), each] for each in data]
    for start in range(0, PREPARED, size):
        yield request(method, data[start : start + size], name=name)


def load(method: str, call: str, connections: int, total: int) -> Load:
    """Return a load of `train` or `estimate`, one datum a request."""
    return Load(
        work=f"{call} {method}, 1 num, c {connections}",
        config=config(method),
        requests=lambda name: requests(call, 1, name),
        teaching=lambda: requests("train", 1000),
        size=1,
        connections=connections,
        total=total,
        fresh=call == "train",
    )


CONFIG = config("PA")
RPC = (
    load("PA", "train", 1, 60_000),
    load("PA", "train", 16, 200_000),
    load("AROW", "train", 16, 200_000),
    load("PA", "estimate", 16, 200_000),
)
KEEPER = (load("PA", "train", 16, 90_000), load("PA", "estimate", 16, 90_000))
