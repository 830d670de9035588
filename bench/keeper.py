"""Requests a second through a keeper to two servers, beside one of them directly and the bare server."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from bench import workloads
from bench.cluster import NAME, Cluster, cluster, zookeeper
from bench.process import Caller, bare, load
from bench.report import ratio, spread, table
from bench.services import modules
from bench.workloads import Load


def measure(made: Cluster, keeper: int, case: Load, repeat: int, scale: float) -> list[str]:
    """Return a row; each training starts from nothing, all else from what was taught."""
    records = list(case.requests(NAME))
    file = made.folder / "requests"
    workloads.write(file, records)
    for port in made.servers:
        with Caller(port) as caller:
            for request in case.teaching():
                caller.call(request)
    with Caller(keeper) as caller:
        reply = caller.reply(records[0])
    runs = []
    with bare(len(records[0]), reply) as yardstick:
        for _ in range(repeat):
            if case.fresh:
                for port in made.servers:
                    with Caller(port) as caller:
                        caller.call(workloads.request("clear"))
            total = max(1, int(case.total * scale))
            runs.append([load(port, file, case.connections, total) for port in (keeper, made.servers[0], yardstick)])
    through, direct, bared = ([triple[side]["rps"] for triple in runs] for side in (0, 1, 2))
    return [
        case.work,
        spread(through),
        spread([triple[0]["p50_us"] / 1000 for triple in runs], 3),
        spread([triple[0]["p99_us"] / 1000 for triple in runs], 3),
        spread(direct),
        spread([triple[1]["p99_us"] / 1000 for triple in runs], 3),
        spread(bared),
        ratio(through, direct),
        ratio(through, bared),
    ]


def measured(hosts: str, services: Sequence[str], repeat: int, scale: float) -> Iterator[list[str]]:
    """Yield the rows; loads of the same configuration, one after the other, share a cluster."""
    for name, module in modules(services):
        for config, cases in groupby(module.KEEPER, lambda case: case.config):
            with cluster(hosts, config, 2, name) as made:
                keeper = made.keeper()
                yield from (measure(made, keeper, case, repeat, scale) for case in cases)


def main(repeat: int, scale: float, services: Sequence[str]) -> None:
    """Print the table."""
    header = [
        "work", "keeper items/s", "p50 ms", "p99 ms", "direct items/s", "direct p99 ms", "bare items/s",
        "keeper / direct", "keeper / bare",
    ]  # fmt: skip
    with zookeeper() as hosts:
        rows = list(measured(hosts, services, repeat, scale))
    table("Through a keeper to 2 servers (c: connections, one request in flight on each)", header, rows)
