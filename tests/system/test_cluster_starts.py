"""Starts in a cluster: those that must fail say why in one line and end with status 1; daemons go to the background."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kazoo.client import KazooClient

from tests.conftest import Peer, wait_for
from tests.ports import free_port
from tests.system.cluster import Cluster, classify, cluster, tool, train
from tests.system.test_faults import CONFIG
from tests.zookeeper import ZooKeeper

CONFIGS = "/jubatus/config/classifier"


@pytest.fixture
def made(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(zookeeper.hosts, tmp_path, "classifier", CONFIG) as started:
        yield started


def start(hosts: str, program: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Start a program that ends by itself."""
    return tool(program, "-z", hosts, "-b", "127.0.0.1", *options)


def refusal(hosts: str, program: str, *options: str | Path) -> str:
    """Return the one line on standard error of a start that fails."""
    if "-p" not in options:
        options = ("-p", str(free_port()), *options)
    done = start(hosts, program, *options)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.rstrip("\n")


@pytest.mark.parametrize(
    "options", [["jubaclassifier", "-n", "name"], ["jubaclassifier_keeper"], ["jubaclassifier_proxy"]]
)
def test_no_zookeeper(options: list[str]) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    begin = time.monotonic()
    assert refusal(nobody, *options, "-Z", "1") == f"cannot connect zk in 1 sec: {nobody}"
    assert 1 <= time.monotonic() - begin < 3
    wrong = "127.0.0.1:port"
    assert refusal(wrong, *options, "-Z", "1") == f"failed to initialize zk: {wrong}"


def put(tree: KazooClient, name: str, config: bytes) -> str:
    """Set a configuration that jubaconfig perhaps does not accept, and return the cluster's name."""
    name = f"{name}{os.getpid()}"
    tree.ensure_path(f"{CONFIGS}/{name}")
    tree.set(f"{CONFIGS}/{name}", config)
    return name


SYNTAX = "syntax error in configuration: <zookeeper>:"


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (b"", f"{SYNTAX}json_parser reached end of data"),
        (b'{"method": "PA", ', f"{SYNTAX}1:18 Expecting property name enclosed in double quotes"),
        (b"\xff\xfe", f"{SYNTAX}1:1 Invalid UTF-8"),
        (
            json.dumps({**CONFIG, "method": "nothing"}).encode(),
            "invalid configuration: <zookeeper>: unsupported method (classifier(nothing)): one of perceptron, PA, "
            "passive_aggressive, PA1, passive_aggressive_1, PA2, passive_aggressive_2, CW, confidence_weighted, AROW, arow, "
            "NHERD, normal_herd, NN, nearest_neighbor, cosine, euclidean is expected",
        ),
        (
            json.dumps({**CONFIG, "method": 1}).encode(),
            "invalid configuration: <zookeeper>: String is expected, but Integer is given. (.method)",
        ),
    ],
)
def test_configurations_that_cannot_be_used(
    zookeeper: ZooKeeper, tree: KazooClient, config: bytes, line: str
) -> None:  # fmt: skip
    name = put(tree, "unusable", config)
    assert refusal(zookeeper.hosts, "jubaclassifier", "-n", name, "-Z", "2") == line
    assert refusal(zookeeper.hosts, "jubaclassifier", "-n", name, "-Z", "2", "-T") == f"Configuration error: {line}"
    assert not tree.exists(f"/jubatus/actors/classifier/{name}/nodes")


def test_no_configuration(zookeeper: ZooKeeper, made: Cluster) -> None:
    line = f"config does not exist: {CONFIGS}/nobody"
    assert refusal(zookeeper.hosts, "jubaclassifier", "-n", "nobody") == line
    assert refusal(zookeeper.hosts, "jubaclassifier", "-n", "nobody", "-T") == f"Configuration error: {line}"
    other = f"config does not exist: /jubatus/config/weight/{made.name}"
    assert refusal(zookeeper.hosts, "jubaweight", "-n", made.name) == other
    assert refusal(zookeeper.hosts, "jubaclassifier", "-n", "a/b") == "invalid cluster name: 'a/b'"


def test_configuration_test(zookeeper: ZooKeeper, tree: KazooClient, made: Cluster) -> None:
    server = made.server()
    # Neither the port nor the place in the cluster is taken.
    done = start(zookeeper.hosts, "jubaclassifier", "-n", made.name, "-p", str(server.port), "-T")
    assert (done.returncode, done.stderr) == (0, "Configuration OK\n")
    actors = f"/jubatus/actors/classifier/{made.name}"
    assert tree.get_children(f"{actors}/nodes") == [f"127.0.0.1_{server.port}"]
    assert len(tree.get_children(f"{actors}/config_lock")) == 1
    nobody = f"127.0.0.1:{free_port()}"
    line = f"Configuration error: cannot connect zk in 1 sec: {nobody}"
    assert refusal(nobody, "jubaclassifier", "-n", made.name, "-T", "-Z", "1") == line


def test_a_configuration_is_not_changed_under_servers(zookeeper: ZooKeeper, tree: KazooClient, made: Cluster) -> None:
    server = made.server()
    path = f"{CONFIGS}/{made.name}"
    before = tree.get(path)[0]
    other = made.folder / "other.json"
    other.write_text('{"method": "PA", "converter": {}}')
    where = ("-t", "classifier", "-n", made.name, "-z", zookeeper.hosts)
    write = ("jubaconfig", "-c", "write", *where, "-f", other)
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda command: tool(*command), (write, ("jubaconfig", "-c", "delete", *where))):
            assert (done.returncode, done.stdout, done.stderr) == (1, "", "any user is using config?\n")
    assert tree.get(path)[0] == before
    assert server.stop() == 0
    assert tool(*write).returncode == 0
    assert tree.get(path)[0] == other.read_bytes() != before


def test_a_configuration_that_is_being_written(zookeeper: ZooKeeper, tree: KazooClient, made: Cluster) -> None:
    lock = tree.create(f"/jubatus/actors/classifier/{made.name}/config_lock/wlock_", ephemeral=True, sequence=True)
    assert refusal(zookeeper.hosts, "jubaclassifier", "-n", made.name) == "any user is writing config?"
    tree.delete(lock)


@pytest.mark.parametrize("program", ["jubaclassifier", "jubaclassifier_keeper", "jubavisor"])
def test_a_port_that_is_in_use(zookeeper: ZooKeeper, tree: KazooClient, made: Cluster, program: str) -> None:
    server = made.server()
    options = {"jubaclassifier": ["-n", made.name]}.get(program, [])
    line = f"server failed to start: any process using port {server.port}?"
    for more in ([], ["-D"]):
        if program != "jubavisor" or not more:  # a daemon of a visor logs to /tmp
            assert refusal(zookeeper.hosts, program, *options, *more, "-p", str(server.port)) == line
    assert tree.get_children(f"/jubatus/actors/classifier/{made.name}/nodes") == [f"127.0.0.1_{server.port}"]
    assert made.is_active(server)


@pytest.mark.parametrize(
    ("program", "folder", "line"),
    [
        ("jubaclassifier", "/jubatus/actors/classifier/{name}/nodes", "Failed to register_actor: "),
        ("jubaclassifier_keeper", "/jubatus/jubaproxies/classifier", ""),
    ],
)
def test_a_name_that_is_taken(
    zookeeper: ZooKeeper, tree: KazooClient, made: Cluster, program: str, folder: str, line: str
) -> None:
    port = free_port()
    path = f"{folder.format(name=made.name)}/127.0.0.1_{port}"
    tree.create(path, ephemeral=True, makepath=True)  # as of another machine with the same address
    options = ("-n", made.name) if program == "jubaclassifier" else ()
    begin = time.monotonic()
    found = refusal(zookeeper.hosts, program, *options, "-p", str(port), "-Z", "1")
    assert found == f"{line}ZooKeeper node exists: {path}"
    assert time.monotonic() - begin < 1 + 2 + 3
    assert tree.exists(path)


def test_who_waits_for_a_name_can_be_stopped(tree: KazooClient, made: Cluster) -> None:
    port = free_port()
    path = f"/jubatus/actors/classifier/{made.name}/nodes/127.0.0.1_{port}"
    tree.create(path, ephemeral=True, makepath=True)
    server = made.server("-Z", "10", port=port, active=False)
    wait_for(lambda: f"{path} is held by an earlier session" in server.output())
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5
    assert tree.exists(path)


# Daemons


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan that nobody has waited for yet is gone all the same.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def daemon() -> Iterator[Callable[..., int]]:
    """Start daemons on ports, and return their process numbers; what still runs at the end is killed."""
    pids: list[int] = []

    def run(port: int, hosts: str, program: str, *options: str | Path) -> int:
        done = start(hosts, program, "-p", str(port), "-D", *options)
        assert (done.returncode, done.stderr) == (0, "")
        with Peer(port) as peer:
            method = "get_proxy_status" if "keeper" in program else "get_status"
            (found,) = peer.result(method).values()
        pids.append(int(found[b"pid"]))
        return pids[-1]

    yield run
    for pid in pids:
        if not ended(pid):
            os.kill(pid, signal.SIGKILL)


def test_daemons(zookeeper: ZooKeeper, tree: KazooClient, made: Cluster, daemon: Callable[..., int]) -> None:
    logs = made.folder / "logs"
    logs.mkdir()
    ports = free_port(), free_port()
    server = daemon(ports[0], zookeeper.hosts, "jubaclassifier", "-n", made.name, "-l", logs, "-d", made.folder)
    keeper = daemon(ports[1], zookeeper.hosts, "jubaclassifier_keeper", "-l", logs)
    actors = f"/jubatus/actors/classifier/{made.name}"
    active = f"{actors}/actives/127.0.0.1_{ports[0]}"
    listed = f"/jubatus/jubaproxies/classifier/127.0.0.1_{ports[1]}"
    wait_for(lambda: tree.exists(active) and tree.exists(listed))
    assert os.getsid(server) != os.getsid(keeper) != os.getsid(0) != os.getsid(server)
    with Peer(ports[1]) as peer:
        assert train(peer, "label", "word", made.name) == (None, 1)
        assert classify(peer, "word", made.name)[0] is None

    for pid, path, program, port in (
        (keeper, listed, "jubaclassifier_keeper", ports[1]),
        (server, active, "jubaclassifier", ports[0]),
    ):
        os.kill(pid, signal.SIGTERM)
        begin = time.monotonic()
        wait_for(lambda path=path: not tree.exists(path))
        assert time.monotonic() - begin < 5  # its session would last twice as long
        wait_for(lambda pid=pid: ended(pid))
        log = (logs / f"{program}.127.0.0.1_{port}.log").read_text()
        assert "caught SIGTERM" in log
        assert "Traceback" not in log
        assert "stopping RPC server" in log
    assert tree.get_children(f"{actors}/nodes") == tree.get_children(f"{actors}/config_lock") == []


def test_a_daemon_that_cannot_register_says_why_in_its_log(
    zookeeper: ZooKeeper, tree: KazooClient, made: Cluster, daemon: Callable[..., int]
) -> None:
    port = free_port()
    path = f"/jubatus/actors/classifier/{made.name}/nodes/127.0.0.1_{port}"
    tree.create(path, ephemeral=True, makepath=True)
    options = ("-n", made.name, "-l", made.folder, "-d", made.folder, "-Z", "1")
    pid = daemon(port, zookeeper.hosts, "jubaclassifier", *options)
    wait_for(lambda: ended(pid))
    log = (made.folder / f"jubaclassifier.127.0.0.1_{port}.log").read_text()
    assert f"Failed to register_actor: ZooKeeper node exists: {path}" in log
    assert "Traceback" not in log
