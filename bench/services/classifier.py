"""What is measured of the classifier."""

from collections.abc import Iterable, Iterator
from typing import Any

from bench.workloads import NUM, SPACE_BIN, Item, Load, datum, messages, numbers, request

PREPARED = 40_000
"""Items that the requests are made of; a load starts again when it has sent all."""


def config(method: str, converter: dict[str, Any], regularization_weight: float | None = None) -> dict[str, Any]:
    """Return the configuration of a classifier."""
    parameter = {} if regularization_weight is None else {"regularization_weight": regularization_weight}
    return {"method": method, "converter": converter, "parameter": parameter}


def training(items: Iterable[Item]) -> list[Any]:
    """Return the argument of `train` for these items."""
    return [[label, datum(value)] for label, value in items]


def queries(items: Iterable[Item]) -> list[Any]:
    """Return the argument of `classify` for these items."""
    return [datum(value) for _, value in items]


def requests(method: str, items: list[Item], size: int, name: str = "") -> Iterator[bytes]:
    """Yield packed requests of `size` items each, to a cluster's name."""
    argument = {"train": training, "classify": queries}[method]
    for start in range(0, len(items), size):
        yield request(method, argument(items[start : start + size]), name=name)


def load(method: str, kind: str, call: str, size: int, connections: int, total: int) -> Load:
    """Return a load of `train` or `classify` with messages ("msg") or numbers ("num")."""
    source, converter = {"msg": (messages, SPACE_BIN), "num": (numbers, NUM)}[kind]
    return Load(
        work=f"{call} {method}, {size} {kind}, c {connections}",
        config=config(method, converter, 1.0 if method == "AROW" else None),
        requests=lambda name: requests(call, source(PREPARED), size, name),
        teaching=lambda: requests("train", source(PREPARED), 1000),
        size=size,
        connections=connections,
        total=total,
        fresh=call == "train",
    )


CONFIG = config("PA", SPACE_BIN)
RPC = (
    load("PA", "msg", "train", 1, 1, 60_000),
    load("PA", "msg", "train", 1, 16, 120_000),
    load("PA", "msg", "train", 100, 4, 1_200),
    load("PA", "msg", "classify", 1, 1, 60_000),
    load("PA", "msg", "classify", 1, 16, 120_000),
    load("AROW", "msg", "train", 1, 16, 120_000),
    load("PA", "num", "train", 1, 16, 200_000),
    load("PA", "num", "classify", 1, 16, 200_000),
)
KEEPER = (
    load("PA", "msg", "train", 1, 1, 30_000),
    load("PA", "msg", "train", 1, 16, 90_000),
    load("PA", "msg", "classify", 1, 1, 30_000),
    load("PA", "msg", "classify", 1, 16, 90_000),
)
