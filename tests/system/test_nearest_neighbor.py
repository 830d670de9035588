"""The example of nearest_neighbor, searches of a large table, and rows of a cluster, by linear MIX and by push."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Start, wait_for
from tests.contract.programs import NEVER
from tests.services.nearest_neighbor import config
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/nearest_neighbor"
PAGE = Path(__file__).parent.parent.parent / "docs/services/nearest_neighbor.md"
MOST_BITS = 1 << 20


def mails(*options: str) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "mails.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start) -> None:
    printed = mails()
    assert printed in PAGE.read_text()
    running = server("nearest_neighbor", (EXAMPLE / "config.json").read_text())
    assert mails("--server", f"127.0.0.1:{running.port}") == printed


def datum(number: float) -> list[object]:
    return [[], [["k", number], ["l", 1.0]], []]


def test_a_search_of_many_words_answers_as_one_of_few(server: Start) -> None:
    """The first rows are searched on the event loop, the others on threads."""
    with server("nearest_neighbor", config("lsh", MOST_BITS)).peer() as peer:
        found = {}
        for number in range(1, 9):
            assert peer.result("set_row", f"r{number}", datum(number)) is True
            found[number] = peer.result("neighbor_row_from_datum", datum(1), 3)
        assert all(rows[0] == [b"r1", 0.0] for rows in found.values())
        assert found[3] == found[8]
        assert peer.result("get_all_rows") == [b"r%d" % number for number in range(1, 9)]


@pytest.mark.parametrize("mixer", ["linear_mixer", "broadcast_mixer", "random_mixer", "skip_mixer"])
def test_rows_of_a_cluster_come_to_all_servers(mixer: str, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "nearest_neighbor", config("euclid_lsh", 64)) as made:
        servers = [made.server(*NEVER, "-x", mixer) for _ in range(2)]
        peers = [running.peer() for running in servers]
        with made.keeper().peer() as front:
            for number in range(20):
                error, result = front.call("set_row", f"r{number}", datum(number), name=made.name)
                assert (error, result) == (None, True)
        held = [set(peer.result("get_all_rows")) for peer in peers]
        assert all(held) and not held[0] & held[1] and len(held[0] | held[1]) == 20
        assert peers[0].result("do_mix") is True
        wait_for(lambda: all(len(peer.result("get_all_rows")) == 20 for peer in peers))
        answers = [peer.result("similar_row_from_datum", datum(7), 5) for peer in peers]
        assert sorted(answers[0]) == sorted(answers[1])
        assert peers[0].result("clear") is True
        assert peers[0].result("set_row", "r100", datum(3)) is True  # though its clock was ahead of that before
        assert peers[0].result("do_mix") is True
        wait_for(lambda: b"r100" in peers[1].result("get_all_rows"))
        for peer in peers:
            peer.close()


def test_a_server_that_joins_gets_all_rows(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "nearest_neighbor", config("lsh", 64)) as made:
        with made.server(*NEVER).peer() as first:
            for number in range(10):
                first.result("set_row", f"r{number}", datum(number))
            assert first.result("do_mix") is True
            with made.server(*NEVER).peer() as second:
                assert second.result("get_all_rows") == first.result("get_all_rows")
                second.result("set_row", "r3", datum(-3))
                assert second.result("do_mix") is True
                assert first.result("neighbor_row_from_datum", datum(-3), 1) == [[b"r3", 0.0]]
