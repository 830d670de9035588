"""What is measured of weight: messages of 100 words, counted or only weighted."""

from collections.abc import Iterator

from bench.workloads import Load, datum, messages, request

PREPARED = 20_000
"""Messages that the requests are made of; a load starts again when it has sent all."""

CONFIG = {
    "converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf1"}]}
}


def requests(method: str, name: str) -> Iterator[bytes]:
    """Yield packed requests of one message each, to a cluster's name."""
    for _, text in messages(PREPARED):
        yield request(method, datum(text), name=name)


def load(method: str, connections: int, total: int) -> Load:
    """Return a load of one method."""
    return Load(
        work=f"{method} weight, 1 msg, c {connections}",
        config=CONFIG,
        requests=lambda name: requests(method, name),
        teaching=lambda: requests("update", ""),
        size=1,
        connections=connections,
        total=total,
        fresh=method == "update",
    )


RPC = (load("update", 1, 20_000), load("update", 16, 60_000), load("calc_weight", 16, 60_000))
KEEPER = (load("update", 16, 30_000), load("calc_weight", 16, 30_000))
