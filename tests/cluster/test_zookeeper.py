"""What only a real connection can meet: servers that fall silent, die or come back, and answers that are lost."""

import logging
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from jubatus.cluster.coordinator import Coordinator, Session
from jubatus.cluster.lock import Lock
from jubatus.cluster.membership import Member
from jubatus.cluster.paths import Node
from jubatus.cluster.zookeeper import connect
from jubatus.errors import ClusterError
from tests.cluster.conftest import TIMEOUT
from tests.conftest import wait_for
from tests.ports import free_port
from tests.zookeeper import Line, ZooKeeper

ROOT = "/jubatus"


@pytest.fixture
def fresh(zookeeper: ZooKeeper) -> Iterator[ZooKeeper]:
    """Give the server, emptied; it runs again afterwards."""
    zookeeper.start()
    zookeeper.clear()
    yield zookeeper
    zookeeper.resume()
    zookeeper.start()


@pytest.fixture
def line(fresh: ZooKeeper) -> Iterator[Line]:
    with closing(Line(fresh.ports[0])) as made:
        yield made


@pytest.fixture
def zk(line: Line) -> Iterator[Coordinator]:
    """Give a session over the line, with a root."""
    with closing(connect(line.hosts, TIMEOUT)) as made:
        made.create(ROOT)
        yield made


@pytest.fixture
def other(fresh: ZooKeeper, zk: Coordinator) -> Iterator[Coordinator]:
    """Give a second session, which has no line."""
    with closing(connect(fresh.hosts, TIMEOUT)) as made:
        yield made


def messages(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "jubatus" and record.levelno >= level]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1,localhost", "no-such-host.invalid"])
def test_without_a_server_there_is_no_connection(host: str) -> None:
    hosts = ",".join(f"{name}:{free_port()}" for name in host.split(","))
    start = time.monotonic()
    with pytest.raises(ClusterError, match=f"^cannot connect zk in 1 sec: {hosts}$"):
        connect(hosts, 1)
    assert time.monotonic() - start < 3


def test_a_server_that_is_silent_is_no_connection(fresh: ZooKeeper) -> None:
    fresh.pause()
    start = time.monotonic()
    with pytest.raises(ClusterError, match=f"^cannot connect zk in 1.5 sec: {fresh.hosts}$"):
        connect(fresh.hosts, 1.5)
    assert time.monotonic() - start < 6


@pytest.mark.parametrize("hosts", ["localhost:port", ""])
def test_hosts_that_cannot_be(hosts: str) -> None:
    with pytest.raises(ClusterError, match=f"^failed to initialize zk: {hosts}$"):
        connect(hosts, 1)


def test_everything_may_be_below_a_node(fresh: ZooKeeper) -> None:
    with closing(connect(fresh.hosts, TIMEOUT)) as outside:
        outside.create(ROOT)
        with closing(connect(f"{fresh.hosts}{ROOT}", TIMEOUT)) as inside:
            inside.create("/a")
            assert inside.create("/a/x_", ephemeral=True, sequence=True) == "/a/x_0000000000"
            assert outside.children(f"{ROOT}/a") == ["x_0000000000"]
            seen = threading.Event()
            assert inside.watch_children("/a", seen.set) == ["x_0000000000"]
            inside.discard("/a/x_0000000000")
            assert outside.children(f"{ROOT}/a") == []
            assert seen.wait(10)


def test_everybody_may_do_everything(fresh: ZooKeeper, zk: Coordinator) -> None:
    zk.create(f"{ROOT}/a", ephemeral=True)
    client = fresh.client()
    for path in (ROOT, f"{ROOT}/a"):
        (entry,), _ = client.get_acls(path)
        assert (entry.perms, entry.id.scheme, entry.id.id) == (31, "world", "anyone")
    client.stop()
    client.close()


def test_a_server_that_is_away_is_passed_over(fresh: ZooKeeper) -> None:
    with closing(connect(f"127.0.0.1:{free_port()},{fresh.hosts}", TIMEOUT)) as zk:
        assert zk.server == fresh.hosts
        assert zk.timeout == TIMEOUT


def test_the_server_caps_the_timeout(fresh: ZooKeeper) -> None:
    with closing(connect(fresh.hosts, 1024)) as zk:
        assert zk.timeout == 60


def test_what_happens_to_a_session_is_logged(
    zk: Coordinator, line: Line, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with closing(connect(line.hosts, TIMEOUT)) as watched:
        line.cut()
        wait_for(lambda: watched.session is Session.SUSPENDED and zk.session is Session.SUSPENDED)
        zk.close()
        line.mend()
        wait_for(lambda: watched.session is Session.CONNECTED)
        line.cut()
        time.sleep(TIMEOUT + 1.5)  # the server has to forget the session
        line.mend()
        wait_for(lambda: watched.epoch == 1 and watched.session is Session.CONNECTED)
        established = f"ZooKeeper session established: connected to {line.hosts}, negotiated timeout 2000 ms"
        wait_for(lambda: messages(caplog).count(established) == 2)
    lines = [message for message in messages(caplog)]
    lines.remove("ZooKeeper session lost")  # of the other session
    assert lines == [
        established,
        "ZooKeeper session lost",
        "ZooKeeper session recovered before timeout",
        "ZooKeeper session lost",
        "ZooKeeper session expired",
        established,
    ]
    assert all(record.exc_info is None for record in caplog.records)
    assert capfd.readouterr() == ("", "")


def test_kazoo_is_imported_by_who_connects_only() -> None:
    code = "import sys, jubatus.cluster.membership, jubatus.cluster.memory; print('kazoo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_silent_server_is_waited_for_for_a_time(fresh: ZooKeeper, zk: Coordinator) -> None:
    fresh.pause()
    start = time.monotonic()
    with pytest.raises(ClusterError):
        zk.get(ROOT)
    assert time.monotonic() - start < TIMEOUT + 1
    fresh.resume()
    wait_for(lambda: zk.session is Session.CONNECTED)
    assert zk.get(ROOT) == b""


def test_a_silent_server_does_not_hold_up_the_end(fresh: ZooKeeper, zk: Coordinator) -> None:
    fresh.pause()
    start = time.monotonic()
    zk.close()
    assert time.monotonic() - start < 6
    with pytest.raises(ClusterError, match="closed"):
        zk.get(ROOT)


def test_the_end_ends_what_waits(zk: Coordinator, line: Line) -> None:
    line.cut()
    wait_for(lambda: zk.session is Session.SUSPENDED)
    errors: list[ClusterError] = []

    def ask() -> None:
        try:
            zk.get(ROOT)
        except ClusterError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    zk.close()
    thread.join(1)
    assert len(errors) == 1


def lose_answer(line: Line, done: threading.Event) -> None:
    """Break the line after a request was carried out, before its answer is there, and mend it."""
    assert done.wait(10)
    line.cut()
    line.deaf = False
    line.mend()


def test_what_was_created_before_the_answer_was_lost_is_there_once(
    zk: Coordinator, other: Coordinator, line: Line
) -> None:
    for path, ephemeral in ((f"{ROOT}/a", True), (f"{ROOT}/b", False)):
        done = threading.Event()
        assert not other.watch_node(path, done.set)
        line.deaf = True
        thread = threading.Thread(target=lose_answer, args=(line, done))
        thread.start()
        assert zk.create(path, b"data", ephemeral=ephemeral) == path
        thread.join(10)
        assert other.get(path) == b"data"
        assert zk.mine(path) == ephemeral


def test_a_lock_whose_answer_was_lost_is_taken_once(zk: Coordinator, other: Coordinator, line: Line) -> None:
    done = threading.Event()
    assert other.watch_children(ROOT, done.set) == []
    line.deaf = True
    thread = threading.Thread(target=lose_answer, args=(line, done))
    thread.start()
    lock = Lock(zk, ROOT)
    assert lock.write()
    thread.join(10)
    assert other.children(ROOT) == ["wlock_0000000000"]
    lock.release()
    assert other.children(ROOT) == []


def test_a_lock_that_was_never_answered_goes_again(zk: Coordinator, other: Coordinator, line: Line) -> None:
    done = threading.Event()
    other.watch_children(ROOT, done.set)
    epoch = zk.epoch
    line.deaf = True
    lock = Lock(zk, ROOT)
    failed = threading.Event()

    def take() -> None:
        with pytest.raises(ClusterError):
            lock.write()
        failed.set()

    thread = threading.Thread(target=take)
    thread.start()
    assert done.wait(10)
    assert len(other.children(ROOT)) == 1
    assert failed.wait(10)
    assert not lock.held
    line.deaf = False
    line.cut()
    line.mend()
    wait_for(lambda: other.children(ROOT) == [])
    wait_for(lambda: zk.session is Session.CONNECTED)
    assert lock.write()
    assert zk.epoch >= epoch


def test_an_answer_that_is_late_leaves_no_lock(zk: Coordinator, other: Coordinator, line: Line) -> None:
    """The session lives on, so that nobody else would delete the node."""
    line.cut()
    wait_for(lambda: zk.session is Session.SUSPENDED)
    client = zk._client  # type: ignore[attr-defined]
    client.create_async(f"{ROOT}/wlock_", b"", ephemeral=True, sequence=True)  # kazoo keeps it for later
    zk._doubts.add(f"{ROOT}/wlock_")  # type: ignore[attr-defined]
    epoch = zk.epoch
    line.mend()
    wait_for(lambda: zk.session is Session.CONNECTED and not zk._doubts)  # type: ignore[attr-defined]
    assert other.children(ROOT) == []
    assert zk.epoch == epoch
    assert zk.create(f"{ROOT}/wlock_", ephemeral=True, sequence=True) == f"{ROOT}/wlock_0000000001"


def test_an_error_that_kazoo_does_not_expect_ends_the_session_only(
    zk: Coordinator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    connection = zk._client._connection  # type: ignore[attr-defined]

    def fail(*_: object) -> None:
        monkeypatch.undo()
        raise RuntimeError("xids do not match")

    seen = threading.Event()
    zk.create(f"{ROOT}/a", ephemeral=True)
    zk.watch_node(f"{ROOT}/a", seen.set)
    monkeypatch.setattr(connection, "_read_socket", fail)
    wait_for(lambda: zk.epoch == 1 and zk.session is Session.CONNECTED)
    zk.create(f"{ROOT}/b", ephemeral=True)
    assert zk.mine(f"{ROOT}/b")
    assert seen.wait(10)
    assert "the connection to ZooKeeper ended: RuntimeError: xids do not match" in messages(caplog)
    assert capfd.readouterr().err == ""


def test_a_session_whose_confirmation_is_lost_is_asked_for_again(zk: Coordinator, line: Line) -> None:
    """A ZooKeeper that is just starting may not answer; another attempt must come while the session lives."""
    line.cut()
    wait_for(lambda: zk.session is Session.SUSPENDED)
    line.deaf = True
    line.mend()
    wait_for(lambda: line.dropped > 0)
    line.deaf = False
    wait_for(lambda: zk.session is not Session.SUSPENDED)
    assert zk.session is Session.CONNECTED
    assert zk.epoch == 0


def test_a_server_that_was_killed_and_comes_back(fresh: ZooKeeper) -> None:
    with closing(connect(fresh.hosts, 10)) as zk:
        removed: list[int] = []
        member = Member(zk, "stat", "c", Node("10.0.0.1", 9199), True)
        member.prepare()
        member.lock_config()
        member.join(lambda: removed.append(1))
        member.activate()
        fresh.kill()
        wait_for(lambda: zk.session is Session.SUSPENDED)
        fresh.start()
        wait_for(lambda: zk.session is Session.CONNECTED)
        assert member.members() == member.actives() == [("10.0.0.1", 9199)]
        assert zk.epoch == 0
        assert removed == []
        member.leave()


SERVER = """
import sys, time
from jubatus.cluster.membership import Member
from jubatus.cluster.paths import Node
from jubatus.cluster.zookeeper import connect

member = Member(connect(sys.argv[1], 2), "stat", "c", Node("10.0.0.1", 9199), True)
member.prepare()
member.lock_config()
member.join(lambda: print("removed", flush=True))
member.activate()
time.sleep(60)
"""


def test_a_process_that_was_stopped_for_too_long_comes_back(fresh: ZooKeeper) -> None:
    """What its session had is deleted while it cannot look, which is no deletion by hand."""
    base = "/jubatus/actors/stat/c"
    command = [sys.executable, "-c", SERVER, fresh.hosts]
    with (
        closing(connect(fresh.hosts, 10)) as zk,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        try:
            for _ in range(2):
                wait_for(lambda: zk.children(f"{base}/actives") == ["10.0.0.1_9199"])
                server.send_signal(signal.SIGSTOP)
                wait_for(lambda: zk.children(f"{base}/nodes") == [])
                server.send_signal(signal.SIGCONT)
                start = time.monotonic()
                wait_for(lambda: zk.children(f"{base}/actives") == ["10.0.0.1_9199"])
                assert time.monotonic() - start < 2
                assert len(zk.children(f"{base}/cht")) == 8
                assert zk.children(f"{base}/nodes") == ["10.0.0.1_9199"]
            assert select.select([server.stdout], [], [], 0)[0] == []
            zk.delete(f"{base}/nodes/10.0.0.1_9199")
            assert server.stdout.readline() == "removed\n"
        finally:
            server.kill()


def test_a_session_survives_the_death_of_the_leader(ensemble: ZooKeeper) -> None:
    with closing(connect(ensemble.hosts, 10)) as zk:
        zk.create(ROOT)
        zk.create(f"{ROOT}/a", ephemeral=True)
        ensemble.kill(ensemble.leader())
        start = time.monotonic()
        assert zk.set(ROOT, b"1") == 1
        assert time.monotonic() - start < 10
        assert zk.mine(f"{ROOT}/a")
        assert zk.epoch == 0


def test_a_session_moves_to_another_server(ensemble: ZooKeeper) -> None:
    with closing(connect(ensemble.hosts, 10)) as zk:
        zk.create(ROOT)
        zk.create(f"{ROOT}/a", ephemeral=True)
        before = zk.server
        ensemble.kill(ensemble.ports.index(int(before.rpartition(":")[2])))
        assert zk.mine(f"{ROOT}/a")
        assert zk.server != before


def test_a_server_that_falls_silent_is_left_in_time(ensemble: ZooKeeper) -> None:
    leader = ensemble.leader()
    followers = [port for index, port in enumerate(ensemble.ports) if index != leader]
    with closing(connect(",".join(f"127.0.0.1:{port}" for port in followers), 6)) as zk:
        zk.create(ROOT)
        zk.create(f"{ROOT}/a", ephemeral=True)
        seen: list[Session] = []
        zk.on_session(seen.append)
        before = zk.server
        silent = ensemble.ports.index(int(before.rpartition(":")[2]))
        ensemble.pause(silent)
        try:
            wait_for(lambda: seen == [Session.SUSPENDED, Session.CONNECTED])
            assert zk.server != before
            assert zk.mine(f"{ROOT}/a")
            assert zk.epoch == 0
        finally:
            ensemble.resume(silent)
