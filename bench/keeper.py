"""Requests a second through a keeper to two servers, beside one of them directly and the bare server."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench import workloads
from bench.cluster import NAME, Cluster, cluster, zookeeper
from bench.process import Caller, bare, load
from bench.report import ratio, spread, table
from bench.workloads import SPACE_BIN, Item, config

PREPARED = 40_000
"""Items that the requests are made of; a load starts again when it has sent all."""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    call: str
    connections: int
    total: int


CASES = (
    Case("train", 1, 30_000),
    Case("train", 16, 90_000),
    Case("classify", 1, 30_000),
    Case("classify", 16, 90_000),
)


def requests(call: str, items: list[Item], size: int) -> Iterator[bytes]:
    """Yield packed requests for the cluster."""
    argument = {"train": workloads.training, "classify": workloads.queries}[call]
    for start in range(0, len(items), size):
        yield workloads.pack([0, 1, call, [NAME, argument(items[start : start + size])]])


def measure(made: Cluster, keeper: int, case: Case, items: list[Item], repeat: int, scale: float) -> list[str]:
    """Return a row; each training starts from nothing, classify after all items."""
    records = list(requests(case.call, items, 1))
    file = made.folder / "requests"
    workloads.write(file, records)
    for port in made.servers:
        with Caller(port) as caller:
            for request in requests("train", items, 1000):
                caller.call(request)
    with Caller(keeper) as caller:
        reply = caller.reply(records[0])
    runs = []
    with bare(len(records[0]), reply) as yardstick:
        for _ in range(repeat):
            if case.call == "train":
                for port in made.servers:
                    with Caller(port) as caller:
                        caller.call(workloads.request("clear"))
            total = max(1, int(case.total * scale))
            runs.append([load(port, file, case.connections, total) for port in (keeper, made.servers[0], yardstick)])
    through, direct, bared = ([triple[side]["rps"] for triple in runs] for side in (0, 1, 2))
    return [
        f"{case.call} PA, 1 msg, c {case.connections}",
        spread(through),
        spread([triple[0]["p50_us"] / 1000 for triple in runs], 3),
        spread([triple[0]["p99_us"] / 1000 for triple in runs], 3),
        spread(direct),
        spread([triple[1]["p99_us"] / 1000 for triple in runs], 3),
        spread(bared),
        ratio(through, direct),
        ratio(through, bared),
    ]


def main(repeat: int, scale: float) -> None:
    """Print the table."""
    header = [
        "work", "keeper items/s", "p50 ms", "p99 ms", "direct items/s", "direct p99 ms", "bare items/s",
        "keeper / direct", "keeper / bare",
    ]  # fmt: skip
    items = workloads.messages(PREPARED)
    with zookeeper() as hosts, cluster(hosts, config("PA", SPACE_BIN, None), 2) as made:
        keeper = made.keeper()
        rows = [measure(made, keeper, case, items, repeat, scale) for case in CASES]
    table("Through a keeper to 2 servers (c: connections, one request in flight on each)", header, rows)
