import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import pytest
import uvloop

from jubatus.cluster.memory import Memory, MemorySession
from jubatus.visor.app import Visor
from jubatus.visor.argv import Argv
from jubatus.visor.children import Children
from jubatus.visor.plan import Refused, Target
from tests.conftest import PATIENCE, packed, wait_for

TARGET = "jubaclassifier/tutorial"
PATH = "/jubatus/supervisors/10.0.0.1_9198"


class Recorder(Children):
    """Servers that only note what is asked of them."""

    def __init__(self) -> None:
        super().__init__(9198, "zk:2181", "10.0.0.1", "", "")
        self.asked: list[Any] = []
        self.left = 0
        self.error: Exception | None = None
        self.waits = asyncio.Event()
        self.waits.set()

    async def start(self, target: Target, wanted: int, argv: Argv) -> None:
        self.asked.append((target, wanted, argv))
        if self.error is not None:
            raise self.error

    async def stop(self, target: Target) -> int:
        self.asked.append(target)
        await self.waits.wait()
        return self.left

    async def close(self) -> None:
        self.asked.append("close")


class Talk:
    """A connection to a visor."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._unpacker = msgpack.Unpacker(raw=True)

    async def reply(self) -> list[Any]:
        while True:
            for message in self._unpacker:
                return list(message)
            data = await self._reader.read(1 << 16)
            assert data, "closed by the visor"
            self._unpacker.feed(data)

    async def call(self, method: str, *args: Any) -> tuple[Any, Any]:
        self.writer.write(packed([0, 7, method, args]))
        kind, msgid, error, result = await self.reply()
        assert (kind, msgid) == (1, 7)
        return error, result


@asynccontextmanager
async def talk(visor: Visor) -> AsyncIterator[Talk]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = visor.server()
    await server.start(listener)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()
        await server.stop(5)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def zk(memory: Memory) -> MemorySession:
    return memory.connect()


@pytest.fixture
def servers() -> Recorder:
    return Recorder()


@pytest.fixture
def visor(zk: MemorySession, servers: Recorder) -> Any:
    made = Visor(zk, "10.0.0.1_9198", servers, 10)
    yield made
    made.close()


def run(part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(part(), PATIENCE)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


def test_start_and_stop(visor: Visor, servers: Recorder) -> None:
    argv = Argv(bind_if="eth0", mixer="skip_mixer")

    async def part() -> None:
        async with talk(visor) as peer:
            assert await peer.call("start", TARGET, 2, argv.values()) == (None, 0)
            assert await peer.call("start", TARGET, 1, [], "more") == (None, 0)
            assert await peer.call("stop", TARGET, 1) == (None, 0)
            servers.left = 2
            assert await peer.call("stop", TARGET, 1, "more") == (None, -2)

    run(part)
    target = Target("jubaclassifier", "tutorial")
    assert servers.asked == [(target, 2, argv), (target, 1, Argv()), target, target]


def test_bytes_of_stop(visor: Visor) -> None:
    request = bytes.fromhex(
        "94 00 01 a4 73 74 6f 70 92 b7 6a 75 62 61 63 6c 61 73 73 69 66 69 65 72 2f 74 75 74 6f 72 69 61 6c 01"
    )

    async def part() -> None:
        async with talk(visor) as peer:
            peer.writer.write(request)
            assert await peer._reader.readexactly(5) == bytes.fromhex("94 01 01 c0 00")

    run(part)


def test_refusals(visor: Visor, servers: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    servers.error = Refused("2 x already running at this machine.")

    async def part() -> None:
        async with talk(visor) as peer:
            assert await peer.call("start", TARGET, 1, []) == (None, -1)
            assert await peer.call("start", "jubaclassifier", 1, []) == (None, -1)
            assert await peer.call("stop", "jubaclassifier/a b", 1) == (None, -1)
            servers.error = ZeroDivisionError("a bug")
            assert await peer.call("start", TARGET, 1, []) == (None, -1)

    run(part)
    assert "2 x already running at this machine." in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_wrong_calls(visor: Visor, servers: Recorder) -> None:
    async def part() -> None:
        async with talk(visor) as peer:
            for args in ([], [TARGET], [TARGET, 1], [1, 1, []], [TARGET, "1", []], [TARGET, -1, []],
                         [TARGET, 1 << 32, []], [TARGET, 1, {}], [TARGET, 1, ["x"]]):  # fmt: skip
                assert await peer.call("start", *args) == (2, b"std::bad_cast")
            assert await peer.call("stop", TARGET) == (2, b"std::bad_cast")
            assert await peer.call("save", TARGET, 1) == (1, b"save")
            peer.writer.write(packed([2, "stop", [TARGET, 1]]) + packed([2, "none", []]) + packed([2, "stop", []]))
            assert await peer.call("stop", TARGET, 1) == (None, 0)  # what was no call had no reply

    run(part)
    assert servers.asked == [Target("jubaclassifier", "tutorial")] * 2


def test_others_are_answered_while_one_waits(visor: Visor, servers: Recorder) -> None:
    async def part() -> None:
        async with talk(visor) as slow, talk(visor) as quick:
            servers.waits.clear()
            stopping = asyncio.create_task(slow.call("stop", TARGET, 1))
            assert await quick.call("start", TARGET, 0, []) == (None, 0)
            assert not stopping.done()
            servers.waits.set()
            assert await stopping == (None, 0)

    run(part)


def test_registration(visor: Visor, memory: Memory, zk: MemorySession, servers: Recorder) -> None:
    async def part() -> None:
        await visor.begin(lambda: None)
        assert zk.mine(PATH)
        assert zk.get(PATH) == b""
        assert zk.exists("/jubatus/actors")
        zk.expire()
        await asyncio.to_thread(wait_for, lambda: zk.mine(PATH))
        assert servers.asked == []  # they go on
        await visor.end()
        assert not memory.connect().exists(PATH)
        assert servers.asked == ["close"]

    run(part)


def test_registration_of_an_earlier_visor(servers: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    memory = Memory()
    earlier, zk = memory.connect(), memory.connect()
    first, second = (Visor(each, "10.0.0.1_9198", servers, 10) for each in (earlier, zk))

    async def part() -> None:
        await first.begin(lambda: None)
        await second.begin(lambda: None)
        assert earlier.mine(PATH)
        first.close()
        await asyncio.to_thread(wait_for, lambda: zk.exists(PATH) and zk.mine(PATH))

    run(part)
    second.close()
    assert PATH in caplog.text


def test_end_without_zookeeper(visor: Visor, zk: MemorySession, servers: Recorder) -> None:
    async def part() -> None:
        await visor.begin(lambda: None)
        zk.suspend()
        await visor.end()
        assert servers.asked == ["close"]

    run(part)
