"""Programs of a cluster end in time, whatever others do: a visor kills servers after 9 seconds, jubactl waits for 10."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import BIN, PATIENCE, Running, wait_for
from tests.system.cluster import Cluster, classify, cluster, tool, train
from tests.system.test_faults import CONFIG
from tests.zookeeper import ZooKeeper

SOON = 9.0
OPTIONS = ("-I", "15", "-Z", "15")
"""Longer than a stop may take."""


@pytest.fixture
def made(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "classifier", CONFIG) as started:
        yield started


def test_a_server_ends_beside_one_that_hangs(made: Cluster) -> None:
    first, second = (made.server(*OPTIONS) for _ in range(2))
    with first.peer() as peer:
        assert train(peer, "label", "word") == (None, 1)
    second.proc.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        assert first.stop() == 0
        assert time.monotonic() - begin < SOON
    finally:
        second.proc.send_signal(signal.SIGCONT)


def test_all_end_while_zookeeper_hangs(zookeeper: ZooKeeper, made: Cluster) -> None:
    made.server(*OPTIONS)
    keeper = made.keeper(*OPTIONS)
    folder = made.folder / "visor"
    folder.mkdir()
    visor = Running(
        [BIN / "jubavisor", "-z", zookeeper.hosts, "-b", "127.0.0.70", "-l", folder], folder, 9198, "127.0.0.70"
    )
    made.started.append(visor)
    where = ("-z", zookeeper.hosts, "-s", "jubaclassifier", "-t", "classifier", "-n", made.name)
    assert tool("jubactl", "-c", "start", *where, "-D", folder, "-Z", "15").returncode == 0
    child = folder / "jubaclassifier.127.0.0.70_9199.out"
    wait_for(lambda: child.exists() and "So I become active" in child.read_text())
    with keeper.peer() as peer:
        for _ in range(10):
            assert train(peer, "label", "word", made.name) == (None, 1)
        zookeeper.pause()
        took: dict[int, float] = {}

        def stop(running: Running) -> None:
            begin = time.monotonic()
            if running.stop() == 0:
                took[running.port] = time.monotonic() - begin

        threads = [threading.Thread(target=stop, args=(running,)) for running in made.started]
        try:
            assert classify(peer, "word", made.name)[0] is None
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
        finally:
            zookeeper.resume()
    assert sorted(took) == sorted(running.port for running in made.started)
    assert max(took.values()) < SOON + 1, took
    assert "kill it" not in visor.output()
