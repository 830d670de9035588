"""Records of classifier and regression in a cluster, by linear MIX and by push."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.contract.programs import NEVER
from tests.services import facts_of
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

MIXERS = pytest.mark.parametrize("mixer", ["linear_mixer", "broadcast_mixer", "random_mixer", "skip_mixer"])


def config(service: str, method: str) -> dict[str, Any]:
    """Return the configuration without unlearner of a method."""
    return next(each for each in facts_of(service).configs if each["method"] == method)


def datum(number: float) -> list[object]:
    return [[], [["k", number], ["l", 1.0]], []]


@MIXERS
def test_records_of_a_classifier_come_to_all_servers(mixer: str, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "classifier", config("classifier", "NN")) as made:
        peers = [made.server(*NEVER, "-x", mixer).peer() for _ in range(2)]
        for number in range(20):
            assert peers[number % 2].result("train", [["ab"[number % 2], datum(number)]]) == 1
        assert [peer.result("get_labels") for peer in peers] == [{b"a": 10}, {b"b": 10}]
        assert peers[0].result("do_mix") is True
        wait_for(lambda: all(peer.result("get_labels") == {b"a": 10, b"b": 10} for peer in peers))
        scores = [peer.result("classify", [datum(7)])[0] for peer in peers]
        assert [[score for _, score in each] for each in scores] == [
            pytest.approx([score for _, score in scores[0]])
        ] * 2
        for peer in peers:
            peer.close()


@MIXERS
def test_records_of_a_regression_come_to_all_servers(mixer: str, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "regression", config("regression", "NN")) as made:
        peers = [made.server(*NEVER, "-x", mixer).peer() for _ in range(2)]
        for number in range(20):
            assert peers[number % 2].result("train", [[float(number), datum(number)]]) == 1
        assert peers[0].result("do_mix") is True
        wait_for(lambda: all(peer.result("estimate", [datum(7)]) == [pytest.approx(9.5)] for peer in peers))
        for peer in peers:
            peer.close()


@pytest.mark.parametrize("method", ["NN", "cosine"])
def test_a_server_that_joins_gets_all_records(method: str, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "classifier", config("classifier", method)) as made:
        with made.server(*NEVER).peer() as first:
            for number in range(1, 11):
                first.result("train", [["ab"[number % 2], datum(number)]])
            assert first.result("do_mix") is True
            with made.server(*NEVER).peer() as second:
                assert second.result("get_labels") == {b"a": 5, b"b": 5}
                assert second.result("classify", [datum(3)]) == first.result("classify", [datum(3)])
