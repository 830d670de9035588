"""While long requests run, the server answers the short ones that need not wait for them at once."""

import itertools
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from typing import Any

from jubatus._core.wire import FrameSplitter
from tests.conftest import Peer, Start, packed

PROMISE = 0.01
"""Seconds within which a status is answered. Other programs on a test machine cost more than that now and then, so nine
of ten are held to it."""

CONFIG: dict[str, Any] = {
    "method": "PA",
    "parameter": {},
    "converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}]},
}
MESSAGES = 100_000


def bulk(method: str, *, labels: bool) -> bytes:
    """Return a request with many messages of 100 words; a thousand are different."""
    source = random.Random(3)
    vocabulary = [f"w{number}" for number in range(20_000)]
    different = []
    for number in range(1000):
        datum = [[["text", " ".join(source.choices(vocabulary, k=100))]], [], []]
        different.append(packed([f"label {number % 20}", datum] if labels else datum))
    head = packed([0, 1, method, [""]])
    assert head.endswith(b"\x91\xa0")
    return head[:-2] + b"\x92\xa0\xdd" + MESSAGES.to_bytes(4) + b"".join(different) * (MESSAGES // 1000)


@contextmanager
def polled(port: int) -> Iterator[list[float]]:
    """Ask for the status all the time and give the seconds that each answer took."""
    times: list[float] = []
    end = threading.Event()

    def poll() -> None:
        with Peer(port) as peer:
            while not end.is_set():
                start = time.perf_counter()
                peer.status()
                times.append(time.perf_counter() - start)
                time.sleep(0.001)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield times
    finally:
        end.set()
        thread.join()


def kept(times: list[float]) -> bool:
    return len(times) > 10 and sorted(times)[len(times) * 9 // 10] < PROMISE


def test_status_during_bulk_requests(server: Start) -> None:
    running = server("classifier", CONFIG, "-t", "0")
    train, classify = bulk("train", labels=True), bulk("classify", labels=False)
    with running.peer() as busy:
        for request in (train, classify):
            with polled(running.port) as times:
                busy.send(request)
                replies = FrameSplitter(responses=True)
                while not (frames := replies.feed(busy.socket.recv(1 << 20))):
                    pass
            assert [frame.error for frame in frames] == [None]
            assert kept(times), (len(times), max(times))
    with running.peer() as peer:
        assert sum(peer.result("get_labels").values()) == MESSAGES


def test_status_during_save_and_load(server: Start) -> None:
    running = server("classifier", CONFIG, "-t", "0")
    words = map(str, itertools.count())
    data = [["ab"[number % 2], [[["t", " ".join(itertools.islice(words, 100))]], [], []]] for number in range(3000)]
    with running.peer() as busy:
        busy.result("train", data)
        with polled(running.port) as times:
            for _ in range(2):
                busy.result("save", "m")
                busy.result("load", "m")
            busy.result("clear")
        assert kept(times), (len(times), max(times))


def test_hostile_values_hold_up_no_status_and_no_end(server: Start) -> None:
    """Values for which an expression takes as long as it may, which is longer than any other of their length."""
    converter = {
        **CONFIG["converter"],
        "string_filter_types": {"f": {"method": "regexp", "pattern": "(?i)<[^>]*>", "replace": ""}},
        "string_filter_rules": [{"key": "*", "type": "f", "suffix": "-f"}],
    }
    running = server("classifier", {**CONFIG, "converter": converter}, "-t", "0")
    with running.peer() as busy, running.peer() as other:
        for size, number in ((3_000, 1), (100_000, 2), (1_000_000, 3)):
            request = packed([0, number, "train", ["", [["spam", [[["text", "<" * size]], [], []]]]]])
            busy.send(request)
            asked = 0
            while not select([busy.socket], [], [], 0)[0]:
                other.status()
                asked += 1
            if size == 1_000_000:
                assert asked > 3
            _, _, error, _ = busy.reply()
            if size > 3_000:
                assert b"string_filter_rules[0]: the pattern (?i)<[^>]*> takes more than" in error
        for _ in range(2):
            busy.send(request)
        other.status()
    assert running.stop() == 0
