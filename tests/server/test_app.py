import signal
import threading
import time
from typing import Any

import psutil
import pytest

from tests.conftest import Peer, Running, Start, packed, wait_for

CONFIG: dict[str, Any] = {"converter": {}}
WORDS = {"converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "bin"}]}}


def test_a_server_listens_soon(server: Start) -> None:
    start = time.monotonic()
    server("weight", CONFIG)
    assert time.monotonic() - start < 1  # half of it on a machine that does nothing else


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(server: Start, number: signal.Signals) -> None:
    running = server("weight", CONFIG)
    with running.peer() as peer:
        peer.result("get_config")
        assert running.stop(number) == 0
        assert peer.at_end()
    assert f"caught {number.name}" in running.output()


def bulk(peer: Peer, words: int) -> None:
    """Send an update that runs on a thread for about a second per ten million words."""
    peer.send(packed([0, 77, "update", ["", [[["k", " ".join(map(str, range(words)))]], [], []]]]))


def test_a_running_request_is_answered_before_the_end(server: Start) -> None:
    running = server("weight", WORDS)
    with running.peer() as peer:
        bulk(peer, 1_000_000)
        time.sleep(0.1)
        running.proc.send_signal(signal.SIGTERM)
        assert peer.reply()[:3] == [1, 77, None]
        assert peer.at_end()
    assert running.stop() == 0


def test_a_second_signal_ends_it_at_once(server: Start) -> None:
    running = server("weight", WORDS)
    with running.peer() as peer:
        bulk(peer, 4_000_000)
        time.sleep(0.5)
        running.proc.send_signal(signal.SIGTERM)
        wait_for(lambda: "caught SIGTERM" in running.output())
        start = time.monotonic()
        assert running.stop() in (0, 1)
        assert time.monotonic() - start < 1


def test_a_signal_right_after_the_port_is_open_ends_it_in_order(server: Start) -> None:
    for _ in range(3):
        assert server("weight", CONFIG).stop() == 0


def test_hangup_does_not_end_it(server: Start) -> None:
    running = server("weight", CONFIG)
    running.proc.send_signal(signal.SIGHUP)
    with running.peer() as peer:
        peer.result("get_config")
    assert running.stop() == 0


def test_descriptors_may_be_as_many_as_the_system_lets(server: Start) -> None:
    running: Running = server("weight", CONFIG)
    soft, hard = psutil.Process(running.proc.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard


def test_status_is_answered_while_a_request_runs_long(server: Start) -> None:
    running = server("weight", WORDS)
    with running.peer() as busy, running.peer() as peer:
        peer.status()
        bulk(busy, 1_000_000)
        times = []
        done = threading.Event()

        def wait_for_reply() -> None:
            assert busy.reply()[2] is None
            done.set()

        waiter = threading.Thread(target=wait_for_reply)
        waiter.start()
        while not done.is_set():
            start = time.monotonic()
            peer.status()
            times.append(time.monotonic() - start)
            time.sleep(0.005)
        waiter.join()
    assert len(times) > 10
    assert sorted(times)[len(times) // 2] < 0.01
