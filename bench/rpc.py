"""Requests a second over loopback TCP, each figure beside the bare server under the same load."""

from collections.abc import Sequence

from bench import workloads
from bench.process import Caller, bare, folder, load, server
from bench.report import ratio, spread, table
from bench.services import modules
from bench.workloads import Load


def measure(service: str, case: Load, repeat: int, scale: float) -> list[str]:
    """Return a row: ours and the bare server in turn; training starts from nothing, all else from what was taught."""
    records = list(case.requests(""))
    total = max(1, int(case.total * scale))
    runs = []
    with folder() as at, server(case.config, at, service=service) as ours, Caller(ours.port) as caller:
        workloads.write(at / "requests", records)
        for request in case.teaching():
            caller.call(request)
        with bare(len(records[0]), caller.reply(records[0])) as yardstick:
            for _ in range(repeat):
                if case.fresh:
                    caller.call(workloads.request("clear"))
                runs.append([load(port, at / "requests", case.connections, total) for port in (ours.port, yardstick)])
    mine, theirs = ([pair[side]["rps"] for pair in runs] for side in (0, 1))
    return [
        case.work,
        spread([case.size * rps for rps in mine]),
        spread([pair[0]["p50_us"] / 1000 for pair in runs], 3),
        spread([pair[0]["p99_us"] / 1000 for pair in runs], 3),
        spread([case.size * rps for rps in theirs]),
        spread([pair[1]["p99_us"] / 1000 for pair in runs], 3),
        ratio(mine, theirs),
    ]


def main(repeat: int, scale: float, services: Sequence[str]) -> None:
    """Print the table."""
    header = ["work", "items/s", "p50 ms", "p99 ms", "bare items/s", "bare p99 ms", "ours / bare"]
    title = "Over RPC (c: connections, one request in flight on each)"
    cases = ((name, case) for name, module in modules(services) for case in module.RPC)
    table(title, header, (measure(name, case, repeat, scale) for name, case in cases))
