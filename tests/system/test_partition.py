"""Servers that cannot reach each other, though all of them reach ZooKeeper: three in this process, lines cut by hand."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest

from jubatus._core.wire import Reader, pack, unpack
from jubatus.daemon.life import listen
from jubatus.idl import service
from jubatus.rpc import links
from jubatus.rpc.client import TransportError
from jubatus.rpc.links import Links
from jubatus.server.clustered import Clustered
from jubatus.server.settings import Cluster, Settings
from tests.conftest import PATIENCE
from tests.ports import free_port
from tests.system.cluster import tool
from tests.system.test_faults import CONFIG, content
from tests.zookeeper import ZooKeeper

SERVERS = 3


class Cut(Links):
    """Links of one server, some of which are cut.

    Attributes:
        cut: (from, to) ports between which nothing passes.
        owner: port of the server that makes the next one.
    """

    cut: ClassVar[set[tuple[int, int]]] = set()
    owner = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._owner = Cut.owner

    async def call(self, address: tuple[str, int], method: bytes, params: bytes, timeout: float) -> Reader:
        if (self._owner, address[1]) in Cut.cut:
            await asyncio.sleep(timeout / 4)
            raise TransportError("cannot connect")
        return await super().call(address, method, params, timeout)


class Three:
    """Three servers on the running event loop."""

    def __init__(self, zookeeper: ZooKeeper, folder: Path, name: str) -> None:
        self.programs: list[Clustered] = []
        self.ports = [free_port() for _ in range(SERVERS)]
        self._servers: list[Any] = []
        self._settings = Cluster(zookeeper.hosts, name, "linear_mixer", 0, 0, 5, 1)
        self._folder = str(folder)

    async def start(self) -> None:
        for port in self.ports:
            settings = Settings(
                "jubaclassifier", port, "127.0.0.1", timeout=0, datadir=self._folder, cluster=self._settings
            )
            program = await asyncio.to_thread(Clustered, service("classifier"), settings, "127.0.0.1")
            Cut.owner = port
            server = program.server()
            await server.start(listen("127.0.0.1", port))
            await program.begin(lambda: None)
            self.programs.append(program)
            self._servers.append(server)
        await self.until(lambda: all(self.obsolete(number) == "0" for number in range(SERVERS)))

    async def until(self, condition: Callable[[], object]) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not condition():
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for program, server in zip(self.programs, self._servers, strict=True):
            await program.end()
            await server.stop(1)
            await asyncio.to_thread(program.close)

    async def call(self, number: int, method: str, *args: Any) -> Any:
        answering = Links()
        try:
            reply = await answering.call(("127.0.0.1", self.ports[number]), method.encode(), pack(list(args)), PATIENCE)
            return unpack(reply.raw())
        finally:
            answering.close()

    async def train(self, number: int, label: str, text: str) -> None:
        assert await self.call(number, "train", "", [[label, [[["message", text]], [], []]]]) == 1

    async def mix(self, number: int) -> bool:
        return bool(await self.call(number, "do_mix", ""))

    def obsolete(self, number: int) -> str:
        return self.programs[number].status()["linear_mixer.is_obsolete"]

    async def contents(self) -> list[Any]:
        return [content((await self.call(number, "get_model", 0))[1]) for number in range(SERVERS)]


def run(zookeeper: ZooKeeper, folder: Path, name: str, test: Callable[[Three], Coroutine[Any, Any, None]]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(CONFIG))
    done = tool("jubaconfig", "-c", "write", "-f", path, "-t", "classifier", "-n", name, "-z", zookeeper.hosts)
    assert done.returncode == 0, done.stderr

    async def main() -> None:
        three = Three(zookeeper, folder, name)
        try:
            await three.start()
            await test(three)
        finally:
            Cut.cut.clear()
            await three.stop()

    asyncio.run(main())


@pytest.fixture(autouse=True)
def _cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "Links", Cut)


def test_two_servers_cannot_reach_each_other(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    """A mixes without B, which falls behind; C, which reaches both, has B catch up; nothing is lost or counted twice."""

    async def test(three: Three) -> None:
        for number in range(SERVERS):
            await three.train(number, "common", f"word{number} all")
            await three.train(number, f"label{number}", f"word{number} own")
        Cut.cut |= {(three.ports[0], three.ports[1]), (three.ports[1], three.ports[0])}
        assert await three.mix(0)
        await three.train(1, "late", "word1 late")
        await three.train(0, "late", "word0 late")
        assert await three.mix(2)
        Cut.cut.clear()
        await three.until(lambda: three.obsolete(1) == "0")
        for _ in range(2):
            assert await three.mix(1)
        assert three.obsolete(1) == "0"
        found = await three.contents()
        assert found[0] == found[1] == found[2]
        counted = {label.decode(): count for label, count in (await three.call(0, "get_labels", "")).items()}
        assert counted == {"common": 3, "label0": 1, "label1": 1, "label2": 1, "late": 2}

    run(zookeeper, tmp_path, "partition", test)


def test_a_reply_that_is_lost(zookeeper: ZooKeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B's diff is mixed, but the mixed diff does not get to B: it is behind, and must not have its diff mixed twice."""

    async def test(three: Three) -> None:
        await three.train(1, "once", "word one two")
        whole = Cut.call

        async def lossy(self: Cut, address: Any, method: bytes, params: bytes, timeout: float) -> Reader:
            if method == b"put_diff" and address[1] == three.ports[1]:
                raise TransportError("connection broken")
            return await whole(self, address, method, params, timeout)

        monkeypatch.setattr(Cut, "call", lossy)
        assert await three.mix(0)
        monkeypatch.setattr(Cut, "call", whole)
        await three.train(1, "behind", "word three")
        assert await three.mix(0)
        await three.until(lambda: three.obsolete(1) == "0")
        assert await three.mix(2)
        found = await three.contents()
        assert found[0] == found[1] == found[2]
        counted = {label.decode(): count for label, count in (await three.call(2, "get_labels", "")).items()}
        assert counted == {"once": 1, "behind": 1}

    run(zookeeper, tmp_path, "lossy", test)
