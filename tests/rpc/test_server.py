import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgpack
import psutil
import pytest
import uvloop

from jubatus._core.wire import Frame, pack, reply
from jubatus._core.wire.conversation import FULL, Conversation
from jubatus.rpc import server as rpc
from jubatus.rpc.gate import Gate
from tests.conftest import Peer, Start, packed, wait_for

ECHO = "echo"


def request(msgid: int, method: str = ECHO, *args: Any) -> bytes:
    return packed([0, msgid, method, ["", *args]])


class Host:
    """A server on the loop of a thread, with a few methods of its own."""

    def __init__(self, **options: Any) -> None:
        self.served: list[bytes] = []
        self.conversations: list[tuple[Frame, Conversation]] = []
        self.errors: list[dict[str, Any]] = []
        self.big = pack(bytes(1 << 18))
        self._options = options
        self._loop: Any = uvloop.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(10)

    def _run(self) -> None:
        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: self.errors.append(context))
            listener = socket.create_server(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            self.server = rpc.Server(self.serve, **self._options)
            self._stop = asyncio.Event()
            await self.server.start(listener)
            self._started.set()
            await self._stop.wait()
            self.done = await self.server.stop(2)

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(main())

    def serve(self, frame: Frame, conversation: Conversation) -> bytes | None:
        self.served.append(frame.method)
        if frame.method == b"later":
            self.conversations.append((frame, conversation))
            return None
        result = self.big if frame.method == b"big" else pack(frame.method)
        return b"" if frame.kind else reply(frame.msgid, result)

    def complete(self, result: bytes = b"") -> None:
        """Answer the request that was deferred first."""
        frame, conversation = self.conversations.pop(0)
        answer = b"" if frame.kind else reply(frame.msgid, result or pack(frame.method))
        self._loop.call_soon_threadsafe(conversation.complete, answer)

    def stop(self) -> bool:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        assert not self._thread.is_alive()
        assert self.errors == []
        return self.done


@contextmanager
def host(**options: Any) -> Iterator[Host]:
    running = Host(**options)
    try:
        yield running
    finally:
        running.stop()


class CountingTransport:
    """A transport that takes down what is done to it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def get_extra_info(self, name: str) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: self.done.append((name, *args))


def connection(serve: Any, **options: Any) -> tuple[rpc.Connection, list[Any]]:
    transport: Any = CountingTransport()
    made = rpc.Connection(rpc.Server(serve, **options))
    made.connection_made(transport)
    return made, transport.done


def test_one_write_for_all_replies_of_a_chunk() -> None:
    def serve(frame: Frame, conversation: Conversation) -> bytes:
        return reply(frame.msgid, b"\x01")

    one, done = connection(serve)
    one.data_received(b"".join(map(request, range(40))) + request(40)[:5])
    one.data_received(request(40)[5:])
    writes = [args for name, *args in done]
    assert {name for name, *_ in done} == {"write"}
    assert [len(data) for (data,) in writes] == [40 * 5, 5]


def test_nothing_is_read_or_answered_while_the_peer_does_not_read() -> None:
    big = bytes(600_000)

    def serve(frame: Frame, conversation: Conversation) -> bytes:
        return reply(frame.msgid, pack(big))

    async def test() -> None:
        one, done = connection(serve)
        one.pause_writing()
        one.data_received(b"".join(map(request, range(10))))
        await asyncio.sleep(0)
        assert [name for name, *_ in done] == ["write", "pause_reading"]
        done.clear()
        one.resume_writing()
        for number in range(1, 10):
            await asyncio.sleep(0)
            assert [name for name, *_ in done[:9]] == ["write"] * number
        assert [name for name, *_ in done] == ["write"] * 9 + ["resume_reading"]
        assert {len(data) for name, data in done[:9]} == {600_000 + 9}

    asyncio.run(test())


def test_a_connection_that_sends_much_gives_way_after_each_piece() -> None:
    def serve(frame: Frame, conversation: Conversation) -> bytes:
        return reply(frame.msgid, b"\x01")

    async def test() -> None:
        one, done = connection(serve)
        one.data_received(b"".join(map(request, range(1000))))
        assert [name for name, *_ in done] == ["write", "pause_reading"]
        while done[-1][0] != "resume_reading":
            await asyncio.sleep(0)
        assert [name for name, *_ in done[2:-1]] == ["write"] * (len(done) - 3)
        assert len(done) > 8
        done.clear()
        piece = request(1, ECHO, "x" * 500_000)[:FULL]
        one.data_received(piece)
        assert done == [("pause_reading",)]
        await asyncio.sleep(0)
        assert done == [("pause_reading",), ("resume_reading",)]
        one.data_received(piece[:1000])
        assert len(done) == 2

    asyncio.run(test())


def test_a_client_that_never_reads_does_not_grow_memory() -> None:
    with host() as server, Peer(server.port) as peer:
        peer.send(b"".join(request(number, "big") for number in range(2000)))  # 500 MB of replies
        time.sleep(0.3)
        held = len(server.served) * len(server.big)
        assert held < 20 << 20
        with Peer(server.port) as other:
            assert other.result(ECHO) == b"echo"
        assert [peer.reply()[1] for _ in range(2000)] == list(range(2000))


def test_fewer_requests_are_deferred_while_their_replies_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "REPLIES", 64 << 10)

    async def test() -> None:
        conversations: list[Conversation] = []

        def serve(frame: Frame, conversation: Conversation) -> bytes | None:
            conversations.append(conversation)
            return None

        one, done = connection(serve, limit=256)
        one.data_received(b"".join(map(request, range(3000))))
        assert one.waiting == rpc.FIRST
        for size, most in ((8 << 10, 8), (100, 256), (16 << 10, 4), (1 << 20, 1)):
            for _ in range(260):
                one.complete(bytes(size))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                done.clear()
            assert one.waiting == most, size

    asyncio.run(test())


def test_the_worst_of_those_that_do_not_read_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    with host(gate=Gate(max_buffers=30), limit=256) as server, ExitStack() as stack:
        deaf, worst, other = (stack.enter_context(Peer(server.port)) for _ in range(3))
        for peer, count in ((deaf, 5), (worst, 60)):
            peer.send(b"".join(request(number, "later") for number in range(count)))
        wait_for(lambda: len(server.conversations) == 5 + rpc.FIRST)
        with caplog.at_level(logging.INFO, "jubatus"):
            while not caplog.messages:
                wait_for(lambda: server.conversations)
                server.complete(pack(bytes(2 << 20)))
        assert other.result(ECHO) == b"echo"
        name = "{}:{}".format(*worst.socket.getsockname())
        (line,) = caplog.messages
        assert line.startswith(f"connection of {name} closed: ")
        assert line.endswith(" are allowed")
        assert server.server.unsent <= 30 << 20


def test_one_reply_may_be_longer_than_all_that_may_be_unsent(caplog: pytest.LogCaptureFixture) -> None:
    with host(gate=Gate(max_buffers=1)) as server, Peer(server.port) as peer, Peer(server.port) as other:
        server.big = pack(bytes(64 << 20))
        peer.send(request(1, "big") + request(2, "big"))
        time.sleep(0.2)
        assert other.result(ECHO) == b"echo"
        assert [peer.reply()[1] for _ in range(2)] == [1, 2]
    assert caplog.messages == []


def test_no_delay_is_set() -> None:
    seen = []

    class Spy(rpc.Connection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            option = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            seen.append(option)
            super().connection_made(transport)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rpc, "Connection", Spy)
        with host() as server, Peer(server.port) as peer:
            peer.result(ECHO)
    assert seen == [1]


def test_other_connections_go_on_while_one_waits() -> None:
    with host() as server, Peer(server.port) as slow, Peer(server.port) as quick:
        slow.send(request(1, "later") + request(2))
        slow.send(request(3))
        wait_for(lambda: server.conversations)
        assert quick.result(ECHO) == b"echo"
        server.complete()
        assert [slow.reply()[1] for _ in range(3)] == [1, 2, 3]


def test_what_a_lost_client_sent_is_carried_out() -> None:
    with host() as server:
        with Peer(server.port) as peer:
            peer.send(packed([2, "later", [""]]) + packed([2, "a", [""]]) + request(1, "b"))
            wait_for(lambda: server.conversations)
        server.complete()
        wait_for(lambda: server.served == [b"later", b"a", b"b"])


def test_a_client_that_has_sent_all_gets_its_replies() -> None:
    with host() as server, Peer(server.port) as peer:
        peer.send(request(1) + request(2, "later") + request(3))
        peer.socket.shutdown(socket.SHUT_WR)
        wait_for(lambda: server.conversations)
        server.complete()
        assert [peer.reply()[1] for _ in range(3)] == [1, 2, 3]
        assert peer.at_end()


def test_a_client_that_has_sent_all_gets_replies_that_do_not_wait_for_each_other() -> None:
    with host(limit=10) as server, Peer(server.port) as peer:
        peer.send(request(1, "later") + request(2, "later") + request(3))
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.reply()[1] == 3
        time.sleep(0.05)  # the end is seen meanwhile
        server.complete()
        server.complete()
        assert [peer.reply()[1] for _ in range(2)] == [1, 2]
        assert peer.at_end()


def test_a_connection_is_read_on_as_far_as_requests_may_be_deferred() -> None:
    async def test() -> None:
        conversations: list[Conversation] = []

        def serve(frame: Frame, conversation: Conversation) -> bytes | None:
            conversations.append(conversation)
            return None

        one, done = connection(serve, limit=3)
        one.data_received(request(1) + request(2))
        assert done == []
        one.data_received(b"".join(map(request, range(3, 6))))
        assert done == [("pause_reading",)]
        assert len(conversations) == 3
        done.clear()
        for msgid in (3, 1, 2):
            conversations[0].complete(reply(msgid, b"\x01"))
        assert done == []
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert done == [("write", b"".join(reply(msgid, b"\x01") for msgid in (3, 1, 2))), ("resume_reading",)]
        assert len(conversations) == 5

    asyncio.run(test())


def test_stop_answers_all_that_is_deferred() -> None:
    server = Host(limit=10)
    with Peer(server.port) as peer:
        peer.send(request(1, "later") + request(2, "later") + request(3))
        assert peer.reply()[1] == 3
        for delay in (0.1, 0.2):
            threading.Timer(delay, server.complete).start()
        assert server.stop()
        assert [peer.reply()[1] for _ in range(2)] == [1, 2]
        assert peer.at_end()


def idle(port: int, *chunks: bytes, pause: float = 0.1) -> float:
    """Send chunks with pauses between and return how long after the last the connection is closed."""
    with Peer(port) as peer:
        for chunk in chunks:
            time.sleep(pause)
            peer.send(chunk)
        start = time.monotonic()
        while peer.socket.recv(1 << 16):
            pass
        return time.monotonic() - start


def test_idle_connections_are_closed() -> None:
    with host(timeout=0.25) as server:
        assert 0.2 < idle(server.port) < 1
        assert 0.2 < idle(server.port, request(1), request(2), request(3)) < 1
        # Neither parts of a message nor notifications count.
        assert idle(server.port, request(1)[:4], request(1)[4:6]) < 0.15
        notification = packed([2, ECHO, [""]])
        assert idle(server.port, notification, notification) < 0.15


def test_a_running_request_is_not_idle() -> None:
    with host(timeout=0.2) as server, Peer(server.port) as peer:
        peer.send(request(1, "later"))
        time.sleep(0.6)
        server.complete()
        start = time.monotonic()
        assert peer.reply() == [1, 1, None, b"later"]
        assert peer.at_end()
        assert 0.1 < time.monotonic() - start < 1


def test_timeout_0_is_never() -> None:
    with host(timeout=0) as server, Peer(server.port) as peer:
        time.sleep(0.3)
        assert peer.result(ECHO) == b"echo"


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"\xc1", "a byte that starts no MessagePack value"),
        (b"\x91" * 40, "containers nested deeper than 32"),
        (packed([0, 1]), "a method name that is no string"),
        (packed([1, 1, None, None]), "a response to a server"),
        (packed(5), "a value that is no MessagePack-RPC message"),
        (request(1, ECHO, "x" * 20_000), "a message of more than 10000 bytes"),
    ],
)
def test_a_broken_stream_ends_its_connection_with_one_line(
    data: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with host(max_size=10_000) as server, Peer(server.port) as good, Peer(server.port) as bad:
        with caplog.at_level(logging.INFO, "jubatus"):
            bad.send(request(7) + data)
            assert bad.reply()[1] == 7
            assert bad.at_end()
        assert good.result(ECHO) == b"echo"
        name = "{}:{}".format(*bad.socket.getsockname())
        assert caplog.messages == [f"connection of {name} closed: {reason}"]


def test_unfinished_messages_are_limited_over_all_connections() -> None:
    with host(gate=Gate(max_buffers=3)) as server:
        peers = [Peer(server.port) for _ in range(3)]
        start = packed("x" * 4_000_000)[:1_200_000]
        for peer in peers[:2]:
            peer.send(start)
        wait_for(lambda: server.server.held == 2_400_000)
        peers[2].send(start)
        assert peers[2].at_end()
        wait_for(lambda: server.server.held == 2_400_000)
        for peer in peers:
            peer.close()
        wait_for(lambda: server.server.held == 0)


def test_many_half_open_connections_do_not_hurt() -> None:
    with host() as server:
        peers = [Peer(server.port) for _ in range(1000)]
        for peer in peers:
            peer.send(request(1)[:3])
        start = time.monotonic()
        assert peers[0].socket.send(request(1)[3:])
        assert peers[0].reply()[1] == 1
        assert time.monotonic() - start < 1
        for peer in peers:
            peer.close()


def test_stop_answers_what_was_received() -> None:
    server = Host()
    with Peer(server.port) as waiting, Peer(server.port) as still:
        still.result(ECHO)
        waiting.send(request(1, "later") + request(2))
        wait_for(lambda: server.conversations)
        threading.Timer(0.2, server.complete).start()
        assert server.stop()
        assert [waiting.reply()[1] for _ in range(2)] == [1, 2]
        assert waiting.at_end()
        assert still.at_end()
    with pytest.raises(ConnectionRefusedError):
        Peer(server.port)


def test_stop_does_not_wait_for_ever() -> None:
    server = Host()
    with Peer(server.port) as peer:
        peer.send(request(1, "later"))
        wait_for(lambda: server.conversations)
        start = time.monotonic()
        assert not server.stop()
        assert 1.5 < time.monotonic() - start < 4
        assert peer.at_end()


def test_lack_of_descriptors_does_not_end_the_server(server: Start) -> None:
    running = server("weight", {"converter": {}}, "--timeout", "0")
    process = psutil.Process(running.proc.pid)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 20, process.num_fds() + 20))
    peers = [running.peer() for _ in range(60)]
    for peer in peers:
        peer.socket.settimeout(0.05)
    answered = 0
    for peer in peers:
        try:
            answered += peer.call("get_config")[0] is None
        except (OSError, ConnectionError):
            continue
    assert 0 < answered < 60
    for peer in peers:
        peer.close()
    wait_for(lambda: answers(running.port))


def answers(port: int) -> bool:
    try:
        with Peer(port) as peer:
            return msgpack.unpackb(peer.result("get_config") and b"\xc3") is True
    except ConnectionError:
        return False


@pytest.mark.parametrize(
    ("there", "here", "caller"),
    [
        ("10.0.0.2", "10.0.0.1", "10.0.0.2"),
        ("::ffff:10.0.0.2", "::ffff:10.0.0.1", "10.0.0.2"),
        ("fe80::2%eth0", "fe80::1%eth0", "fe80::2"),
        ("127.0.0.1", "127.0.0.1", ""),
        ("127.0.0.9", "127.0.0.1", ""),
        ("::1", "::1", ""),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", ""),
        ("10.0.0.1", "10.0.0.1", ""),
    ],
)
def test_who_calls(there: str, here: str, caller: str) -> None:
    class Transport(CountingTransport):
        def get_extra_info(self, name: str) -> tuple[str, int]:
            return {"peername": (there, 5), "sockname": (here, 9199)}[name]

    one = rpc.Connection(rpc.Server(lambda frame, conversation: b""))
    assert one.caller == ""
    transport: Any = Transport()
    one.connection_made(transport)
    assert one.caller == caller
    one.connection_lost(None)
    assert one.caller == ""
