"""The example of recommender; a cluster: rows on up to two servers each, and what a MIX tells the others."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Start
from tests.contract.programs import NEVER
from tests.services.recommender import PARAMETERS, config_of
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/recommender"
PAGE = Path(__file__).parent.parent.parent / "docs/services/recommender.md"
CONVERTER = {"num_rules": [{"key": "*", "type": "num"}]}
ROWS = [f"row{number}" for number in range(20)]
EMPTY = [[], [], []]


def films(*options: str) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "films.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def datum(number: int) -> list[Any]:
    return [[], [["k", float(number + 1)], ["l", 1.0]], []]


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start) -> None:
    printed = films()
    assert printed in PAGE.read_text()
    running = server("recommender", (EXAMPLE / "config.json").read_text())
    assert films("--server", f"127.0.0.1:{running.port}") == printed
    with running.peer() as peer:
        assert peer.status()["update_row_cnt"] == "300"


@pytest.mark.parametrize("method", PARAMETERS)
def test_rows_of_a_cluster(method: str, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "recommender", config_of(method, converter=CONVERTER)) as made:
        with ExitStack() as stack:
            peers = [stack.enter_context(made.server(*NEVER).peer()) for _ in range(3)]
            front = stack.enter_context(made.keeper().peer())
            for number, row in enumerate(ROWS):
                assert front.call("update_row", row, datum(number), name=made.name) == (None, True)
            told = {row: [peer for peer in peers if peer.result("decode_row", row) != EMPTY] for row in ROWS}
            assert {len(owners) for owners in told.values()} <= {1, 2}  # the ring may name one server twice
            assert all(any(peer in owners for owners in told.values()) for peer in peers)
            assert peers[0].result("do_mix") is True
            assert all(sorted(peer.result("get_all_rows")) == sorted(map(str.encode, ROWS)) for peer in peers)
            assert all(peer.result("similar_row_from_datum", datum(3), 20) for peer in peers)
            error, decoded = front.call("decode_row", ROWS[3], name=made.name)
            assert (error, decoded[1]) == (None, [[b"k", 4.0], [b"l", 1.0]])
            error, found = front.call("similar_row_from_id", ROWS[3], 20, name=made.name)
            assert error is None and ROWS[3].encode() in [id for id, _ in found]
            assert front.call("clear_row", ROWS[3], name=made.name) == (None, True)
            assert front.call("decode_row", ROWS[3], name=made.name) == (None, EMPTY)
            assert peers[0].result("do_mix") is True
            left = len(ROWS) if method == "nearest_neighbor_recommender" else len(ROWS) - 1
            assert max(len(peer.result("get_all_rows")) for peer in peers) == left
