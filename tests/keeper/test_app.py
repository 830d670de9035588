import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jubatus.cluster import paths
from jubatus.cluster.membership import prepare
from jubatus.cluster.paths import Node
from jubatus.cluster.zookeeper import connect
from jubatus.rpc.gate import Gate
from tests.conftest import BIN, Running, command, end_in_order, packed, wait_for
from tests.conftest import Peer as Client
from tests.keeper.harness import always, node
from tests.ports import free_port
from tests.rpc.peer import Connection, Peer
from tests.zookeeper import Line, ZooKeeper

KEEPERS = paths.proxies("classifier")

Start = Callable[..., Running]


@pytest.fixture
def session(zookeeper: ZooKeeper) -> Iterator[Any]:
    """Give a session with ZooKeeper."""
    opened = connect(zookeeper.hosts, 10)
    prepare(opened, "classifier")
    yield opened
    opened.close()


@pytest.fixture
def start(zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[Start]:
    """Start keepers; at the end each must stop in order."""
    started: list[Running] = []

    def run(*options: str, program: str = "jubaclassifier_keeper", port: int = 0) -> Running:
        port = port or free_port()
        words = [str(BIN / program), "-p", str(port), "-b", "127.0.0.1", "-z", zookeeper.hosts, *options]
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Running(words, folder, port))
        return started[-1]

    yield run
    end_in_order(started)


def name(running: Running) -> str:
    return f"127.0.0.1_{running.port}"


def list_server(session: Any, cluster: str, server: Node) -> None:
    prepare(session, "classifier", cluster)
    if not session.exists(paths.actives("classifier", cluster)):
        session.create(paths.actives("classifier", cluster))
    session.create(f"{paths.actives('classifier', cluster)}/{server.name}", ephemeral=True)


def registered(session: Any, running: Running) -> bool:
    return name(running) in session.children(KEEPERS)


def test_it_registers_serves_and_leaves(session: Any, start: Start) -> None:
    running = start()
    wait_for(lambda: registered(session, running))
    with Peer(always(3)) as server, running.peer() as client:
        assert client.call("train", [], name="lasting") == (b"no server found: lasting", None)
        list_server(session, "lasting", node(server))
        wait_for(lambda: client.call("train", [], name="lasting") == (None, 3))
        assert client.call("do_mix") == (1, b"do_mix")
    assert running.stop() == 0
    assert not registered(session, running)
    assert "jubaclassifier_keeper RPC server startup" in running.output()


@pytest.mark.parametrize("program", ["jubaclassifier_keeper", "jubaclassifier_proxy"])
def test_its_status(zookeeper: ZooKeeper, start: Start, program: str, tmp_path: Path) -> None:
    running = start(
        "-Z", "5", "-I", "7", "-E", "3", "-S", "9", "-t", "11", "-c", "2", "-l", str(tmp_path), program=program
    )
    with running.peer() as client:
        client.call("train", [], name="nobody")
        error, result = client.call("get_proxy_status")
    assert error is None
    ((key, packed_status),) = result.items()
    status = {key.decode(): value.decode() for key, value in packed_status.items()}
    assert key.decode() == name(running)
    changing = {entry: int(status.pop(entry)) for entry in ("clock_time", "start_time", "uptime", "VIRT", "RSS", "SHR")}
    assert changing["clock_time"] - changing["start_time"] == changing["uptime"]
    assert 0 <= time.time() - changing["clock_time"] < 60
    assert changing["VIRT"] > changing["RSS"] > changing["SHR"] > 0
    assert status.pop("user")
    assert status == {
        "VERSION": "1.1.1",
        "PROGNAME": program,
        "pid": str(running.proc.pid),
        "threadnum": "2",
        "timeout": "11",
        "logdir": str(tmp_path),
        "log_config": "",
        "zookeeper": zookeeper.hosts,
        "connected_zookeeper": zookeeper.hosts,
        "zookeeper_timeout": "5",
        "interconnect_timeout": "7",
        "session_pool_expire": "3",
        "session_pool_size": "9",
        "allow": "",
        "tls": "0",
        "connections": "1",
        "max_connections": str(Gate().max_connections),
        "refused_connections": "0",
        "max_buffers": str(Gate().max_buffers >> 20),
        "request_count": "2",
        "forward_count": "0",
    }


def test_what_runs_is_answered_before_it_ends(session: Any, start: Start) -> None:
    def part(connection: Connection) -> None:
        msgid = connection.request()[1]
        wait_for(lambda: not registered(session, running))
        connection.send(1, msgid, None, "done")
        connection.request()

    running = start()
    wait_for(lambda: registered(session, running))
    with Peer(part) as server, running.peer() as client:
        list_server(session, "draining", node(server))
        client.send(packed([0, 1, "classify", ["draining", []]]))
        wait_for(lambda: server.requests)
        running.proc.send_signal(signal.SIGTERM)
        assert client.reply() == [1, 1, None, b"done"]
        assert client.at_end()
    assert running.proc.wait(20) == 0


def test_an_interruption_and_the_end_of_its_session_cost_nothing(
    zookeeper: ZooKeeper, session: Any, start: Start
) -> None:
    line = Line(zookeeper.ports[0])
    try:
        running = start("-Z", "2", "-z", line.hosts)
        wait_for(lambda: registered(session, running))
        with Peer(always(3)) as server, running.peer() as client:
            list_server(session, "interrupted", node(server))
            assert client.call("train", [], name="interrupted") == (None, 3)
            line.cut()
            wait_for(lambda: not registered(session, running))
            assert client.call("train", [], name="interrupted") == (None, 3)
            _, status = client.call("get_proxy_status")
            assert status[name(running).encode()][b"connected_zookeeper"] == b""
            line.mend()
            wait_for(lambda: registered(session, running))
            with Peer(always(4)) as other:
                list_server(session, "interrupted", node(other))
                wait_for(lambda: client.call("train", [], name="interrupted") == (None, 4))
    finally:
        line.close()


def test_a_keeper_that_was_killed_can_start_again_at_once(session: Any, start: Start) -> None:
    first = start("-Z", "2")
    wait_for(lambda: registered(session, first))
    first.proc.kill()
    first.proc.wait()
    second = start("-Z", "2", port=first.port)
    with second.peer() as client:
        assert client.call("train", [], name="nobody")[0] == b"no server found: nobody"
    wait_for(lambda: "RPC server startup" in second.output())
    assert registered(session, second)


def test_an_address_that_another_keeper_holds_ends_it(session: Any, start: Start) -> None:
    port = free_port()
    path = f"{KEEPERS}/127.0.0.1_{port}"
    if not session.exists(KEEPERS):
        session.create(KEEPERS)
    session.create(path, ephemeral=True)
    running = start("-Z", "1", port=port)
    assert running.proc.wait(20) == 1
    assert running.output().splitlines()[-1] == f"ZooKeeper node exists: {path}"


def test_in_the_background(zookeeper: ZooKeeper, session: Any, tmp_path: Path) -> None:
    port = free_port()
    options = ("-p", str(port), "-b", "127.0.0.1", "-z", zookeeper.hosts, "-l", str(tmp_path), "-D")
    assert command("classifier_keeper", *options).returncode == 0
    path = f"{KEEPERS}/127.0.0.1_{port}"
    wait_for(lambda: session.exists(path))
    with Client(port) as client:
        ((_, status),) = client.call("get_proxy_status")[1].items()
    os.kill(int(status[b"pid"]), signal.SIGTERM)
    wait_for(lambda: not session.exists(path))
