"""Requests a second over loopback TCP, each figure beside the bare server under the same load."""

from dataclasses import dataclass

from bench import workloads
from bench.process import Caller, bare, folder, load, server
from bench.report import ratio, spread, table
from bench.workloads import NUM, SPACE_BIN, config

PREPARED = 40_000
"""Items that the requests are made of; a load starts again when it has sent all."""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    method: str
    converter: str
    call: str
    size: int
    connections: int
    total: int


CASES = (
    Case("PA", "msg", "train", 1, 1, 60_000),
    Case("PA", "msg", "train", 1, 16, 120_000),
    Case("PA", "msg", "train", 100, 4, 1_200),
    Case("PA", "msg", "classify", 1, 1, 60_000),
    Case("PA", "msg", "classify", 1, 16, 120_000),
    Case("AROW", "msg", "train", 1, 16, 120_000),
    Case("PA", "num", "train", 1, 16, 200_000),
    Case("PA", "num", "classify", 1, 16, 200_000),
)


def measure(case: Case, repeat: int, scale: float) -> list[str]:
    """Return a row: ours and the bare server in turn; each training starts from nothing, classify after all items."""
    items = (workloads.messages if case.converter == "msg" else workloads.numbers)(PREPARED)
    weight = 1.0 if case.method == "AROW" else None
    chosen = config(case.method, SPACE_BIN if case.converter == "msg" else NUM, weight)
    records = list(workloads.requests(case.call, items, case.size))
    total = max(1, int(case.total * scale))
    runs = []
    with folder() as at, server(chosen, at) as ours, Caller(ours.port) as caller:
        workloads.write(at / "requests", records)
        for request in workloads.requests("train", items, 1000):
            caller.call(request)
        with bare(len(records[0]), caller.reply(records[0])) as yardstick:
            for _ in range(repeat):
                if case.call == "train":
                    caller.call(workloads.request("clear"))
                runs.append([load(port, at / "requests", case.connections, total) for port in (ours.port, yardstick)])
    mine, theirs = ([pair[side]["rps"] for pair in runs] for side in (0, 1))
    return [
        f"{case.call} {case.method}, {case.size} {case.converter}, c {case.connections}",
        spread([case.size * rps for rps in mine]),
        spread([pair[0]["p50_us"] / 1000 for pair in runs], 3),
        spread([pair[0]["p99_us"] / 1000 for pair in runs], 3),
        spread([case.size * rps for rps in theirs]),
        spread([pair[1]["p99_us"] / 1000 for pair in runs], 3),
        ratio(mine, theirs),
    ]


def main(repeat: int, scale: float) -> None:
    """Print the table."""
    header = ["work", "items/s", "p50 ms", "p99 ms", "bare items/s", "bare p99 ms", "ours / bare"]
    title = "Over RPC (c: connections, one request in flight on each)"
    table(title, header, (measure(case, repeat, scale) for case in CASES))
