import asyncio
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
import uvloop

from jubatus._core.wire import pack
from jubatus.rpc import links as module
from jubatus.rpc.client import RPCError, TimeoutError, TransportError
from jubatus.rpc.links import Cause, Failure, Links, Outcome
from tests.ports import free_port
from tests.rpc.peer import Connection, Peer, echo, replies

T = TypeVar("T")
PARAMS = pack(["n", 1])
HEAD = b"\x94\x00\xce\x00\x00\x00\x01\xa1m"


def run(work: Callable[[Links], Awaitable[T]], **options: Any) -> T:
    """Run something with links on a loop of its own, and close them."""

    async def main() -> T:
        links = Links(**options)
        try:
            async with asyncio.timeout(20):
                return await work(links)
        finally:
            links.close()
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def at(peer: Peer) -> tuple[str, int]:
    return ("127.0.0.1", peer.port)


class Outcomes:
    """Collects outcomes in order of arrival."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.got: list[tuple[Any, Outcome]] = []
        self._change = asyncio.Event()

    def send(self, key: Any, address: tuple[str, int], method: bytes = b"m", timeout: float = 10) -> None:
        def done(outcome: Outcome) -> None:
            self.got.append((key, outcome))
            self._change.set()

        self.links.send(address, method, pack([key]), timeout, done)

    async def all(self, count: int) -> dict[Any, Any]:
        """Wait for so many outcomes; return results and failures by key."""
        while len(self.got) < count:
            self._change.clear()
            await self._change.wait()
        return {key: outcome if isinstance(outcome, Failure) else outcome.result.unpack() for key, outcome in self.got}


def test_a_call_returns_a_reader_on_the_result() -> None:
    async def work(links: Links) -> Any:
        return (await links.call(at(peer), b"method", PARAMS, 10)).unpack()

    with Peer(echo) as peer:
        assert run(work) == [b"n", 1]
    assert [request[2:] for request in peer.requests] == [["method", ["n", 1]]]


def test_replies_are_matched_by_their_ids_in_any_order() -> None:
    def backwards(connection: Connection) -> None:
        requests = [connection.request() for _ in range(5)]
        for _, msgid, _, params in reversed(requests):
            connection.send(1, msgid, None, params[0])

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        for key in range(5):
            outcomes.send(key, at(peer))
        return await outcomes.all(5), [key for key, _ in outcomes.got]

    with Peer(backwards) as peer:
        assert run(work) == ({key: key for key in range(5)}, [4, 3, 2, 1, 0])
    assert peer.connections == 1


def test_calls_of_one_turn_leave_together() -> None:
    chunks = []

    def part(connection: Connection) -> None:
        connection.send(1, connection.request()[1], None, None)
        chunks.append(connection.sock.recv(1 << 16))
        raise EOFError

    async def work(links: Links) -> None:
        await links.call(at(peer), b"m", PARAMS, 10)
        outcomes = Outcomes(links)
        for key in range(100):
            outcomes.send(key, at(peer))
        await outcomes.all(100)

    with Peer(part) as peer:
        run(work)
    (chunk,) = chunks
    assert chunk.count(b"\x94\x00") == 100


@pytest.mark.parametrize(
    ("error", "text"), [(1, 1), (2, 2), (b"some text \xff", r"some text \xff"), ([b"x", None], [b"x", None])]
)
def test_an_error_of_the_server_is_handed_on(error: Any, text: Any) -> None:
    async def work(links: Links) -> Any:
        with pytest.raises(RPCError) as raised:
            await links.call(at(peer), b"m", PARAMS, 10)
        return raised.value

    with Peer(replies((error, None))) as peer:
        raised = run(work)
    assert (type(raised), raised.args) == (RPCError, (text,))


def test_nobody_listens() -> None:
    address = ("127.0.0.1", free_port())

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        for key in range(3):
            outcomes.send(key, address)
        with pytest.raises(TransportError, match="refused"):
            await links.call(address, b"m", PARAMS, 10)
        return await outcomes.all(3)

    assert run(work) == dict.fromkeys(range(3), Failure("Connection refused", Cause.REFUSED))


@contextmanager
def deaf() -> Iterator[tuple[str, int]]:
    """Yield an address where connecting takes for ever: the kernel's queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_connecting_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT", 0.3)

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        outcomes.send("short", address, timeout=0.1)
        outcomes.send("long", address)
        return await outcomes.all(2), await links.reach(address, b"any", pack([]))

    with deaf() as address:
        assert run(work) == (
            {
                "short": Failure("request timed out", Cause.TIMEOUT),
                "long": Failure("Connection timed out", Cause.UNREACHED),
            },
            False,
        )


def test_a_call_that_is_not_answered_ends_in_time_and_alone() -> None:
    over = threading.Event()

    def part(connection: Connection) -> None:
        requests = [connection.request(), connection.request()]
        over.wait(10)
        for _, msgid, _, params in requests:
            connection.send(1, msgid, None, params)
        echo(connection)

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        start = time.monotonic()
        outcomes.send("patient", at(peer), timeout=10)
        outcomes.send("short", at(peer), timeout=0.2)
        await outcomes.all(1)
        took = time.monotonic() - start
        over.set()
        return await outcomes.all(2), took

    with Peer(part) as peer:
        got, took = run(work)
    assert got == {"short": Failure("request timed out", Cause.TIMEOUT), "patient": [b"patient"]}
    assert 0.15 < took < 2


def test_what_held_up_a_call_gets_no_other() -> None:
    def part(connection: Connection) -> None:
        if peer.connections == 1:
            connection.request()
            connection.request()
        echo(connection)

    async def work(links: Links) -> Any:
        with pytest.raises(TimeoutError):
            await links.call(at(peer), b"m", PARAMS, 0.1)
        return (await links.call(at(peer), b"m", PARAMS, 10)).unpack()

    with Peer(part) as peer:
        assert run(work, width=1) == [b"n", 1]
        assert peer.connections == 2


def test_what_breaks_with_its_connection_fails_at_once() -> None:
    def part(connection: Connection) -> None:
        for _ in range(3):
            connection.request()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise EOFError

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        for key in range(3):
            outcomes.send(key, at(peer))
        return await outcomes.all(3)

    with Peer(part) as peer:
        assert run(work) == dict.fromkeys(range(3), Failure("Connection reset by peer", Cause.BROKEN))


def test_what_a_closing_peer_has_read_is_not_sent_again() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        raise EOFError

    async def work(links: Links) -> None:
        with pytest.raises(TransportError, match="connection closed"):
            await links.call(at(peer), b"m", PARAMS, 10)

    with Peer(part) as peer:
        run(work)
    assert (len(peer.requests), peer.connections) == (1, 1)


def test_an_idle_connection_that_the_server_closed_is_made_again() -> None:
    def part(connection: Connection) -> None:
        _, msgid, _, _ = connection.request()
        connection.send(1, msgid, None, True)
        raise EOFError

    async def work(links: Links) -> None:
        for _ in range(3):
            await links.call(at(peer), b"m", PARAMS, 10)
            await asyncio.sleep(0.05)

    with Peer(part) as peer:
        run(work)
    assert peer.connections == 3


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_call_that_crosses_the_end_of_its_connection_is_sent_again(abruptly: bool) -> None:
    """The loop does not see the end of the connection before it has written the call."""
    closed = []

    def part(connection: Connection) -> None:
        if not closed:
            connection.send(1, connection.request()[1], None, True)
            if abruptly:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sock.close()
            closed.append(True)
            raise EOFError
        echo(connection)

    async def work(links: Links) -> Any:
        await links.call(at(peer), b"m", PARAMS, 10)
        outcomes = Outcomes(links)
        for key in range(3):
            outcomes.send(key, at(peer))
        while not closed:
            time.sleep(0.001)  # the loop stands still, and writes before it reads
        return await outcomes.all(3)

    with Peer(part) as peer:
        assert run(work) == {key: [key] for key in range(3)}
    assert (len(peer.requests), peer.connections) == (4, 2)


def test_a_server_that_closes_every_connection_ends_the_repetition() -> None:
    def part(connection: Connection) -> None:
        raise EOFError

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        outcomes.send(1, at(peer))
        return (await outcomes.all(1))[1]

    with Peer(part) as peer:
        assert run(work).cause in (Cause.UNREACHED, Cause.BROKEN)
    assert peer.connections <= 2


def test_connections_that_close_before_they_are_used_end_the_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module._Link.connection_made

    def close(link: module._Link, transport: asyncio.BaseTransport) -> None:
        made(link, transport)
        link.eof_received()

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        outcomes.send(1, at(peer))
        return (await outcomes.all(1))[1]

    monkeypatch.setattr(module._Link, "connection_made", close)
    with Peer(echo) as peer:
        assert run(work).cause is Cause.UNREACHED
    assert peer.connections <= 2


def test_a_slow_call_does_not_hold_up_the_others() -> None:
    def part(connection: Connection) -> None:
        _, msgid, method, params = connection.request()
        if method == "slow":
            connection.request()
        connection.send(1, msgid, None, params)
        echo(connection)

    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        outcomes.send("slow", at(peer), b"slow")
        await asyncio.sleep(0.05)
        for key in range(10):
            outcomes.send(key, at(peer))
        return await outcomes.all(10)

    with Peer(part) as peer:
        assert run(work, width=2) == {key: [key] for key in range(10)}
        assert peer.connections == 2


def test_connections_that_have_nothing_to_do_expire() -> None:
    async def work(links: Links) -> None:
        await links.call(at(peer), b"m", PARAMS, 10)
        await links.call(at(peer), b"m", PARAMS, 10)
        assert peer.connections == 1
        await asyncio.sleep(2.5)
        await links.call(at(peer), b"m", PARAMS, 10)

    with Peer(echo) as peer:
        run(work, expire=0)
        assert peer.connections == 2


def test_the_number_of_connections_is_limited() -> None:
    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        outcomes.send("silent", at(silent), timeout=0.5)
        await asyncio.sleep(0.05)
        outcomes.send("full", at(peer))
        await outcomes.all(2)
        # Now there is room, and later a connection that does nothing makes room.
        await links.call(at(peer), b"m", PARAMS, 10)
        await links.call(at(other), b"m", PARAMS, 10)
        return await outcomes.all(2)

    with Peer(replies()) as silent, Peer(echo) as peer, Peer(echo) as other:
        assert run(work, size=1) == {
            "full": Failure("too many connections", Cause.FULL),
            "silent": Failure("request timed out", Cause.TIMEOUT),
        }


def test_a_reply_that_is_none_ends_the_connection() -> None:
    def part(connection: Connection) -> None:
        connection.request()
        connection.sock.sendall(b"\xc1")
        connection.request()

    async def work(links: Links) -> None:
        with pytest.raises(TransportError, match="not MessagePack-RPC"):
            await links.call(at(peer), b"m", PARAMS, 10)

    with Peer(part) as peer:
        run(work)


def test_long_messages_pass_both_ways_and_hold_up_nobody_for_long() -> None:
    size = 30 << 20
    params = pack([bytes(size)])

    def part(connection: Connection) -> None:
        left = len(HEAD) + len(params)
        while left:
            left -= len(connection.sock.recv(1 << 20))
        connection.sock.sendall(b"\x94\x01\x01\xc0")
        connection.sock.sendall(params)
        connection.request()

    async def work(links: Links) -> Any:
        lags = []

        async def beat() -> None:
            while True:
                before = time.monotonic()
                await asyncio.sleep(0.001)
                lags.append(time.monotonic() - before)

        beating = asyncio.ensure_future(beat())
        result = await links.call(at(peer), b"m", params, 20)
        beating.cancel()
        return result.array(), len(result.string()), max(lags)

    with Peer(part) as peer:
        count, length, lag = run(work)
    assert (count, length) == (1, size)
    assert lag < 0.5


def test_reaching_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must answer, whatever; a process that stands still takes connections too."""
    monkeypatch.setattr(module, "CONNECT", 0.3)

    async def work(links: Links) -> list[bool]:
        ports = (answering.port, refusing.port, closing.port, silent.port, free_port())
        return [await links.reach(("127.0.0.1", port), b"any", pack(["c"])) for port in ports]

    def closes(connection: Connection) -> None:
        connection.request()

    with (
        Peer(echo) as answering,
        Peer(replies((1, None))) as refusing,
        Peer(closes) as closing,
        Peer(replies()) as silent,
    ):
        assert run(work) == [True, True, False, False, False]
    assert [request[2:] for request in answering.requests + silent.requests] == [["any", ["c"]]] * 2


def test_closing_fails_what_is_under_way() -> None:
    async def work(links: Links) -> Any:
        outcomes = Outcomes(links)
        outcomes.send("sent", at(peer))
        await asyncio.sleep(0.05)
        outcomes.send("waiting", ("127.0.0.1", peer.port))
        links.close()
        return await outcomes.all(2)

    with Peer(replies()) as peer:
        got = run(work)
    assert {failure.error for failure in got.values()} == {"connection closed"}
