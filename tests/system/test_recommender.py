"""The example of recommender, and rows of a cluster: each on up to two servers, found by all after a MIX."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Start, wait_for
from tests.contract.programs import NEVER
from tests.golden.test_cluster import owners
from tests.services.recommender import PARAMETERS, config_of
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/recommender"
PAGE = Path(__file__).parent.parent.parent / "docs/services/recommender.md"
NUM = {"num_rules": [{"key": "*", "type": "num"}]}


def films(*options: str) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "films.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start) -> None:
    printed = films()
    assert printed in PAGE.read_text()
    running = server("recommender", (EXAMPLE / "config.json").read_text())
    assert films("--server", f"127.0.0.1:{running.port}") == printed


def datum(number: float) -> list[object]:
    return [[], [["k", number], ["l", 1.0]], []]


@pytest.mark.parametrize("method", PARAMETERS)
def test_rows_of_a_cluster_are_on_two_servers_and_found_by_all(
    method: str, zookeeper: ZooKeeper, tmp_path: Path
) -> None:
    ids = [f"r{number}" for number in range(20)]
    with cluster(zookeeper.hosts, tmp_path, "recommender", config_of(method, converter=NUM)) as made:
        servers = [made.server(*NEVER) for _ in range(3)]
        peers = [running.peer() for running in servers]
        with made.keeper().peer() as front:

            def ask(what: str, *args: object) -> Any:
                error, result = front.call(what, *args, name=made.name)
                assert error is None, (what, args, error)
                return result

            for number, id in enumerate(ids):
                assert ask("update_row", id, datum(number + 1.0)) is True
            held = [set(peer.result("get_all_rows")) for peer in peers]
            named = owners([running.port for running in servers], ids)
            for id, its in zip(ids, named, strict=True):
                assert [id.encode() in each for each in held] == [server in its for server in range(3)]
                assert len(set(its)) in (1, 2)  # the ring may name one server twice
                given = [peer.result("decode_row", id) for peer in peers]
                assert [bool(each[1]) for each in given] == [server in its for server in range(3)]

            assert peers[0].result("do_mix") is True
            wait_for(lambda: all(len(peer.result("get_all_rows")) == 20 for peer in peers))
            for id, its in zip(ids, named, strict=True):
                found = ask("similar_row_from_id", id, 20)
                assert id.encode() in [name for name, _ in found]
                third = ({0, 1, 2} - set(its)).pop()
                by_datum = [
                    name for name, _ in peers[third].result("similar_row_from_datum", datum(1.0 + ids.index(id)), 20)
                ]
                assert id.encode() in by_datum  # though the server was not told the row
                assert peers[third].result("decode_row", id) == [[], [], []]
                assert ask("decode_row", id)[1] == [[b"k", 1.0 + ids.index(id)], [b"l", 1.0]]

            assert ask("clear_row", "r3") is True
            assert ask("decode_row", "r3") == [[], [], []]
            its = named[3]
            for server in its:
                found = peers[server].result("similar_row_from_datum", datum(4.0), 20)
                assert b"r3" not in [name for name, _ in found]
            if method == "nearest_neighbor_recommender":  # tells nobody of removals
                assert all((b"r3" in peer.result("get_all_rows")) == (i not in its) for i, peer in enumerate(peers))
            else:
                assert peers[0].result("do_mix") is True
                wait_for(lambda: all(b"r3" not in peer.result("get_all_rows") for peer in peers))
                assert all(len(peer.result("get_all_rows")) == 19 for peer in peers)
        for peer in peers:
            peer.close()


def test_a_server_that_joins_gets_all_rows(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "recommender", config_of("inverted_index", converter=NUM)) as made:
        with made.server(*NEVER).peer() as first:
            for number in range(10):
                first.result("update_row", f"r{number}", datum(number))
            assert first.result("do_mix") is True
            with made.server(*NEVER).peer() as second:
                assert sorted(second.result("get_all_rows")) == sorted(first.result("get_all_rows"))
                query = datum(3.0)
                assert second.result("similar_row_from_datum", query, 5) == first.result(
                    "similar_row_from_datum", query, 5
                )
                second.result("update_row", "r3", datum(-3))
                assert second.result("do_mix") is True
                found = first.result("similar_row_from_datum", datum(-3), 1)
                assert found == [[b"r3", pytest.approx(1.0)]]
