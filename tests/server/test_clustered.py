"""A server of a cluster whose coordinator is in memory: what its model is told of the ring."""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from jubatus._core.services.stat import Stat
from jubatus.cluster import paths, zookeeper
from jubatus.cluster.memory import Memory, MemorySession
from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries
from jubatus.daemon.life import listen
from jubatus.errors import ClusterError
from jubatus.rpc.server import Connection
from jubatus.server.clustered import Clustered
from jubatus.server.settings import Cluster, Settings
from jubatus.stat import SERVICE
from tests.conftest import PATIENCE, Peer
from tests.ports import free_port

KEYS = [b"%d" % number for number in range(100)]
OTHER = Node("10.0.0.1", 9199)


class Watched(Stat):
    """Counts how often the ring has changed."""

    changes = 0

    def reassign(self) -> None:
        self.changes += 1


WATCHED = dataclasses.replace(SERVICE, model=f"{__name__}:{Watched.__name__}")


class World:
    """A cluster with one server, and a session of somebody else."""

    def __init__(self, memory: Memory, folder: Path) -> None:
        self.zk = memory.connect()
        self.port = free_port()
        for path in ("/jubatus", paths.configs(), paths.configs("stat")):
            self.zk.create(path)
        self.zk.create(paths.config("stat", "c"), b'{"window_size": 5}')
        cluster = Cluster("memory", "c", "linear_mixer", 0, 0, 5, 1)
        settings = Settings("jubastat", self.port, "127.0.0.1", timeout=0, datadir=str(folder), cluster=cluster)
        self.program = Clustered(WATCHED, settings, "127.0.0.1")
        self.model: Watched = self.program._model  # type: ignore[assignment]

    async def until(self, condition: Callable[[], object]) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not condition():
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.01)

    def enter(self, node: Node) -> None:
        for entry in ring_entries(node):
            self.zk.create(f"{paths.cht('stat', 'c')}/{entry}", node.name.encode(), ephemeral=True)

    def leave(self, node: Node) -> None:
        for entry in ring_entries(node):
            self.zk.delete(f"{paths.cht('stat', 'c')}/{entry}")

    def held(self) -> list[bytes]:
        return [key for key in KEYS if self.model.context.holds(key)]

    def given(self, *nodes: Node) -> list[bytes]:
        """Return what the ring of some servers gives to this one."""
        ring = Ring({entry: node for node in nodes for entry in ring_entries(node)})
        return [key for key in KEYS if Node("127.0.0.1", self.port) in ring.find(key, 2)]


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, test: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    memory = Memory()
    monkeypatch.setattr(zookeeper, "connect", lambda hosts, timeout, **access: memory.connect())
    world = World(memory, folder)

    async def main() -> None:
        server = world.program.server()
        await server.start(listen("127.0.0.1", world.port))
        try:
            await world.program.begin(lambda: None)
            await test(world)
        finally:
            await world.program.end()
            await server.stop(1)
            await asyncio.to_thread(world.program.close)

    asyncio.run(main())


def test_a_model_is_told_which_keys_its_server_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async def shows(*nodes: Node, after: int) -> None:
            await world.until(lambda: world.held() == world.given(*nodes) and world.model.changes > after)

        me = Node("127.0.0.1", world.port)
        await shows(me, after=0)
        assert world.held() == KEYS
        for _ in range(2):
            before = world.model.changes
            world.enter(OTHER)
            await shows(me, OTHER, after=before)
            assert 0 < len(world.held()) < len(KEYS)
            assert world.model.fresh().context is world.model.context
            before = world.model.changes
            world.leave(OTHER)
            await shows(me, after=before)

    run(tmp_path, monkeypatch, test)


def test_a_change_of_the_active_servers_is_no_change_of_the_ring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: World) -> None:
        await world.until(lambda: world.model.changes)
        before = world.model.changes
        told: list[str] = []
        world.program._view.on_change(told.append)
        if not world.zk.exists(paths.actives("stat", "c")):
            world.zk.create(paths.actives("stat", "c"))
        world.zk.create(f"{paths.actives('stat', 'c')}/{OTHER.name}", ephemeral=True)
        await world.until(lambda: told)
        assert world.model.changes == before
        world.enter(OTHER)
        await world.until(lambda: world.model.changes > before)
        assert world.model.changes - before < len(told)

    run(tmp_path, monkeypatch, test)


def test_a_ring_that_cannot_be_read_at_first_is_read_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter(range(3))
    watch = MemorySession.watch_children

    def failing(self: MemorySession, path: str, fire: Callable[[], None]) -> Any:
        if path.endswith("/cht") and next(failures, None) is not None:
            raise ClusterError("no answer")
        return watch(self, path, fire)

    monkeypatch.setattr(MemorySession, "watch_children", failing)

    async def test(world: World) -> None:
        await world.until(lambda: world.model.changes)
        assert world.held() == KEYS

    run(tmp_path, monkeypatch, test)


def test_only_servers_are_answered_what_servers_call_on_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = iter(["10.0.0.1", "10.0.0.2", ""])

    async def test(world: World) -> None:
        world.zk.create(f"{paths.nodes('stat', 'c')}/{OTHER.name}", ephemeral=True)

        def call() -> list[Any]:
            found = []
            for caller in callers:
                monkeypatch.setattr(Connection, "caller", caller)
                with Peer(world.port) as peer:
                    answers = [peer.call_plain(method, 0)[0] for method in ("get_diff", "get_model")]
                    answers += [peer.call_plain("put_diff", b"")[0], peer.call("do_mix")[0], peer.call("get_status")[0]]
                    found.append(answers)
            return found

        found = await asyncio.to_thread(call)
        server, outsider, own = ([error is None for error in answers] for answers in found)
        assert server == own == [True, True, False, True, True]
        assert outsider == [False, False, False, True, True]
        text = b"get_diff is answered to servers of the cluster only, 10.0.0.2 is none"
        assert found[1][0] == text
        assert found[0][2] == found[2][2] != found[1][2]  # an empty diff is none

    run(tmp_path, monkeypatch, test)
