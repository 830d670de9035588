"""What a journal costs: training beside a server without one, and how long a snapshot holds up updates."""

import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil

from bench import workloads
from bench.process import Caller, Server, folder, load, server
from bench.report import ratio, spread, table
from bench.services.classifier import RPC
from bench.workloads import NUM, Load, request

FEATURES = 1_000_000
SNAPSHOTS = 5
CASES = [case for case in RPC if case.work in ("train PA, 1 msg, c 16", "train PA, 1 num, c 16")]
KINDS = {"none": (), "everysec": ("everysec",), "always": ("always",)}


def append(path: Path, size: int, seconds: float = 1.0) -> float:
    """Return how many times a second so many bytes can be appended to a file and brought to the disk."""
    record, count, start = os.urandom(size), 0, time.perf_counter()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while time.perf_counter() - start < seconds:
        os.write(descriptor, record)
        os.fdatasync(descriptor)
        count += 1
    os.close(descriptor)
    return count / (time.perf_counter() - start)


def used(running: Server) -> float:
    """Return the seconds of processor time that a server has used."""
    times = psutil.Process(running.pid).cpu_times()
    return float(times.user + times.system)


def measure(case: Load, repeat: int, scale: float) -> Iterator[list[str]]:
    """Yield a row for each kind of journal; all are measured in turn."""
    records = list(case.requests(""))
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    bare = []
    with ExitStack() as stack:
        at = stack.enter_context(folder())
        workloads.write(at / "requests", records)
        servers = {}
        for kind, sync in KINDS.items():
            (at / kind).mkdir()
            options = ("--journal", str(at / kind / "journal"), "--journal_sync", *sync) if sync else ()
            servers[kind] = stack.enter_context(server(case.config, at / kind, options=options))
        for _ in range(repeat):
            bare.append(append(at / "bare", len(records[0])))
            for kind, ours in servers.items():
                total = max(1, int(case.total * scale * (0.1 if kind == "always" else 1)))
                with Caller(ours.port) as caller:
                    caller.call(request("clear"))
                before = used(ours)
                found = load(ours.port, at / "requests", case.connections, total)
                runs[kind].append({**found, "cpu": 1e6 * (used(ours) - before) / total})
    for kind, mine in runs.items():
        yield [
            case.work,
            kind,
            spread([each["rps"] for each in mine]),
            spread([each["p50_us"] / 1000 for each in mine], 3),
            spread([each["p99_us"] / 1000 for each in mine], 3),
            spread([each["cpu"] for each in mine], 1),
            ratio([each["rps"] for each in mine], [each["rps"] for each in runs["none"]]),
            spread(bare),
        ]


def pauses(repeat: int, scale: float) -> list[str]:
    """Return a row: how long single updates took while snapshots were written, and while none was."""
    features = max(1000, int(FEATURES * scale))
    config = {"method": "PA", "converter": NUM}
    with folder() as at:
        options = ("--journal", str(at / "journal"), "--snapshot_interval", "0", "--snapshot_updates", "0")
        with server(config, at, options=options) as ours, Caller(ours.port) as caller:
            for first in range(0, features, 1000):
                datum = [[], [[f"feature{i}", 1.0] for i in range(first, first + 1000)], []]
                caller.call(request("train", [[f"label{first // 1000 % 2}", datum]]))
            resident = psutil.Process(ours.pid).memory_info().rss / 1e6
            with_one, without, took, stopped = [], [], [], []
            for _ in range(repeat * SNAPSHOTS):
                without.append(longest(ours, at, False)[0])
                pause, seconds = longest(ours, at, True)
                with_one.append(pause)
                took.append(seconds)
                time.sleep(0.1)  # the file is there a moment before the status tells of it
                (status,) = caller.call(request("get_status")).values()
                stopped.append(float(status["last_snapshot_pause_ms"]))
    return [
        f"{features:,}",
        f"{resident:,.0f}",
        spread(stopped, 1),
        spread(without, 2),
        spread(with_one, 2),
        f"{statistics.median(took):.2f}",
    ]


def longest(ours: Server, at: Path, snapshot: bool) -> tuple[float, float]:
    """Train one by one for a while; return the milliseconds of the longest call, and the seconds of a snapshot."""
    journal = at / "journal"
    before = set(journal.glob("snapshot-*"))
    packed = [request("train", [["label0", [[], [[f"feature{i}", 1.0]], []]]]) for i in range(100)]
    slowest, ended = 0.0, 0.0
    written = threading.Event()

    def watch() -> None:
        nonlocal ended
        while not set(journal.glob("snapshot-*")) - before:
            time.sleep(0.005)
        ended = time.perf_counter()
        written.set()

    with Caller(ours.port) as caller:
        for each in packed:
            caller.call(each)
        start = time.perf_counter()
        if snapshot:
            threading.Thread(target=watch).start()
            os.kill(ours.pid, signal.SIGUSR2)
        while not written.is_set() and (snapshot or time.perf_counter() - start < 1):
            for each in packed:
                sent = time.perf_counter()
                caller.call(each)
                slowest = max(slowest, time.perf_counter() - sent)
    return 1000 * slowest, ended - start


def main(repeat: int, scale: float) -> None:
    """Print the tables."""
    header = ["work", "journal", "items/s", "p50 ms", "p99 ms", "CPU us an item", "to none", "bare append and sync /s"]
    rows = (row for case in CASES for row in measure(case, repeat, scale))
    table("Journal (c: connections, one request in flight on each)", header, rows)
    header = [
        "features",
        "resident MB",
        "updates stop, ms",
        "longest update, ms",
        "with a snapshot, ms",
        "a snapshot takes, s",
    ]
    table("A snapshot while one client trains", header, [pauses(repeat, scale)])
