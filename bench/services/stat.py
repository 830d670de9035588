"""What is measured of stat: numbers of 1,000 keys, of which a window of 100,000 holds about 100 each."""

from collections.abc import Iterator
from random import Random

from bench.workloads import SEED, Load, request

KEYS = 1_000
NUMBERS = 40_000
"""Calls that the requests are made of; a load starts again when it has sent all."""

CONFIG = {"window_size": 100_000}


def calls(method: str, name: str) -> Iterator[bytes]:
    """Yield packed calls of random keys; a number that is pushed is normally distributed."""
    random = Random(SEED)
    for _ in range(NUMBERS):
        key = f"key{random.randrange(KEYS):03}"
        number = (random.gauss(0, 1),) if method == "push" else ()
        yield request(method, key, *number, name=name)


def load(method: str, connections: int, total: int) -> Load:
    """Return a load of one method, each call of one key."""
    return Load(
        work=f"{method} stat, {KEYS:,} keys, c {connections}",
        config=CONFIG,
        requests=lambda name: calls(method, name),
        teaching=lambda: calls("push", ""),
        size=1,
        connections=connections,
        total=total,
        fresh=method == "push",
    )


RPC = (
    load("push", 1, 60_000),
    load("push", 16, 200_000),
    load("sum", 16, 200_000),
)
KEEPER = (load("push", 16, 90_000), load("sum", 16, 90_000))
