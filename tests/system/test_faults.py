"""What a cluster promises when parts of it fail: no wrong reply, nothing lost on servers that live, all equal again."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgpack
import pytest
from kazoo.client import KazooClient

from tests.conftest import PATIENCE, Peer, Running, packed, wait_for
from tests.system.cluster import Cluster, classify, cluster, train
from tests.zookeeper import Line, ZooKeeper

CONFIG: dict[str, Any] = {
    "method": "PA",
    "converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}]},
}
SESSION = 2.0
"""Seconds of the sessions of these tests' processes."""
NEVER = ("-s", "0", "-i", "0")


class Load:
    """Clients that train or classify through a keeper, one request after the other, until they are stopped.

    Attributes:
        trained: how many calls were acknowledged, by label; each client has its own.
        classified: how many calls were answered.
        failures: (method, error) of those that failed.
    """

    def __init__(self, keeper: Running, name: str, trainers: int = 2, classifiers: int = 2) -> None:
        self.trained = {f"label{number}": 0 for number in range(trainers)}
        self.classified = 0
        self.failures: list[tuple[str, Any]] = []
        self._keeper = keeper
        self._name = name
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._train, args=(label,)) for label in self.trained]
        self._threads += [threading.Thread(target=self._classify) for _ in range(classifiers)]
        for thread in self._threads:
            thread.start()

    def _train(self, label: str) -> None:
        with self._keeper.peer() as peer:
            number = 0
            while not self._stop.is_set():
                number += 1
                try:
                    error, result = train(peer, label, f"{label} word{number % 997} common", self._name)
                except ConnectionError as broken:
                    self.failures.append(("train", broken))
                    return
                if error is None:
                    assert result == 1
                    self.trained[label] += 1
                else:
                    self.failures.append(("train", error))

    def _classify(self) -> None:
        with self._keeper.peer() as peer:
            while not self._stop.is_set():
                try:
                    error, result = classify(peer, "label0 common", self._name)
                except ConnectionError as broken:
                    self.failures.append(("classify", broken))
                    return
                if error is None:
                    assert {estimate[0].decode() for estimate in result[0]} <= {"bulk", *self.trained}
                    self.classified += 1
                else:
                    self.failures.append(("classify", error))

    def goes_on(self) -> None:
        """Wait until every kind of call was answered some times more."""
        before = self.classified, dict(self.trained)
        wait_for(lambda: self.classified > before[0] + 20)
        wait_for(lambda: all(self.trained[label] > count + 20 for label, count in before[1].items()))

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


@contextmanager
def load(keeper: Running, made: Cluster, **clients: int) -> Iterator[Load]:
    running = Load(keeper, made.name, **clients)
    try:
        running.goes_on()
        yield running
    finally:
        running.stop()


@pytest.fixture
def made(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "classifier", CONFIG) as started:
        yield started


def counts(peer: Peer) -> dict[str, int]:
    return {label.decode(): count for label, count in peer.result("get_labels").items()}


def updates(server: Running) -> int:
    """Return how many updates a server was told."""
    with server.peer() as peer:
        return int(peer.status()["update_count"])


def living(made: Cluster) -> list[Running]:
    return [server for server in made.servers() if server.proc.poll() is None]


def settle(made: Cluster) -> dict[str, int]:
    """Mix until all servers that live are active and equal; return the label counts that they agree on."""
    servers = living(made)

    def equal() -> bool:
        with suppress(ConnectionError), servers[0].peer() as peer:
            if peer.call("do_mix") != (None, True) or not all(map(made.is_active, servers)):
                return False
            found = [content(model) for model in made.models()]
            return all(model == found[0] for model in found) and found[0][1] == {}
        return False

    wait_for(equal)
    with servers[0].peer() as peer:
        return counts(peer)


def content(model: bytes) -> Any:
    """Unpack a model; label numbers, which need not agree between servers, become names."""
    ((master, (_, names, _), diff, version), labels), statistics = unpacked(model)
    weights = {
        feature: {names[number]: cell for number, cell in cells.items()} for feature, cells in master.items()
    }  # fmt: skip
    return weights, diff, version, labels, statistics


def unpacked(model: bytes) -> Any:
    return msgpack.unpackb(model, raw=True, strict_map_key=False)


def within(seconds: float, condition: Callable[[], object]) -> None:
    start = time.monotonic()
    wait_for(condition)
    assert time.monotonic() - start < seconds


def members(zookeeper: ZooKeeper, made: Cluster, folder: str) -> list[str]:
    client = zookeeper.client()
    try:
        path = f"/jubatus/actors/classifier/{made.name}/{folder}"
        return sorted(client.get_children(path)) if client.exists(path) else []
    finally:
        client.stop()
        client.close()


def test_a_server_is_killed_under_load(zookeeper: ZooKeeper, made: Cluster) -> None:
    servers = [made.server("-s", "1") for _ in range(3)]
    keeper = made.keeper()
    with load(keeper, made) as running:
        servers[1].proc.kill()
        servers[1].proc.wait()
        running.goes_on()
        within(SESSION + 2, lambda: len(members(zookeeper, made, "nodes")) == 2)
        running.goes_on()
    assert [method for method, _ in running.failures] in ([], ["train"], ["train", "train"])
    applied = updates(servers[0]) + updates(servers[2])
    agreed = settle(made)
    # What the dead server was told and had mixed is there as well.
    assert applied <= sum(agreed.values()) <= sum(running.trained.values()) + len(running.failures)


def test_a_killed_server_comes_back_at_once(zookeeper: ZooKeeper, made: Cluster) -> None:
    servers = [made.server("-s", "1") for _ in range(2)]
    keeper = made.keeper()
    with load(keeper, made) as running:
        servers[1].proc.kill()
        servers[1].proc.wait()
        again = made.server("-s", "1", port=servers[1].port, active=False)
        within(SESSION + 4, lambda: made.is_active(again))
        running.goes_on()
        assert len(members(zookeeper, made, "actives")) == 2
    assert len(running.failures) <= 2
    settle(made)


def test_a_keeper_is_killed(zookeeper: ZooKeeper, made: Cluster) -> None:
    made.server()
    first, second = made.keeper(), made.keeper()
    with load(second, made) as running:
        with first.peer() as peer:
            assert classify(peer, "common", made.name)[0] is None
            first.proc.kill()
            first.proc.wait()
            assert peer.at_end()
        running.goes_on()
    assert running.failures == []
    assert sum(settle(made).values()) == sum(running.trained.values())


def learn_much(server: Running, words: int, label: str) -> None:
    """Give a server a diff that takes a while to mix."""
    with server.peer() as peer:
        for start in range(0, words, 1000):
            text = " ".join(f"{label}{number}" for number in range(start, start + 1000))
            assert train(peer, label, text) == (None, 1)


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_the_master_is_killed_during_a_mix(zookeeper: ZooKeeper, made: Cluster, delay: float) -> None:
    servers = [made.server(*NEVER) for _ in range(3)]
    for number, server in enumerate(servers):
        learn_much(server, 40_000, f"label{number}")
        learn_much(server, 1_000, "other")
    peer = servers[0].peer()
    peer.send(msgpack.packb([0, 1, "do_mix", [""]]))
    time.sleep(delay)
    servers[0].proc.kill()
    servers[0].proc.wait()
    peer.close()
    agreed = settle(made)
    assert {agreed["label1"], agreed["label2"]} == {40}
    assert agreed["other"] in (2, 3)
    assert agreed.get("label0", 40) == 40


def test_a_slow_server_loses_nothing(made: Cluster) -> None:
    servers = [made.server(*NEVER) for _ in range(3)]
    for number, server in enumerate(servers):
        learn_much(server, 5_000, f"label{number}")
    servers[2].proc.send_signal(signal.SIGSTOP)
    try:
        with servers[0].peer() as peer:
            start = time.monotonic()
            assert peer.call("do_mix") == (None, True)
            assert time.monotonic() - start < 2 * 2 + 2  # a timeout for get_diff and one for put_diff
    finally:
        servers[2].proc.send_signal(signal.SIGCONT)
    learn_much(servers[2], 2_000, "late")
    assert settle(made) == {"label0": 5, "label1": 5, "label2": 5, "late": 2}


def test_updates_during_mixes_are_not_lost(made: Cluster) -> None:
    servers = [made.server(*NEVER) for _ in range(3)]
    keeper = made.keeper()
    with load(keeper, made, trainers=4) as running:
        for server in servers:
            learn_much(server, 20_000, "bulk")
            for one in servers:
                made.mix(one)
        running.goes_on()
    assert running.failures == []
    agreed = settle(made)
    assert agreed.pop("bulk") == 60
    assert agreed == running.trained


def test_a_server_is_added_under_load(made: Cluster) -> None:
    first = made.server("-s", "1")
    keeper = made.keeper()
    with load(keeper, made) as running:
        learn_much(first, 50_000, "bulk")
        second = made.server("-s", "1")
        running.goes_on()
        wait_for(lambda: updates(second) > 20)
    assert running.failures == []
    agreed = settle(made)
    assert agreed.pop("bulk") == 50
    assert agreed == running.trained


def test_sessions_expire(zookeeper: ZooKeeper, made: Cluster) -> None:
    lines = [Line(zookeeper.ports[0]), Line(zookeeper.ports[0])]
    try:
        servers = [made.server("-s", "1", "-z", lines[0].hosts), made.server("-s", "1")]
        keeper = made.keeper("-z", lines[1].hosts)
        both = [f"127.0.0.1_{server.port}" for server in sorted(servers, key=lambda server: server.port)]
        with load(keeper, made) as running:
            for line in lines:
                line.cut()
            wait_for(lambda: len(members(zookeeper, made, "nodes")) == 1)
            running.goes_on()
            for line in lines:
                line.mend()
            within(SESSION + 2, lambda: members(zookeeper, made, "actives") == sorted(both))
            running.goes_on()
            third = made.server("-s", "1")  # the keeper learns of it in its new session
            wait_for(lambda: updates(third) > 20)
        assert running.failures == []
        assert settle(made) == running.trained
    finally:
        for line in lines:
            line.close()


def test_zookeeper_is_down(zookeeper: ZooKeeper, made: Cluster) -> None:
    for _ in range(2):
        made.server("-s", "1")
    keeper = made.keeper()
    with load(keeper, made) as running:
        zookeeper.kill()
        time.sleep(2 * SESSION)
        running.goes_on()
        zookeeper.start()
        within(SESSION + 2, lambda: len(members(zookeeper, made, "actives")) == 2)
        running.goes_on()
    assert running.failures == []
    assert settle(made) == running.trained


def test_the_leader_of_the_ensemble_is_killed(ensemble: ZooKeeper, tmp_path: Path) -> None:
    with cluster(ensemble.hosts, tmp_path, "classifier", CONFIG) as made:
        for _ in range(2):
            made.server("-s", "1")
        keeper = made.keeper()
        with load(keeper, made) as running:
            ensemble.kill(ensemble.leader())
            running.goes_on()
            ensemble.leader()
            running.goes_on()
        assert running.failures == []
        assert settle(made) == running.trained
        assert len(members(ensemble, made, "actives")) == 2


def test_a_server_that_is_stopped_is_passed_over(zookeeper: ZooKeeper, made: Cluster) -> None:
    """Its session lives on, so that only the keeper notices."""
    hung, other = made.server("-Z", "60"), made.server("-Z", "60")
    keeper = made.keeper("-I", "1")
    hung.proc.send_signal(signal.SIGSTOP)
    with keeper.peer() as peer:
        failed = 0
        while f"127.0.0.1_{hung.port} of {made.name} is out of rotation" not in keeper.output():
            error, _ = classify(peer, "x", made.name)
            assert error in (None, b"request timed out")
            failed += error is not None
        assert failed == 3
        before = updates(other)
        for number in range(20):
            assert train(peer, "a", f"word{number}", made.name) == (None, 1)
        assert updates(other) == before + 20
        assert len(members(zookeeper, made, "actives")) == 2
        hung.proc.send_signal(signal.SIGCONT)
        wait_for(lambda: "is back in rotation" in keeper.output())
        wait_for(lambda: train(peer, "a", "more", made.name) == (None, 1) and updates(hung))


BLOCKING = """
import os, time

class Blocking:
    def split(self, text):
        while os.path.exists(text):
            time.sleep(0.05)
        return [(0, len(text))]

def create(parameters):
    return Blocking()
"""


def test_a_server_whose_loop_stands_is_not_active_until_it_turns(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    """ZooKeeper hears of it all the time: its session is another thread's."""
    plugin, closed = tmp_path / "blocking.py", tmp_path / "closed"
    plugin.write_text(BLOCKING)
    types = {"blocking": {"method": "dynamic", "path": str(plugin), "function": "create"}}
    rules = [{"key": "*", "type": "blocking", "sample_weight": "bin", "global_weight": "bin"}]
    config = CONFIG | {"converter": {"string_types": types, "string_rules": rules}}
    with cluster(zookeeper.hosts, tmp_path, "classifier", config) as made:
        hung, other = made.server(), made.server()
        keeper = made.keeper()
        closed.touch()
        with hung.peer() as peer:
            peer.send(packed([0, 1, "classify", ["", [[[["key", str(closed)]], [], []]]]]))
            wait_for(lambda: members(zookeeper, made, "actives") == [f"127.0.0.1_{other.port}"])
            assert len(members(zookeeper, made, "nodes")) == 2
            with keeper.peer() as client:
                wait_for(lambda: all(classify(client, "x", made.name)[0] is None for _ in range(10)))
            closed.unlink()
            assert peer.reply()[2] is None
        wait_for(lambda: len(members(zookeeper, made, "actives")) == 2)
        assert "the event loop stands for 3 s" in hung.output()
        assert "the event loop turns again" in hung.output()
        assert "the event loop stands" not in other.output()


def test_an_outsider_takes_no_updates_out_of_a_round(tree: KazooClient, made: Cluster) -> None:
    """The test is the master, and somebody else asks for the diff in the middle of its round."""
    server, other = made.server(*NEVER), made.server(*NEVER)
    lock = f"/jubatus/actors/classifier/{made.name}/master_lock/wlock_"
    node = tree.create(lock, b"127.0.0.1_1", ephemeral=True, sequence=True)
    number = int(node[-10:])
    with server.peer() as peer, other.peer() as second:
        version = int(peer.status()["linear_mixer.version"])
        assert train(peer, "before", "a common") == (None, 1)
        diff = peer.plain("get_diff", version, number)
        assert train(peer, "during", "b common") == (None, 1)
        assert peer.plain("get_diff", 0) != diff
        error, _ = peer.call_plain("get_diff", version, number + 1)
        assert error == f"round {number + 1} is not that of the master".encode()
        assert peer.plain("put_diff", diff, True, number) == 0
        assert second.plain("put_diff", diff, False, number) == 0
        assert counts(second) == {"before": 1}
        tree.delete(node)
        assert peer.status()["linear_mixer.count"] == "1"
        assert second.result("do_mix") is True
        assert counts(peer) == counts(second) == {"before": 1, "during": 1}
        # Without a lock, what is given out counts for the mixed diff that names no round, as in 1.1.
        assert train(peer, "after", "c common") == (None, 1)
        diff = peer.plain("get_diff", 0)
        assert peer.plain("put_diff", diff) == second.plain("put_diff", diff) == 0
        assert peer.status()["linear_mixer.count"] == "0"
        assert second.result("do_mix") is True
        assert counts(peer) == counts(second) == {"before": 1, "during": 1, "after": 1}
    models = made.models()
    assert content(models[0]) == content(models[1])


def test_a_server_that_is_removed_by_hand_ends(zookeeper: ZooKeeper, made: Cluster) -> None:
    server = made.server()
    client = zookeeper.client()
    try:
        path = f"/jubatus/actors/classifier/{made.name}/nodes/127.0.0.1_{server.port}"
        client.delete(path)
        assert server.proc.wait(PATIENCE) == 1  # a supervisor starts it again
        assert f"My actor [{path}] was deleted, preparing for finish" in server.output()
        assert server.output().endswith(f"\nthe server was removed from its cluster: {path} was deleted\n")
    finally:
        client.stop()
        client.close()


def test_a_server_that_ends_in_order_is_left_out_before_and_loses_nothing(made: Cluster) -> None:
    servers = [made.server() for _ in range(3)]
    keeper = made.keeper()
    with load(keeper, made) as running:
        assert servers[0].stop() == 0
        running.goes_on()
    assert running.failures == []
    assert settle(made) == running.trained
