"""What the owner of a cluster does on an ordinary day: calls through keepers, MIX of each kind, restarts."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kazoo.client import KazooClient

from tests.conftest import BIN, PATIENCE, Running, wait_for
from tests.ports import free_port
from tests.system.cluster import Cluster, classify, cluster, train
from tests.system.test_faults import CONFIG, NEVER, content, counts, living
from tests.zookeeper import ZooKeeper

IDF: dict[str, Any] = {
    "string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "idf"}]
}  # fmt: skip

GENERIC = {
    "clock_time", "start_time", "uptime", "VIRT", "RSS", "SHR", "timeout", "threadnum", "datadir", "logdir",
    "log_config", "is_standalone", "VERSION", "PROGNAME", "type", "configpath", "pid", "user", "update_count",
    "last_saved", "last_saved_path", "last_loaded", "last_loaded_path", "max_memory", "refuses_updates",
    "allow", "tls", "connections", "max_connections", "refused_connections", "max_buffers",
}  # fmt: skip
DISTRIBUTED = {
    "zk", "name", "interval_sec", "interval_count", "zookeeper_timeout", "interconnect_timeout", "mixer",
    "connected_zookeeper", "use_cht",
}  # fmt: skip
LINEAR = {"linear_mixer.count", "linear_mixer.ticktime", "linear_mixer.is_obsolete", "linear_mixer.is_running",
          "linear_mixer.version"}  # fmt: skip
PUSH = {"push_mixer.count", "push_mixer.ticktime"}
STATISTICS = {"weight_manager_version"} | {
    f"{part}_{what}"
    for part in ("diff", "master")
    for what in ("document_count", "num_document_frequencies", "num_group_frequencies", "num_group_total_lengths",
                 "num_weights")
}  # fmt: skip
CLASSIFIER = {"storage", "num_features", "num_classes"}
CLASSIFIER_DISTRIBUTED = {"num_features_diff", "model_version"}


@pytest.fixture
def made(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "classifier", CONFIG) as started:
        yield started


@pytest.fixture
def other(zookeeper: ZooKeeper, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path_factory.mktemp("other"), "classifier", CONFIG) as started:
        yield started


def told(keeper: Running, made: Cluster, method: str, *args: Any) -> tuple[Any, Any]:
    """Call a method through a keeper; return error and result."""
    with keeper.peer() as peer:
        return peer.call(method, *args, name=made.name)


def statuses(keeper: Running, made: Cluster) -> list[dict[str, str]]:
    """Return the status of each active server as a keeper tells it, in the order of their names."""
    error, found = told(keeper, made, "get_status")
    assert error is None
    return [{key.decode(): value.decode() for key, value in found[name].items()} for name in sorted(found)]


def status(server: Running) -> dict[str, str]:
    with server.peer() as peer:
        return peer.status()


def learn(server: Running, label: str, count: int = 1) -> None:
    with server.peer() as peer:
        for number in range(count):
            assert train(peer, label, f"word{number} {label}") == (None, 1)


def datum(text: str) -> Any:
    return [[["message", text]], [], []]


def labels(server: Running) -> dict[str, int]:
    with server.peer() as peer:
        return counts(peer)


def mixed(servers: list[Running], agreed: dict[str, int]) -> bool:
    """Return whether all servers have got a mixed diff, and know the same labels."""
    return all(labels(server) == agreed and status(server)["linear_mixer.count"] == "0" for server in servers)


def equal(made: Cluster) -> bool:
    found = [content(model) for model in made.models()]
    return all(model == found[0] for model in found)


def every_server(keeper: Running, made: Cluster, servers: int) -> None:
    """Wait until a keeper sends broadcasts to so many servers."""

    def sends() -> bool:
        error, found = told(keeper, made, "get_status")
        return error is None and len(found) == servers

    wait_for(sends)


# Weight


@pytest.fixture
def weights(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "weight", {"converter": IDF}) as started:
        yield started


def documents(server: Running) -> tuple[int, int]:
    """Return how many documents a server counted: mixed ones, and ones since the last MIX."""
    found = status(server)
    return int(found["master_document_count"]), int(found["diff_document_count"])


def test_weights_of_a_cluster_are_those_of_one_server(weights: Cluster) -> None:
    servers = [weights.server(*NEVER) for _ in range(3)]
    keeper = weights.keeper()
    every_server(keeper, weights, 3)
    alone = _alone(weights, "weight")
    with alone.peer() as peer:
        for number in range(30):
            text = f"common word{number % 5} rare{number}"
            assert told(keeper, weights, "update", datum(text))[0] is None
            peer.result("update", datum(text))
        assert sum(diff for _, diff in map(documents, servers)) == 30
        weights.mix(servers[1])
        assert list(map(documents, servers)) == [(30, 0)] * 3
        expected = peer.result("calc_weight", datum("word3 rare7 new common"))
        assert len(expected) == 3  # what is in every document weighs nothing
        for server in servers:
            with server.peer() as one:
                assert one.result("calc_weight", datum("word3 rare7 new common")) == expected
    assert told(keeper, weights, "clear") == (None, True)
    assert list(map(documents, servers)) == [(0, 0)] * 3


def test_updates_of_weight_start_a_mix(weights: Cluster) -> None:
    by_count, by_time = weights.server("-s", "0", "-i", "5"), weights.server("-s", "1", "-i", "0")
    for number, server in ((5, by_count), (1, by_time)):
        before = documents(by_count)[0]
        with server.peer() as peer:
            for _ in range(number):
                peer.result("update", datum("some words"))
        wait_for(lambda before=before, number=number: documents(by_count) == documents(by_time) == (before + number, 0))
    assert [status(server)["update_count"] for server in (by_count, by_time)] == ["0", "0"]  # as in the original


# Mixers and the status


def _alone(made: Cluster, service: str) -> Running:
    """Start a standalone server with the configuration of a cluster."""
    port = free_port()
    folder = made.folder / f"alone_{port}"
    folder.mkdir()
    config = made.folder / "config.json"
    command = [BIN / f"juba{service}", "-p", str(port), "-b", "127.0.0.1", "-d", folder, "-f", config]
    made.started.append(Running(command, folder, port))
    return made.started[-1]


@pytest.mark.parametrize("mixer", ["linear_mixer", "random_mixer", "broadcast_mixer", "skip_mixer"])
def test_every_mixer(made: Cluster, mixer: str) -> None:
    servers = [made.server("-x", mixer, "-i", "7", "-s", "9", active=False) for _ in range(3)]
    keeper = made.keeper()
    every_server(keeper, made, 3)
    entries = LINEAR if mixer == "linear_mixer" else PUSH
    options = {
        "mixer": mixer, "is_standalone": "0", "use_cht": "0", "name": made.name, "zk": made.zookeeper,
        "connected_zookeeper": made.zookeeper, "interval_count": "7", "interval_sec": "9", "zookeeper_timeout": "2",
        "interconnect_timeout": "2", "configpath": f"/jubatus/config/classifier/{made.name}",
        "storage": "local_storage_mixture",
    }  # fmt: skip
    for found in statuses(keeper, made):
        assert set(found) == GENERIC | DISTRIBUTED | entries | STATISTICS | CLASSIFIER | CLASSIFIER_DISTRIBUTED
        assert found.items() >= options.items()
    for server in servers:
        learn(server, "label", 2)
        with server.peer() as peer:
            assert peer.call("do_mix") == (None, True)
            assert peer.call("do_mix", name=made.name) == (None, True)
        found = status(server)
        assert found[f"{'linear' if entries is LINEAR else 'push'}_mixer.count"] == "0"
    # Push mixers mix only tables, of which linear methods have none.
    assert [labels(server) for server in servers] == [{"label": 6 if entries is LINEAR else 2}] * 3


def test_a_standalone_server_has_nothing_of_a_cluster(made: Cluster) -> None:
    alone = _alone(made, "classifier")
    found = status(alone)
    assert set(found) == GENERIC | STATISTICS | CLASSIFIER
    assert (found["is_standalone"], found["storage"]) == ("1", "local_storage")
    with alone.peer() as peer:
        assert peer.call("do_mix") == (1, b"do_mix")


# When the linear mixer mixes


def test_a_mix_by_count(made: Cluster) -> None:
    servers = [made.server("-s", "0", "-i", "5") for _ in range(2)]
    version = int(status(servers[0])["model_version"])
    learn(servers[0], "first", 4)
    learn(servers[1], "second", 4)
    assert [status(server)["linear_mixer.count"] for server in servers] == ["4", "4"]
    learn(servers[0], "first")
    wait_for(lambda: mixed(servers, {"first": 5, "second": 4}))
    for server in servers:
        found = status(server)
        assert int(found["model_version"]) == version + 1
        assert abs(int(found["linear_mixer.ticktime"]) - time.time()) < PATIENCE
    assert [status(server)["update_count"] for server in servers] == ["5", "4"]


def test_a_mix_by_time(made: Cluster) -> None:
    servers = [made.server("-s", "1", "-i", "0") for _ in range(2)]
    learn(servers[0], "label", 600)
    wait_for(lambda: mixed(servers, {"label": 600}))
    version = int(status(servers[1])["model_version"])
    before = int(status(servers[1])["linear_mixer.ticktime"])
    learn(servers[1], "label")
    learned = time.time()
    wait_for(lambda: mixed(servers, {"label": 601}))
    assert int(status(servers[1])["model_version"]) == version + 1  # without updates there was no MIX
    # More than a second after the last one; a look each half second.
    assert before + 1 <= int(status(servers[1])["linear_mixer.ticktime"]) <= learned + 1 + PATIENCE


def test_no_mix_without_a_trigger(made: Cluster) -> None:
    servers = [made.server(*NEVER) for _ in range(2)]
    quick = made.server("-s", "1", "-i", "0")  # shows that enough time passes
    before = [status(server)["model_version"] for server in servers]
    learn(servers[0], "label", 600)
    time.sleep(1.5)  # three looks at what is due
    assert [status(server)["model_version"] for server in servers] == before  # nothing to mix at the third one
    assert status(servers[0])["linear_mixer.count"] == "600"
    learn(quick, "label")
    wait_for(lambda: mixed(servers, {"label": 601}))


# Through a keeper


def test_broadcasts(made: Cluster) -> None:
    servers = [made.server(*NEVER) for _ in range(3)]
    keeper = made.keeper()
    every_server(keeper, made, 3)
    assert told(keeper, made, "set_label", "all") == (None, True)
    assert [labels(server) for server in servers] == [{"all": 0}] * 3
    assert told(keeper, made, "set_label", "all") == (None, False)
    with servers[1].peer() as peer:
        assert peer.result("set_label", "one") is True
    assert told(keeper, made, "set_label", "one") == (None, False)  # true only if it was new everywhere
    for number in range(60):
        assert told(keeper, made, "train", [[f"label{number % 3}", datum(f"word{number} common")]]) == (None, 1)
    with servers[2].peer() as peer:
        assert peer.result("set_label", "two") is True
    assert told(keeper, made, "delete_label", "two") == (None, True)  # true if it was known anywhere
    assert told(keeper, made, "delete_label", "two") == (None, False)
    made.mix(servers[0])
    agreed = {"all": 0, "one": 0, "label0": 20, "label1": 20, "label2": 20}
    assert [labels(server) for server in servers] == [agreed] * 3
    assert equal(made)
    assert told(keeper, made, "delete_label", "label1") == (None, True)
    made.mix(servers[1])
    del agreed["label1"]
    assert [labels(server) for server in servers] == [agreed] * 3
    assert equal(made)

    names = {f"127.0.0.1_{server.port}" for server in servers}
    error, saved = told(keeper, made, "save", "monday")
    assert (error, {name.decode() for name in saved}) == (None, names)
    assert all(Path(path.decode()).is_file() for path in saved.values())
    before = [content(model) for model in made.models()]
    assert told(keeper, made, "clear") == (None, True)
    assert [labels(server) for server in servers] == [{}] * 3
    made.mix(servers[2])
    assert [labels(server) for server in servers] == [{}] * 3
    assert told(keeper, made, "load", "monday") == (None, True)
    assert [content(model) for model in made.models()] == before
    made.mix(servers[0])
    assert [labels(server) for server in servers] == [agreed] * 3
    assert equal(made)

    Path(saved[f"127.0.0.1_{servers[0].port}".encode()].decode()).unlink()
    error, _ = told(keeper, made, "load", "monday")
    assert b"cannot open input file" in error
    assert [labels(server) for server in servers] == [agreed] * 3
    assert {found["last_loaded"] == "0" for found in statuses(keeper, made)} == {False}
    assert told(keeper, made, "do_mix") == (1, b"do_mix")


def test_labels_that_were_never_mixed_are_deleted_too(made: Cluster) -> None:
    servers = [made.server(*NEVER) for _ in range(2)]
    keeper = made.keeper()
    every_server(keeper, made, 2)
    learn(servers[0], "wrong", 3)
    learn(servers[1], "right", 3)
    assert told(keeper, made, "delete_label", "wrong") == (None, True)
    for server in servers:
        made.mix(server)
    assert [labels(server) for server in servers] == [{"right": 3}] * 2
    assert [estimate[0] for estimate in told(keeper, made, "classify", [datum("wrong right")])[1][0]] == [b"right"]


def test_two_clusters_of_one_keeper(made: Cluster, other: Cluster) -> None:
    keeper = made.keeper()
    for cluster_ in (made, other):
        nobody = f"no server found: {cluster_.name}".encode()
        assert told(keeper, cluster_, "classify", [datum("word")]) == (nobody, None)
        assert told(keeper, cluster_, "save", "file") == (nobody, None)
    learn(made.server(*NEVER), "here")
    wait_for(lambda: told(keeper, made, "get_labels") == (None, {b"here": 1}))  # a keeper remembers no absence
    last = other.server(*NEVER)
    learn(last, "there")
    wait_for(lambda: told(keeper, other, "get_labels") == (None, {b"there": 1}))
    assert told(keeper, other, "set_label", "more") == (None, True)
    assert told(keeper, made, "get_labels") == (None, {b"here": 1})

    assert last.stop() == 0
    nobody = f"no server found: {other.name}".encode()
    for method, args in (("get_labels", ()), ("train", ([],)), ("get_status", ()), ("get_config", ()), ("clear", ())):
        wait_for(lambda method=method, args=args: told(keeper, other, method, *args) == (nobody, None))
    assert told(keeper, made, "get_labels") == (None, {b"here": 1})
    learn(other.server(*NEVER, port=last.port), "again")
    wait_for(lambda: told(keeper, other, "get_labels") == (None, {b"again": 1}))


def test_names_that_no_cluster_can_have(made: Cluster) -> None:
    with made.keeper().peer() as peer:
        for name in ("", "/", "a/b", ".", "..", "a\0b"):
            assert classify(peer, "word", name) == (f"no server found: {name}".encode(), None)
        assert list(peer.result("get_proxy_status"))


CLIENTS = 32
CALLS: dict[str, list[Any]] = {
    "train": [[["label", datum("some words")], ["other", datum("other words")]]],
    "classify": [[datum("some words")]],
    "get_labels": [],
    "set_label": ["label"],
    "delete_label": ["another"],
    "get_status": [],
    "get_config": [],
    "save": ["file"],
}


class Crowd:
    """Clients of a keeper, each of which calls all methods in an order of its own until it is stopped.

    Attributes:
        failures: (method, error) of the calls that failed.
        calls: how many were answered.
        trained: how many data these calls taught.
    """

    def __init__(self, keeper: Running, name: str) -> None:
        self.failures: list[tuple[str, Any]] = []
        self.calls = 0
        self.trained = 0
        self._lock = threading.Lock()
        self._keeper = keeper
        self._name = name
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self, seed: int) -> None:
        order = random.Random(seed)
        with self._keeper.peer() as peer:
            while not self._stop.is_set():
                method = order.choice(list(CALLS))
                try:
                    error, _ = peer.call(method, *CALLS[method], name=self._name)
                except OSError as broken:
                    error = broken
                if error is not None:
                    self.failures.append((method, error))
                    return
                with self._lock:
                    self.calls += 1
                    self.trained += len(CALLS[method][0]) if method == "train" else 0

    def goes_on(self) -> None:
        before = self.calls
        wait_for(lambda: self.failures or self.calls > before + 10 * CLIENTS)
        assert self.failures == []

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_servers_come_and_go_and_no_call_fails(made: Cluster) -> None:
    for _ in range(2):
        made.server("-s", "1")
    keeper = made.keeper("-I", "10")
    every_server(keeper, made, 2)
    crowd = Crowd(keeper, made.name)
    try:
        for _ in range(3):
            crowd.goes_on()
            made.server("-s", "1")
            crowd.goes_on()
            assert living(made)[0].stop() == 0
    finally:
        crowd.stop()
    assert crowd.failures == []
    made.mix(living(made)[0])
    assert equal(made)
    # Each that ended mixed before.
    assert sum(labels(living(made)[0]).values()) == crowd.trained


def test_a_cluster_is_restarted(zookeeper: ZooKeeper, tree: KazooClient, tmp_path: Path) -> None:
    config = {"method": "AROW", "parameter": {"regularization_weight": 1.0}, "converter": IDF}
    questions = [datum(f"word{number} common rare{number}") for number in range(20)]
    with cluster(zookeeper.hosts, tmp_path, "classifier", config) as made:
        servers = [made.server(*NEVER) for _ in range(3)]
        keeper = made.keeper()
        every_server(keeper, made, 3)
        for part in range(2):
            for number in range(60):
                text = f"common word{number % 7} rare{number + part}"
                assert told(keeper, made, "train", [[f"label{number % 3}", datum(text)]]) == (None, 1)
            made.mix(servers[part])
        answer = told(keeper, made, "classify", questions)
        assert told(keeper, made, "save", "all")[0] is None
        assert [running.stop() for running in made.started] == [0] * 4
        assert tree.get_children(f"/jubatus/actors/classifier/{made.name}/nodes") == []

        again = [
            made.server(*NEVER, "-d", str(server.folder), port=server.port, active=False) for server in servers
        ]  # fmt: skip
        keeper = made.keeper(port=keeper.port)
        for server in again:
            wait_for(lambda server=server: made.is_active(server))
        every_server(keeper, made, 3)
        assert told(keeper, made, "get_labels") == (None, {})
        assert told(keeper, made, "load", "all") == (None, True)
        for _ in range(2):
            for server in again:
                with server.peer() as peer:
                    assert peer.call("classify", questions) == answer
            made.mix(again[0])
            assert equal(made)


def test_a_server_that_loads_an_old_model_alone_is_brought_up_to_date(made: Cluster) -> None:
    servers = [made.server(*NEVER) for _ in range(2)]
    learn(servers[0], "label", 2)
    made.mix(servers[0])
    with servers[0].peer() as peer:
        peer.result("save", "old")
        learn(servers[1], "label", 3)
        made.mix(servers[1])
        assert counts(peer) == {"label": 5}
        assert peer.result("load", "old") is True
        assert counts(peer) == {"label": 2}

    def settled() -> bool:
        with suppress(AssertionError):
            made.mix(servers[1])
        return all(map(made.is_active, servers)) and [labels(server) for server in servers] == [{"label": 5}] * 2

    wait_for(settled)
    assert equal(made)
