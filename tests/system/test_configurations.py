"""A cluster whose configuration is replaced while its servers run: servers of different ones never mix."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kazoo.client import KazooClient

from tests.conftest import PATIENCE, Running, wait_for
from tests.system.cluster import Cluster, classify, cluster, tool, train
from tests.zookeeper import ZooKeeper

CONVERTER: Any = {"string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}]}
OLD: Any = {"method": "PA", "converter": CONVERTER}
NEW: Any = {"method": "AROW", "parameter": {"regularization_weight": 1.0}, "converter": CONVERTER}
NEVER = ("-s", "0", "-i", "0")
REPLACED = "the configuration of the cluster was replaced, this server has another one: /jubatus/config/classifier/"


@pytest.fixture
def made(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "classifier", OLD) as running:
        yield running


def path(made: Cluster) -> str:
    return f"/jubatus/config/classifier/{made.name}"


def learn(server: Running, label: str) -> None:
    with server.peer() as peer:
        assert train(peer, label, "common") == (None, 1)


def labels(server: Running) -> set[bytes]:
    with server.peer() as peer:
        return set(peer.result("get_labels"))


def mixes(server: Running) -> bool:
    with server.peer() as peer:
        return bool(peer.result("do_mix"))


@pytest.mark.parametrize("again", [NEW, OLD], ids=["another", "the-same"])
def test_the_configuration_is_replaced_and_servers_are_started_one_by_one(
    made: Cluster, tree: KazooClient, again: Any
) -> None:
    first, second = made.server(*NEVER), made.server(*NEVER)
    learn(first, "before")
    made.mix(second)
    assert labels(second) == {b"before"}
    tree.set(path(made), json.dumps(again, indent=4, sort_keys=True).encode())
    learn(first, "old")
    third = made.server(*NEVER)
    learn(third, "new")
    if again == OLD:
        made.mix(third)
        assert all(labels(server) == {b"before", b"old", b"new"} for server in made.servers())
        return
    wait_for(lambda: all(REPLACED in server.output() for server in (first, second)))
    assert mixes(third)
    assert not mixes(first)
    assert (labels(first), labels(second), labels(third)) == ({b"before", b"old"}, {b"before"}, {b"new"})
    with first.peer() as peer:
        # What a master asks that does not look at this, as those of 1.1.
        for method, argument in (("get_diff", 0), ("get_model", 0), ("put_diff", b"\x90")):
            error, result = peer.call_plain(method, argument)
            assert (error, result) == (f"{REPLACED}{made.name}".encode(), None)
        assert classify(peer, "common")[0] is None
    for server in (first, second):
        assert server.stop() == 0
        made.server(*NEVER, port=server.port)
    made.mix(third)
    assert all(labels(server) == {b"new"} for server in made.servers() if server.proc.poll() is None)


def test_pushing_servers_of_different_configurations(zookeeper: ZooKeeper, tree: KazooClient, tmp_path: Path) -> None:
    parts: Any = {"method": "lsh", "parameter": {"hash_num": 64}, "converter": CONVERTER}
    with cluster(zookeeper.hosts, tmp_path, "nearest_neighbor", parts) as made:
        options = ("-x", "broadcast_mixer", *NEVER)
        old = made.server(*options)
        wait_for(lambda: mixes(old))  # it answers before it has joined
        tree.set(f"/jubatus/config/nearest_neighbor/{made.name}", json.dumps(parts | {"method": "minhash"}).encode())
        new = made.server(*options)
        wait_for(lambda: "the configuration of the cluster was replaced" in old.output())
        for server, row in ((old, "old"), (new, "new")):
            with server.peer() as peer:
                assert peer.result("set_row", row, [[["message", "x"]], [], []]) is True
        wait_for(lambda: mixes(new))
        assert not mixes(old)
        for server, row in ((old, b"old"), (new, b"new")):
            with server.peer() as peer:
                assert peer.result("get_all_rows") == [row]
        with old.peer() as peer:
            assert b"was replaced" in peer.call_plain("get_pull_argument", 0)[0]


def test_a_server_that_lost_its_session_ends_under_another_configuration(
    zookeeper: ZooKeeper, made: Cluster, tmp_path: Path
) -> None:
    """As jubaconfig sees it, nobody runs: neither locks nor servers are there."""
    server = made.server(*NEVER)
    client = zookeeper.client()
    try:
        server.proc.send_signal(signal.SIGSTOP)
        nodes = f"/jubatus/actors/classifier/{made.name}/nodes"
        wait_for(lambda: client.get_children(nodes) == [])
        config = tmp_path / "new.json"
        config.write_text(json.dumps(NEW))
        write = ("-c", "write", "-f", config, "-t", "classifier", "-n", made.name, "-z", made.zookeeper)
        assert tool("jubaconfig", *write).returncode == 0
        server.proc.send_signal(signal.SIGCONT)
        assert server.proc.wait(PATIENCE) == 1
        assert server.output().rstrip().splitlines()[-1] == f"{REPLACED}{made.name}"
        assert client.get_children(nodes) == []
        fresh = made.server(*NEVER)
        assert labels(fresh) == set()
    finally:
        client.stop()
        client.close()
    made.started.remove(server)
