"""Memory of 1,000,000 features with a cell for each of two labels, and the time to save and load them."""

import time

import psutil

from bench import workloads
from bench.process import Caller, folder, free_port, server
from bench.report import spread, table
from bench.services.classifier import config, requests
from bench.workloads import SPACE_BIN

FEATURES = 1_000_000
PER_MESSAGE = 100


def main(repeat: int, scale: float) -> None:
    """Print the table.

    Each message has 100 words that no other has. Under PA it scores 0 for both labels, so that it changes the weight of
    each word for its own label and for the other: two cells a feature.
    """
    features = int(FEATURES * scale)
    items: list[workloads.Item] = [
        (f"label{number % 2}", " ".join([f"w{number * PER_MESSAGE + word:07}" for word in range(PER_MESSAGE)]))
        for number in range(-(-features // PER_MESSAGE))
    ]
    results = [measure(items) for _ in range(repeat)]
    names = ("resident MB gained", "file MB", "save s", "load s", "resident MB gained by load")
    rows = [[name, spread(values, 2)] for name, values in zip(names, zip(*results, strict=True), strict=True)]
    table(f"{features:,} features with 2 cells each", ["what", "median (range)"], rows)


def measure(items: list[workloads.Item]) -> tuple[float, ...]:
    """Train one server and save; load in a new process on the same port, to which the file belongs."""
    chosen, port = config("PA", SPACE_BIN), free_port()
    with folder() as at:
        with server(chosen, at, port) as ours, Caller(port) as caller:
            before = resident(ours.pid)
            # The other label must be known before the first message, or that one makes only one cell a word.
            caller.call(workloads.request("set_label", "label1"))
            for request in requests("train", items, 100):
                caller.call(request)
            gained = resident(ours.pid) - before
            start = time.perf_counter()
            (path,) = caller.call(workloads.request("save", "memory")).values()
            saved = time.perf_counter() - start
        size = (at / path).stat().st_size / 1e6
        with server(chosen, at, port) as ours, Caller(port) as caller:
            before = resident(ours.pid)
            start = time.perf_counter()
            caller.call(workloads.request("load", "memory"))
            loaded = time.perf_counter() - start
            return gained, size, saved, loaded, resident(ours.pid) - before


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    rss: int = psutil.Process(pid).memory_info().rss
    return rss / 1e6
