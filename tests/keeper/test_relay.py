import logging
import socket
import threading
import time
from typing import Any

import msgpack
import pytest

from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries
from jubatus.keeper import rotation
from tests.conftest import packed, wait_for
from tests.keeper.harness import NAME, always, dying, keeper, methods, node
from tests.ports import free_port
from tests.rpc.peer import Connection, Peer, echo, replies

OTHERS = range(20)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "PERIOD", 0.05)


def gone() -> Node:
    """Return a server that is listed and does not run."""
    return Node("127.0.0.1", free_port())


def key_of(first: Node, *others: Node) -> bytes:
    """Return a key whose two entries in the ring are of the first server and another one."""
    ring = Ring({entry: server for server in (first, *others) for entry in ring_entries(server)})
    keys = (b"key%d" % number for number in range(10_000))
    return next(key for key in keys if len(found := ring.find(key, 2)) == 2 and found[0] == first)


# What is passed on, and what is not


def test_arguments_and_results_pass_as_they_are() -> None:
    request = msgpack.packb([0, 7, "ask", [NAME, "x" * 40, b"bytes", 1.5, {"a": None}, 2**40]])
    with Peer(echo) as server, keeper(server) as running, running.client() as client:
        client.send(request)
        assert client.reply() == [1, 7, None, [NAME.encode(), b"x" * 40, b"bytes", 1.5, {b"a": None}, 2**40]]
    assert server.requests[0][2:] == ["ask", [NAME, "x" * 40, b"bytes", 1.5, {"a": None}, 2**40]]


@pytest.mark.parametrize("method", ["nothing", "secret", "mix", "get_diff", ""])
def test_a_method_that_is_not_forwarded_is_unknown(method: str) -> None:
    with Peer(echo) as server, keeper(server) as running:
        assert running.call(method) == (1, method.encode())
    assert server.requests == []


@pytest.mark.parametrize("params", [None, [], 3, {"a": 1}, [1], [None], [["c"]]])
def test_wrong_arguments_are_refused(params: Any) -> None:
    with Peer(echo) as server, keeper(server) as running, running.client() as client:
        client.send(packed([0, 1, "ask", params]))
        assert client.reply() == [1, 1, 2, b"std::bad_cast"]
        assert running.relay.requests == 0
    assert server.requests == []


@pytest.mark.parametrize("params", [[NAME], [NAME, 1], [NAME, None]])
def test_a_key_must_be_a_string(params: Any) -> None:
    with Peer(echo) as server, keeper(server) as running, running.client() as client:
        client.send(packed([0, 1, "find", params]))
        assert client.reply() == [1, 1, 2, b"std::bad_cast"]


def test_a_notification_is_passed_on_as_a_call_and_never_answered() -> None:
    with Peer(echo) as server, keeper(server) as running, running.client() as client:
        for method in ("ask", "nothing", "get_proxy_status"):
            client.send(packed([2, method, [NAME]]))
        client.send(packed([2, "ask", []]))
        client.send(packed([2, "ask", ["nobody"]]))
        client.send(packed([0, 1, "ask", [NAME]]))
        assert client.reply()[1] == 1
        wait_for(lambda: len(server.requests) == 2)


def test_requests_and_their_targets_are_counted() -> None:
    with Peer(always()) as one, Peer(always()) as other, keeper(one, other) as running:
        running.call("ask")
        running.call("all")
        running.call("ask", name="nobody")
        running.call("nothing")
        assert running.call("get_proxy_status") == (None, {b"me": {b"requests": b"4"}})
        assert (running.relay.requests, running.relay.forwards) == (4, 3)


# One connection, many calls


def test_calls_of_a_connection_do_not_wait_for_each_other() -> None:
    slow = threading.Event()

    def part(connection: Connection) -> None:
        while True:
            _, msgid, _, params = connection.request()
            if params[1:] == ["slow"]:
                slow.wait(10)
            connection.send(1, msgid, None, params[1:])

    with Peer(part) as server, keeper(server) as running, running.client() as client:
        client.send(packed([0, 1, "ask", [NAME, "slow"]]))
        time.sleep(0.05)
        for msgid in range(2, 22):
            client.send(packed([0, msgid, "ask", [NAME, "quick"]]))
        assert sorted(client.reply()[1] for _ in range(20)) == list(range(2, 22))
        slow.set()
        assert client.reply() == [1, 1, None, [b"slow"]]


def test_the_replies_of_a_flood_are_those_of_their_requests() -> None:
    with Peer(echo) as one, Peer(echo) as other, keeper(one, other) as running, running.client() as client:
        count = 3000
        sender = threading.Thread(
            target=client.send, args=[b"".join(packed([0, number, "ask", [NAME, number]]) for number in range(count))]
        )
        sender.start()
        got = {}
        for _ in range(count):
            _, msgid, error, result = client.reply()
            got[msgid] = (error, result)
        sender.join()
        assert got == {number: (None, [NAME.encode(), number]) for number in range(count)}
    assert len(one.requests) + len(other.requests) == count
    assert min(len(one.requests), len(other.requests)) > count / 3


def test_what_was_received_is_answered_at_the_end() -> None:
    go_on = threading.Event()

    def part(connection: Connection) -> None:
        _, msgid, _, _ = connection.request()
        go_on.wait(10)
        connection.send(1, msgid, None, "done")
        connection.request()

    with Peer(part) as server, keeper(server) as running, running.client() as client:
        client.send(packed([0, 1, "ask", [NAME]]))
        wait_for(lambda: server.requests)
        running.finish()
        time.sleep(0.1)
        go_on.set()
        assert client.reply() == [1, 1, None, b"done"]
        assert client.at_end()


def test_a_long_result_passes() -> None:
    size = 20 << 20
    with Peer(always(bytes(size))) as server, keeper(server) as running:
        error, result = running.call("ask")
        assert (error, len(result)) == (None, size)


# Clusters


def test_a_cluster_that_nobody_knows() -> None:
    with keeper() as running:
        for name in ("nobody", "", "a/b", "..", "\x00", "nöbody"):
            assert running.call("ask", name=name) == (b"no server found: " + name.encode(), None)
        assert running.call("find", "some key") == (b"failed to fetch list of CHT entry: some key", None)


def test_a_cluster_is_asked_for_once_and_seen_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(always()) as server, keeper() as running:
        assert running.call("ask", name="later")[0] == b"no server found: later"
        watch = running.session.watch_children
        asked = []
        monkeypatch.setattr(running.session, "watch_children", lambda *args: asked.append(args) or watch(*args))
        for _ in range(5):
            running.call("ask", name="later")
        assert asked == []
        running.list(node(server), "later")
        wait_for(lambda: running.call("ask", name="later") == (None, True))
        running.unlist(node(server), "later")
        wait_for(lambda: running.call("ask", name="later")[0] == b"no server found: later")


def test_many_first_requests_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(echo) as server, keeper(server) as running, running.client() as client:
        watch = running.session.watch_children
        asked = []

        def slowly(path: str, changed: Any) -> Any:
            asked.append(path)
            time.sleep(0.1)
            return watch(path, changed)

        monkeypatch.setattr(running.session, "watch_children", slowly)
        for number in OTHERS:
            client.send(packed([0, number, "ask", [NAME, number]]))
        assert {client.reply()[3][1] for _ in OTHERS} == set(OTHERS)
        assert len(asked) == len(set(asked))


def test_without_zookeeper_it_serves_from_what_it_knows() -> None:
    with Peer(always()) as server, keeper(server) as running:
        assert running.call("ask") == (None, True)
        running.session.suspend()
        assert running.call("ask") == (None, True)
        assert running.call("ask", name="other")[0] == b"no server found: other"
        running.session.expire()
        assert running.call("ask") == (None, True)


# Several servers


def test_a_broadcast_reaches_all_and_is_joined() -> None:
    with Peer(always(True)) as one, Peer(always(False)) as other, keeper(one, other) as running:
        assert running.call("all") == (None, False)
        assert running.call("any") == (None, True)
        assert methods(one) == methods(other) == ["all", "any"]


def test_maps_of_all_are_merged() -> None:
    with Peer(always({"one": "1"})) as one, Peer(always({"other": "2"})) as other, keeper(one, other) as running:
        assert running.call("gather") == (None, {b"one": b"1", b"other": b"2"})


def test_a_result_of_another_type_is_none() -> None:
    with Peer(always(True)) as one, Peer(always("x")) as other, keeper(one, other) as running:
        assert running.call("all") == (b"no result", None)


def test_a_call_by_key_goes_to_its_servers() -> None:
    with Peer(always()) as one, Peer(always()) as other, Peer(always()) as third, keeper(one, other, third) as running:
        nodes = {node(server): server for server in (one, other, third)}
        ring = Ring({entry: server for server in nodes for entry in ring_entries(server)})
        for number in range(30):
            key = f"key{number}".encode()
            before = {server: len(peer.requests) for server, peer in nodes.items()}
            assert running.call("put", key) == (None, True)
            reached = {server for server, peer in nodes.items() if len(peer.requests) > before[server]}
            assert reached == set(ring.find(key, 2))
            assert sum(len(peer.requests) - before[server] for server, peer in nodes.items()) == len(reached)


def test_of_replicas_the_first_answer_is_passed_on() -> None:
    late = threading.Event()

    def part(connection: Connection) -> None:
        msgid = connection.request()[1]
        late.wait(0.2)
        connection.send(1, msgid, None, "late")
        connection.request()

    with Peer(part) as slow, Peer(always("early")) as quick, keeper(slow, quick) as running:
        assert running.call("find", key_of(node(slow), node(quick))) == (None, b"early")


# Failures


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (b"config_not_set", (b'rpc_server error: "config_not_set"', None)),
        (1, (b"jubatus::server::common::mprpc::rpc_method_not_found", None)),
        (2, (2, b"std::bad_cast")),
        (3, (b"rpc_server error: 3", None)),
        (False, (b"rpc_server error: false", None)),
    ],
)
def test_errors_of_servers(error: Any, told: Any) -> None:
    with Peer(always("ignored", error)) as server, keeper(server) as running:
        assert running.call("ask") == told
        assert running.call("tell") == told
        assert running.call("all") == told
    assert methods(server) == ["ask", "tell", "all"]


def test_one_error_fails_a_broadcast(caplog: pytest.LogCaptureFixture) -> None:
    with Peer(always()) as one, Peer(always(None, b"full")) as other, keeper(one, other) as running:
        assert running.call("all") == (b'rpc_server error: "full"', None)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.getMessage().splitlines() == [
        "error occurred in 1 out of 2 requests of all to c",
        f"    {node(other).name}: full",
    ]


def test_a_server_that_answers_nonsense() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        connection.sock.sendall(b"\xc1")
        connection.request()

    with Peer(part) as bad, Peer(always()) as good, keeper(bad, good) as running:
        assert running.call("all")[0].startswith(b"reply that is not MessagePack-RPC")
        for _ in OTHERS:
            assert running.call("ask") == (None, True)


def test_a_server_that_does_not_answer() -> None:
    with Peer(replies()) as silent, Peer(always()) as other, keeper(silent, other, timeout=0.3) as running:
        start = time.monotonic()
        assert running.call("all") == (b"request timed out", None)
        assert 0.2 < time.monotonic() - start < 3


def test_all_servers_are_gone() -> None:
    with keeper() as running:
        for _ in range(2):
            running.list(gone())
        for method in ("ask", "tell", "all", "gather"):
            assert running.call(method) == (b"connect error in proxy", None)
        for method in ("find", "put", "put_one"):
            assert running.call(method, "key") == (b"connect error in proxy", None)


def test_a_server_that_is_gone_is_passed_over_by_all_routes() -> None:
    with Peer(always()) as server, keeper(server) as running:
        dead = gone()
        running.list(dead)
        for _ in OTHERS:
            assert running.call("ask") == (None, True)
            assert running.call("tell") == (None, True)
        for method in ("find", "put", "put_one"):
            for number in range(5):
                assert running.call(method, f"key{number}") == (None, True)
        assert running.call("all") == (None, True)
        assert running.relay.rotation.dead == {dead}
    assert methods(server).count("all") == 1


def test_a_server_that_comes_back_is_in_rotation_again() -> None:
    with Peer(always("old")) as server, keeper(server) as running:
        dead = gone()
        running.list(dead)
        wait_for(lambda: running.call("ask")[1] == b"old" and running.relay.rotation.dead)
        with Peer(always("new"), dead.port):
            wait_for(lambda: not running.relay.rotation.dead)
            wait_for(lambda: running.call("ask") == (None, b"new"))


def test_a_server_whose_calls_time_out_is_passed_over_until_it_answers() -> None:
    with Peer(always()) as good, keeper(good, timeout=0.2) as running:
        hung = gone()
        running.list(hung)
        with Peer(replies(), hung.port):
            failed = [running.call("tell") for _ in range(200) if hung not in running.relay.rotation.dead]
            assert failed.count((b"request timed out", None)) == rotation.LATE
            assert [running.call("tell") for _ in OTHERS] == [(None, True) for _ in OTHERS]
            for number in range(5):
                assert running.call("put", f"key{number}") == (None, True)
            assert hung in running.relay.rotation.dead
        with Peer(always("new"), hung.port):
            wait_for(lambda: not running.relay.rotation.dead)
            wait_for(lambda: running.call("ask") == (None, b"new"))
        assert running.relay.rotation.late == {}


def test_timeouts_with_answers_between_them_are_no_reason_to_pass_over_a_server() -> None:
    """A call may take longer than a keeper waits, while the server answers all others."""

    def part(connection: Connection) -> None:
        while True:
            _, msgid, method, _ = connection.request()
            if method != "tell":
                connection.send(1, msgid, None, True)

    with Peer(part) as server, keeper(server, timeout=0.1) as running:
        for _ in range(2 * rotation.LATE):
            assert running.call("tell") == (b"request timed out", None)
            assert running.call("ask") == (None, True)
        assert running.relay.rotation.dead == set()


def test_a_server_that_is_not_listed_any_more_is_not_looked_after() -> None:
    with Peer(always()) as server, keeper(server) as running:
        dead = gone()
        running.list(dead)
        wait_for(lambda: running.call("tell") == (None, True) and running.relay.rotation.dead)
        running.unlist(dead)
        wait_for(lambda: not running.relay.rotation.dead)


@pytest.mark.parametrize("method", ["ask", "peek"])
def test_a_question_that_broke_off_is_asked_once_more_elsewhere(method: str) -> None:
    with Peer(dying) as bad, Peer(always()) as good, keeper(bad, good) as running:
        for _ in OTHERS:
            assert running.call(method) == (None, True)
            running.relay.rotation.dead.clear()
    assert bad.requests


def test_a_question_is_not_asked_a_third_time() -> None:
    with Peer(dying) as one, Peer(dying) as other, Peer(dying) as third, keeper(one, other, third) as running:
        assert running.call("ask") == (b"connection closed", None)
        assert methods(one, other, third) == ["ask"] * 2


def test_a_question_that_broke_off_is_asked_again_where_there_is_no_other_server() -> None:
    def part(connection: Connection) -> None:
        if server.connections > 1:
            always()(connection)
        dying(connection)

    with Peer(part) as server, keeper(server) as running:
        assert running.call("ask") == (None, True)
        assert methods(server) == ["ask"] * 2
        assert running.call("tell") == (None, True)


def test_a_question_to_all_that_broke_off_is_asked_again() -> None:
    def part(connection: Connection) -> None:
        if bad.connections > 1:
            always({"bad": "1"})(connection)
        dying(connection)

    with Peer(part) as bad, Peer(always({"good": "2"})) as good, keeper(bad, good) as running:
        assert running.call("gather") == (None, {b"bad": b"1", b"good": b"2"})
        assert (methods(bad), methods(good)) == (["gather", "gather"], ["gather"])


@pytest.mark.parametrize("method", ["tell", "make"])
def test_a_change_that_broke_off_is_never_repeated(method: str) -> None:
    """Neither under the lock of the model, nor one without a lock that changes what other servers have."""
    with Peer(dying) as one, Peer(dying) as other, keeper(one, other) as running:
        assert running.call(method) == (b"connection closed", None)
        assert methods(one, other) == [method]


def test_an_update_by_key_that_broke_off_is_never_repeated() -> None:
    with Peer(dying) as bad, Peer(always()) as good, Peer(always()) as spare, keeper(bad, good, spare) as running:
        key = key_of(node(bad), node(good), node(spare))
        assert running.call("put", key) == (b"connection closed", None)
        assert methods(bad) == methods(good, spare) == ["put"]


def test_a_question_by_key_that_broke_off_is_answered_by_another() -> None:
    with Peer(dying) as bad, Peer(always()) as good, keeper(bad, good) as running:
        assert running.call("find", key_of(node(bad), node(good))) == (None, True)


def test_a_broadcast_that_broke_off_fails() -> None:
    with Peer(dying) as bad, Peer(always()) as good, keeper(bad, good) as running:
        assert running.call("all") == (b"connection closed", None)


def test_a_broadcast_reaches_a_server_that_is_out_of_rotation_and_lives() -> None:
    with Peer(always()) as one, Peer(always()) as other, keeper(one, other) as running:
        running.relay.rotation.dead.add(node(other))
        assert running.call("all") == (None, True)
        assert methods(other) == ["all"]


def test_too_many_connections() -> None:
    with Peer(replies()) as silent, Peer(always()) as other, keeper(silent, size=1, timeout=0.5) as running:
        with running.client() as client:
            client.send(packed([0, 1, "ask", [NAME]]))
            wait_for(lambda: silent.requests)
            running.list(node(other), "second")
            assert running.call("ask", name="second") == (b"too many session", None)
            assert client.reply()[2] == b"request timed out"


def test_a_client_that_leaves_disturbs_nobody() -> None:
    go_on = threading.Event()

    def part(connection: Connection) -> None:
        while True:
            msgid = connection.request()[1]
            go_on.wait(10)
            connection.send(1, msgid, None, True)

    with Peer(part) as server, keeper(server) as running:
        with running.client() as client:
            client.send(packed([0, 1, "ask", [NAME]]))
            wait_for(lambda: server.requests)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        go_on.set()
        assert running.call("ask") == (None, True)
