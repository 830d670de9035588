"""Trees of nodes that sessions share, in memory and on a real ZooKeeper."""

import time
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from kazoo.client import KazooClient

from jubatus.cluster.coordinator import Coordinator, Session
from jubatus.cluster.memory import Memory, MemorySession
from jubatus.cluster.zookeeper import connect
from tests.conftest import wait_for
from tests.zookeeper import Line, ZooKeeper

TIMEOUT = 2.0


class World(Protocol):
    """A tree, and what happens to the sessions that share it."""

    def connect(self) -> Coordinator: ...

    def suspend(self, zk: Coordinator) -> None: ...

    def resume(self, zk: Coordinator) -> None: ...

    def expire(self, zk: Coordinator) -> None:
        """End the session; it may take a moment until the coordinator knows it."""

    def close(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self._memory = Memory()
        self._sessions: list[MemorySession] = []

    def connect(self) -> Coordinator:
        self._sessions.append(self._memory.connect(TIMEOUT))
        return self._sessions[-1]

    def suspend(self, zk: Any) -> None:
        zk.suspend()

    def resume(self, zk: Any) -> None:
        zk.resume()

    def expire(self, zk: Any) -> None:
        zk.expire()

    def close(self) -> None:
        for session in self._sessions:
            session.close()


class Real:
    def __init__(self, zookeeper: ZooKeeper) -> None:
        self.zookeeper = zookeeper
        zookeeper.start()
        zookeeper.clear()
        self._lines: dict[int, Line] = {}
        self._sessions: list[Coordinator] = []

    def connect(self) -> Coordinator:
        line = Line(self.zookeeper.ports[0])
        zk = connect(line.hosts, TIMEOUT)
        self._lines[id(zk)] = line
        self._sessions.append(zk)
        return zk

    def suspend(self, zk: Any) -> None:
        self._lines[id(zk)].cut()

    def resume(self, zk: Any) -> None:
        self._lines[id(zk)].mend()

    def expire(self, zk: Any) -> None:
        # Who knows number and password of a session may end it.
        client = zk._client
        if not client._session_id:
            return  # it has just ended
        thief = KazooClient(self.zookeeper.hosts, client_id=(client._session_id, client._session_passwd))
        thief.start(10)
        thief.stop()
        thief.close()

    def close(self) -> None:
        for zk in self._sessions:
            zk.close()
        for line in self._lines.values():
            line.close()


@pytest.fixture(params=["memory", "zookeeper"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made: World = InMemory() if request.param == "memory" else Real(request.getfixturevalue("zookeeper"))
    yield made
    made.close()


@pytest.fixture
def zk(world: World) -> Coordinator:
    return world.connect()


def expire(world: World, zk: Coordinator) -> None:
    """End a session, and wait until the coordinator has a new one."""
    epoch = zk.epoch
    while zk.epoch == epoch:
        world.expire(zk)  # in vain if the session has just ended for another reason
        end = time.monotonic() + TIMEOUT
        while zk.epoch == epoch and time.monotonic() < end:
            time.sleep(0.005)
    wait_for(lambda: zk.session is Session.CONNECTED)
