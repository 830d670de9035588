import gc
import pickle
import re
import socket
import threading
import time
import warnings
from typing import Any

import msgpack
import pytest

from jubatus.errors import JubatusError
from jubatus.rpc import client as rpc
from jubatus.rpc.client import Address, Client, RPCError, TransportError
from tests.rpc.peer import Connection, Peer, echo, replies


def client(peer: Peer, timeout: float = 5, **options: Any) -> Client:
    return Client(Address("127.0.0.1", peer.port), timeout, **options)


def test_a_call_is_one_request_and_its_result() -> None:
    with Peer(echo) as peer, client(peer) as c:
        assert c.call("first", "n", 1, 2.5, b"\xff", [None, True]) == [b"n", 1, 2.5, b"\xff", [None, True]]
        assert c.call("second") == []
        assert [request[:3] for request in peer.requests] == [[0, 0, "first"], [0, 1, "second"]]
        assert peer.connections == 1


def test_bytes_on_the_wire_are_of_the_old_format() -> None:
    seen = []

    def part(connection: Connection) -> None:
        seen.append(connection.sock.recv(1000))

    with Peer(part) as peer, client(peer) as c, pytest.raises(TransportError):
        c.call("clear", "x" * 42, b"\x00", 1.0)
    assert seen == [b"\x94\x00\x00\xa5clear\x93\xda\x00\x2a" + b"x" * 42 + b"\xa1\x00\xcb\x3f\xf0" + b"\x00" * 6]


def test_nothing_is_contacted_before_the_first_call() -> None:
    with Peer(echo) as peer:
        with client(peer):
            pass
        assert peer.connections == 0


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (1, 1),
        (2, 2),
        (-5, -5),
        (b"config_not_set", "config_not_set"),
        ("größe", "größe"),
        (b"not UTF-8: \xff\xc3", r"not UTF-8: \xff\xc3"),
        (b"", ""),
        ([1], [1]),
        (False, False),
    ],
)
def test_an_error_of_the_server_is_raised_with_what_it_sent_as_text(error: Any, raised: Any) -> None:
    with Peer(replies((error, "result"))) as peer, client(peer) as c:
        with pytest.raises(RPCError) as caught:
            c.call("method")
        assert caught.value.args == (raised,)
        assert isinstance(caught.value, JubatusError)
        assert pickle.loads(pickle.dumps(caught.value)).args == (raised,)


def test_an_error_handler_gets_the_error_and_raises_what_it_likes() -> None:
    def handler(error: Any) -> None:
        raise KeyError(error)

    with Peer(replies((b"text", None))) as peer, client(peer) as c:
        future = c.call_async("method")
        future.attach_error_handler(handler)
        with pytest.raises(KeyError, match="text"):
            future.get()


def test_a_call_that_is_not_answered_times_out() -> None:
    with Peer(replies()) as peer, client(peer, 0.1) as c:
        start = time.monotonic()
        with pytest.raises(rpc.TimeoutError, match=rf"^Request timed out \(method at 127\.0\.0\.1:{peer.port}\)$"):
            c.call("method")
        assert 0.1 <= time.monotonic() - start < 1


def test_the_time_is_that_of_the_whole_call() -> None:
    def trickle(connection: Connection) -> None:
        reply = msgpack.packb([1, connection.request()[1], None, "x" * 100])
        for byte in reply:
            connection.sock.sendall(bytes([byte]))
            time.sleep(0.03)

    with Peer(trickle) as peer, client(peer, 0.1) as c:
        start = time.monotonic()
        with pytest.raises(rpc.TimeoutError):
            c.call("method")
        assert time.monotonic() - start < 1


def test_a_request_that_nobody_reads_times_out_and_the_next_call_is_sound() -> None:
    over = threading.Event()

    def part(connection: Connection) -> None:
        if not over.is_set():
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            over.wait(20)
        else:
            echo(connection)

    with Peer(part) as peer, client(peer, 0.2) as c:
        with pytest.raises(rpc.TimeoutError):
            c.call("method", "x" * 20_000_000)
        over.set()
        c.timeout = 5
        assert c.call("method") == []
        assert peer.connections == 2


def test_a_very_long_time_is_no_error() -> None:
    with Peer(echo) as peer, client(peer, 1e9) as c:
        assert c.call("method") == []


def test_timeout_0_waits() -> None:
    def late(connection: Connection) -> None:
        request = connection.request()
        time.sleep(0.1)
        connection.send(1, request[1], None, 5)

    with Peer(late) as peer, client(peer, 0) as c:
        assert c.call("method") == 5


def test_a_reply_after_its_time_is_dropped() -> None:
    late = threading.Event()

    def part(connection: Connection) -> None:
        first = connection.request()
        late.wait(5)
        connection.send(1, first[1], None, "late")
        echo(connection)

    with Peer(part) as peer, client(peer, 0.1) as c:
        future = c.call_async("first")
        with pytest.raises(rpc.TimeoutError):
            future.get()
        late.set()
        c.timeout = 5
        assert c.call("second", 2) == [2]
        assert c.call("third", 3) == [3]
        with pytest.raises(rpc.TimeoutError):
            future.get()
        assert peer.connections == 1


def test_replies_may_come_in_any_order_and_in_one_piece() -> None:
    def part(connection: Connection) -> None:
        one, two = connection.request(), connection.request()
        answer = [msgpack.packb([1, request[1], None, request[2]]) for request in (two, one)]
        connection.sock.sendall(b"".join(answer))
        connection.request()

    with Peer(part) as peer, client(peer) as c:
        one, two = c.call_async("one"), c.call_async("two")
        assert (one.get(), two.get()) == (b"one", b"two")
        assert (one.get(), one.result, one.error) == (b"one", b"one", None)


def test_requests_and_replies_that_fill_both_ways_pass_each_other() -> None:
    with Peer(echo) as peer, client(peer) as c:
        futures = [c.call_async("method", "x" * 1_000_000) for _ in range(30)]
        assert [len(future.get()[0]) for future in futures] == [1_000_000] * 30


def test_a_closed_idle_connection_is_made_again() -> None:
    def part(connection: Connection) -> None:
        connection.send(1, connection.request()[1], None, True)

    with Peer(part) as peer, client(peer) as c:
        for number in range(3):
            assert c.call("method", number) is True
            wait_until_closed(c)
        assert [request[3] for request in peer.requests] == [[0], [1], [2]]
        assert peer.connections == 3


def wait_until_closed(c: Client) -> None:
    assert c._readable.poll(5000)


def test_a_restarted_server_is_found_again() -> None:
    with Peer(echo) as peer:
        c = client(peer)
        assert c.call("method", 1) == [1]
    with pytest.raises(TransportError):
        c.call("method", 2)
    with Peer(echo, peer.port), c:
        assert c.call("method", 3) == [3]


def test_a_call_whose_connection_breaks_is_not_sent_again() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        if len(connection.requests) > 1:
            connection.send(1, 1, None, "fine")

    with Peer(part) as peer, client(peer) as c:
        with pytest.raises(TransportError, match="connection closed by the server"):
            c.call("update")
        assert c.call("second") == b"fine"
        assert [request[2] for request in peer.requests] == ["update", "second"]


def test_all_waiting_calls_fail_with_their_connection() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        connection.request()

    with Peer(part) as peer, client(peer) as c:
        for future in [c.call_async("one"), c.call_async("two")]:
            with pytest.raises(TransportError):
                future.get()


def test_a_refused_connection_is_a_transport_error_and_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    text = f"Retry connection over the limit: Connection refused (method at 127.0.0.1:{port})"
    with Client(Address("127.0.0.1", port), 5) as c:
        for _ in range(2):
            with pytest.raises(TransportError, match=f"^{re.escape(text)}$") as caught:
                c.call("method")
            assert isinstance(caught.value.__cause__, ConnectionRefusedError)
        with Peer(echo, port):
            assert c.call("method") == []
            c.close()


@pytest.mark.parametrize(
    ("host", "port", "cause"),
    [
        ("no-such-host.invalid", 1, socket.gaierror),
        ("x" * 70, 1, UnicodeError),
        ("127.0.0.1", 2**70, OverflowError),
        ("::1", -1, socket.gaierror),
    ],
)
def test_a_place_that_cannot_be_found_is_a_transport_error(host: str, port: int, cause: type[Exception]) -> None:
    with Client(Address(host, port), reconnect_limit=1) as c:
        with pytest.raises(TransportError, match=r"^Retry connection over the limit: .") as caught:
            c.call("method")
        assert isinstance(caught.value.__cause__, cause)
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        assert str(caught.value).endswith(f" (method at {where})")
        assert not str(caught.value).startswith("Retry connection over the limit: None")


def test_each_call_of_a_lost_connection_says_which_it_was() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        connection.request()

    with Peer(part) as peer, client(peer) as c:
        for name, future in [(name, c.call_async(name)) for name in ("one", "two")]:
            with pytest.raises(TransportError) as caught:
                future.get()
            assert str(caught.value) == f"connection closed by the server ({name} at 127.0.0.1:{peer.port})"


MALFORMED = {
    "no value": b"\xc1",
    "extension": b"\xc7\x01\x01\x00",
    "no array": b"\x05",
    "request": b"\x94\x00\x00\xa1m\x90",
    "three fields": b"\x93\x01\x00\xc0",
    "five fields": b"\x95\x01\x00\xc0\xc0\xc0",
    "negative id": b"\x94\x01\xff\xc0\xc0",
    "too deep": b"\x94\x01\x00\xc0" + b"\x91" * 100 + b"\xc0",
}


@pytest.mark.parametrize("reply", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_reply_breaks_the_connection_only(reply: bytes) -> None:
    def part(connection: Connection) -> None:
        _, msgid, *_ = connection.request()
        if msgid == 0:
            connection.sock.sendall(reply)
            connection.request()
        connection.send(1, msgid, None, "fine")

    with Peer(part) as peer, client(peer) as c:
        with pytest.raises(TransportError, match="reply that is not MessagePack-RPC"):
            c.call("method")
        assert c.call("method") == b"fine"
        assert peer.connections == 2


def test_a_reply_over_the_limit_breaks_the_connection() -> None:
    with Peer(replies((None, "x" * 2000))) as peer, client(peer, max_reply=1000) as c:
        with pytest.raises(TransportError, match="more than 1000 bytes"):
            c.call("method")


def test_large_replies_are_read() -> None:
    value = ["x" * 2_000_000, list(range(200_000))]
    with Peer(replies((None, value))) as peer, client(peer) as c:
        text, numbers = c.call("method")
        assert (len(text), len(numbers)) == (2_000_000, 200_000)


def test_results_may_be_decoded_as_text() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        connection.sock.sendall(b"\x94\x01\x00\xc0\x92\xa1a\xc4\x01\xff")
        connection.request()

    with Peer(part) as peer, client(peer, unpack_encoding="utf-8") as c:
        assert c.call("method") == ["a", b"\xff"]


def test_threads_take_turns() -> None:
    wrong = []

    def work(c: Client, number: int) -> None:
        for step in range(30):
            if c.call("method", number, step) != [number, step]:
                wrong.append((number, step))

    with Peer(echo) as peer, client(peer) as c:
        threads = [threading.Thread(target=work, args=[c, number]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(peer.requests) == 180
        assert peer.connections == 1
    assert wrong == []


def test_a_thread_waits_for_its_turn_no_longer_than_its_time() -> None:
    with Peer(replies()) as peer, client(peer, 2) as c:
        waiting = threading.Thread(target=call_in_vain, args=[c])
        waiting.start()
        while not c._lock.locked():
            time.sleep(0.001)
        c.timeout = 0.1
        start = time.monotonic()
        with pytest.raises(rpc.TimeoutError):
            c.call("second")
        assert time.monotonic() - start < 1
        c.close()
        waiting.join(1)
        assert not waiting.is_alive()


def call_in_vain(c: Client) -> None:
    try:
        c.call("first")
    except TransportError:
        pass


def test_a_forked_child_takes_a_connection_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(echo) as peer, client(peer) as c:
        c.call("parent")
        parents = c._socket
        assert parents is not None
        kept = socket.socket(fileno=parents.dup().detach())
        monkeypatch.setattr(rpc.os, "getpid", lambda: -1)
        assert c.call("child", 1) == [1]
        assert peer.connections == 2
        with kept:
            kept.settimeout(5)
            kept.sendall(b"\x94\x00\x09\xa1m\x91\x01")
            assert kept.recv(100) == b"\x94\x01\x09\xc0\x91\x01"


def test_a_closed_client_connects_again() -> None:
    with Peer(echo) as peer, client(peer) as c:
        for _ in range(2):
            assert c.call("method") == []
            c.close()
        c._loop._ioloop.close()
        assert peer.connections == 2


def test_small_requests_leave_at_once() -> None:
    with Peer(echo) as peer, client(peer) as c:
        c.call("method")
        assert c._socket is not None
        assert c._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_value_that_cannot_be_packed_is_refused_before_anything_is_sent() -> None:
    with Peer(echo) as peer, client(peer) as c:
        with pytest.raises(TypeError):
            c.call("method", object())
        assert peer.connections == 0
        assert c.call("method") == []


def test_a_forgotten_client_is_no_leak() -> None:
    with Peer(echo) as peer, warnings.catch_warnings():
        warnings.simplefilter("error")
        c = client(peer)
        c.call("method")
        del c
        gc.collect()
