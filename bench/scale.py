"""nearest_neighbor by the number of rows, beside hnswlib and faiss: memory, rows added, queries and recall.

Rows are 50 normally distributed numbers around one of some centres. All find the ten nearest of 200 other vectors, by
angle for ``lsh`` and by distance for all else. Recall is the share of the true ten, which an exact search finds.
"""

import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import psutil

from bench.process import Caller, Server, folder, load, server
from bench.report import spread, table
from bench.workloads import SEED, request, write
from jubatus import embedded
from jubatus.common import Datum

ROWS = (1_000, 10_000, 100_000, 1_000_000)
NUMBERS = 50
CENTRES = 1_000
QUERIES = 200
NEAREST = 10
CONNECTIONS = 8
METHODS = (("lsh", 64), ("euclid_lsh", 64), ("euclid_lsh", 512))
HNSW_MOST = 100_000
"""Rows up to which hnswlib is measured: it takes minutes to build its graph of a million."""


@cache
def vectors(count: int, seed: int) -> np.ndarray:
    """Return vectors, one a row."""
    centres = np.random.default_rng(SEED).normal(size=(CENTRES, NUMBERS))
    random = np.random.default_rng(seed)
    return centres[random.integers(CENTRES, size=count)] + random.normal(scale=0.7, size=(count, NUMBERS))


def requests(method: str, rows: np.ndarray, more: Callable[[int], Any]) -> Iterator[bytes]:
    """Yield packed calls with an id or a count, and a datum; all have the same length."""
    names = [f"x{j:02}" for j in range(NUMBERS)]
    marked = [[[], [[name, 0.5] for name in names], []]]
    for i, row in enumerate(rows):
        extra = more(i)
        packed = request(method, extra, *marked) if isinstance(extra, str) else request(method, *marked, extra)
        pieces = packed.split(struct.pack(">Bd", 0xCB, 0.5))
        numbers = [struct.pack(">Bd", 0xCB, x) for x in row.tolist()] + [b""]
        yield b"".join(piece for pair in zip(pieces, numbers, strict=True) for piece in pair)


@dataclass
class Measured:
    """What is measured of one kind and size."""

    bytes_a_row: float
    added: float  # a second
    asked: float  # a second
    p99_ms: float
    recall: float

    def cells(self) -> list[str]:
        """Return the cells of a table."""
        p99 = f"{self.p99_ms:.3f}" if self.p99_ms == self.p99_ms else ""
        return [f"{self.bytes_a_row:,.0f}", f"{self.added:,.0f}", f"{self.asked:,.0f}", p99, f"{self.recall:.2f}"]


@cache
def truth(rows: int, by_angle: bool) -> list[set[int]]:
    """Return the true nearest rows of each query."""
    data, asked = vectors(rows, 1), vectors(QUERIES, 2)
    if by_angle:
        unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (data, asked)]
        far = -unit[1] @ unit[0].T
    else:
        far = (data**2).sum(axis=1)[None, :] - 2 * asked @ data.T
    return [set(row.tolist()) for row in np.argpartition(far, NEAREST, axis=1)[:, :NEAREST]]


def recall(found: list[list[int]], true: list[set[int]]) -> float:
    """Return the share of the true neighbours that were found."""
    return sum(len(set(each) & wanted) for each, wanted in zip(found, true, strict=True)) / (len(true) * NEAREST)


def ours(method: str, bits: int, rows: int) -> Measured:
    """Measure a server: rows one a request, then queries."""
    config = {
        "method": method,
        "parameter": {"hash_num": bits},
        "converter": {"num_rules": [{"key": "*", "type": "num"}]},
    }
    with folder() as at, server(config, at, service="nearest_neighbor") as process:
        before = resident(process)
        write(at / "rows", requests("set_row", vectors(rows, 1), lambda i: f"row{i:07}"))
        added = load(process.port, at / "rows", CONNECTIONS, rows)["rps"]
        memory = (resident(process) - before) / rows
        asking = list(requests("neighbor_row_from_datum", vectors(QUERIES, 2), lambda _: NEAREST))
        write(at / "queries", iter(asking))
        done = load(process.port, at / "queries", CONNECTIONS, max(QUERIES, min(20_000, 20_000_000 // rows)))
        with Caller(process.port) as caller:
            found = [[int(id[3:]) for id, _ in caller.call(packed)] for packed in asking]
        return Measured(memory, added, done["rps"], done["p99_us"] / 1000, recall(found, truth(rows, method == "lsh")))


def resident(process: Server) -> float:
    """Return the bytes of memory of a server."""
    rss: int = psutil.Process(process.pid).memory_info().rss
    return rss


def library(
    make: Callable[[], tuple[Callable[[np.ndarray], None], Callable[[np.ndarray], np.ndarray]]], rows: int
) -> Measured:
    """Measure an index in this process, with one thread: all rows at once, then the queries one by one."""
    data, asked = vectors(rows, 1).astype("float32"), vectors(QUERIES, 2).astype("float32")
    own = psutil.Process()
    before = own.memory_info().rss
    add, find = make()
    start = time.perf_counter()
    add(data)
    added = rows / (time.perf_counter() - start)
    memory = (own.memory_info().rss - before) / rows
    times, found = [], []
    for query in asked:
        start = time.perf_counter()
        found.append(find(query[None, :])[0].tolist())
        times.append(time.perf_counter() - start)
    p99 = float(np.percentile(times, 99)) * 1000
    return Measured(memory, added, QUERIES / sum(times), p99, recall(found, truth(rows, False)))


def hnsw(rows: int) -> Any:
    """Make an hnswlib index with its usual parameters."""
    import hnswlib

    index = hnswlib.Index(space="l2", dim=NUMBERS)
    index.init_index(max_elements=rows, M=16, ef_construction=200)
    index.set_ef(50)
    index.set_num_threads(1)
    return index.add_items, lambda query: index.knn_query(query, k=NEAREST)[0]


def faiss_index(bits: int = 0) -> Any:
    """Make a faiss index: exact, or with hashes of some bits."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexLSH(NUMBERS, bits) if bits else faiss.IndexFlatL2(NUMBERS)
    return index.add, lambda query: index.search(query, NEAREST)[1]


def held_up(rows: int) -> tuple[float, float]:
    """Return median and longest milliseconds of a short request while another connection searches all the time."""
    config = {"method": "lsh", "parameter": {"hash_num": 64}, "converter": {"num_rules": [{"key": "*", "type": "num"}]}}
    with folder() as at, server(config, at, service="nearest_neighbor") as process:
        write(at / "rows", requests("set_row", vectors(rows, 1), lambda i: f"row{i:07}"))
        load(process.port, at / "rows", CONNECTIONS, rows)
        asking = list(requests("neighbor_row_from_datum", vectors(QUERIES, 2), lambda _: NEAREST))
        write(at / "queries", iter(asking))
        row = next(requests("set_row", vectors(1, 3), lambda _: "row0000000"))
        waits = []
        with Caller(process.port) as caller:  # not before: a server ends connections that are idle
            searching = threading.Thread(target=load, args=(process.port, at / "queries", 1, 3_000))
            searching.start()
            while searching.is_alive():
                start = time.perf_counter()
                caller.call(row)
                waits.append((time.perf_counter() - start) * 1000)
                time.sleep(0.001)
            searching.join()
        return float(np.median(waits)), max(waits)


def scanned(rows: int, repeat: int) -> list[tuple[float, float]]:
    """Return the milliseconds of a search in process, and of a copy of as many words of 64 bits, in turn."""
    config = {"method": "lsh", "parameter": {"hash_num": 64}, "converter": {"num_rules": [{"key": "*", "type": "num"}]}}
    names = [f"x{j:02}" for j in range(NUMBERS)]
    query = Datum(dict(zip(names, vectors(1, 2)[0].tolist(), strict=True)))
    with embedded.NearestNeighbor(config) as model:
        for i, row in enumerate(vectors(rows, 1).tolist()):
            model.set_row(f"row{i:07}", Datum(dict(zip(names, row, strict=True))))
        column, copy = np.arange(rows, dtype=np.uint64), np.zeros(rows, dtype=np.uint64)

        def timed(work: Callable[[], object]) -> float:
            start = time.perf_counter()
            work()
            return (time.perf_counter() - start) * 1000

        return [
            (timed(lambda: model.neighbor_row_from_datum(query, NEAREST)), timed(lambda: np.copyto(copy, column)))
            for _ in range(10 * repeat)
        ]


def main(repeat: int, scale: float) -> None:
    """Print the tables."""
    sizes = [int(rows * scale) for rows in ROWS]
    header = ["index", "rows", "bytes a row", "rows added/s", "queries/s", "p99 ms", "recall@10"]
    others = {
        "faiss flat": lambda _: faiss_index(),
        "faiss LSH 64": lambda _: faiss_index(64),
        "faiss LSH 512": lambda _: faiss_index(512),
    }

    def lines() -> Iterator[list[str]]:
        for rows in sizes:
            for method, bits in METHODS:
                yield [f"{method} {bits}, server, c {CONNECTIONS}", f"{rows:,}", *ours(method, bits, rows).cells()]
            for name, make in others.items():
                yield [
                    f"{name}, in process",
                    f"{rows:,}",
                    *library(lambda make=make, rows=rows: make(rows), rows).cells(),
                ]
            if rows <= HNSW_MOST:
                yield [
                    "hnswlib M 16 ef 50, in process",
                    f"{rows:,}",
                    *library(lambda rows=rows: hnsw(rows), rows).cells(),
                ]

    table(f"Rows of {NUMBERS} numbers, the {NEAREST} nearest of {QUERIES} vectors", header, lines())
    runs = scanned(sizes[-1], repeat)
    table(
        f"A search of {sizes[-1]:,} rows of 64 bits with one thread in process, and a copy of as many bytes",
        ["search ms", "copy ms", "search / copy"],
        [[spread([a for a, _ in runs], 3), spread([b for _, b in runs], 3), spread([a / b for a, b in runs], 2)]],
    )
    waits = [held_up(sizes[-1]) for _ in range(repeat)]
    table(
        f"A set_row, while another connection searches {sizes[-1]:,} rows one after the other",
        ["median ms", "longest ms"],
        [[spread([wait[0] for wait in waits], 3), spread([wait[1] for wait in waits], 2)]],
    )
