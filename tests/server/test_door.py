"""Who may call what the servers of a cluster call on each other."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jubatus.cluster import paths
from jubatus.cluster.memory import Memory
from jubatus.cluster.registration import create_above
from jubatus.cluster.view import Directory
from jubatus.errors import ClusterError
from jubatus.server import door as module
from jubatus.server.door import Door, Outsider, resolve
from tests.conftest import wait_for

NODES = paths.nodes("stat", "c")


class Caller:
    """A connection of an address."""

    def __init__(self, address: str) -> None:
        self.caller = address


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.0)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


class World:
    """A cluster in memory, and the door of one of its servers."""

    def __init__(self, executor: ThreadPoolExecutor, *names: str) -> None:
        memory = Memory()
        self.zk, self.other = memory.connect(), memory.connect()
        create_above(self.other, f"{NODES}/")
        for name in names:
            self.enter(name)
        self.door = Door(Directory(self.zk, NODES, lambda: None), executor)

    def enter(self, name: str) -> None:
        self.other.create(f"{NODES}/{name}", ephemeral=True)

    def admits(self, address: str) -> bool:
        """Whether the door lets a caller in, which it then knows."""
        caller: Any = Caller(address)
        if self.door.lets(caller):
            return True
        try:
            asyncio.run(self.door.check("get_diff", caller))
        except Outsider as error:
            assert str(error) == f"get_diff is answered to servers of the cluster only, {address} is none"
            return False
        assert self.door.lets(caller)
        return True


def test_servers_are_let_in_from_any_port(executor: ThreadPoolExecutor) -> None:
    world = World(executor, "10.0.0.1_9199", "10.0.0.2_9199", "10.0.0.2_9200", "fe80::1_9199")
    found = [world.admits(address) for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.20", "fe80::1", "::2")]
    assert found == [True, True, False, False, True, False]


def test_a_caller_on_this_machine_is_let_in(executor: ThreadPoolExecutor) -> None:
    assert World(executor).door.lets(Caller(""))  # type: ignore[arg-type]


def test_servers_come_and_go(executor: ThreadPoolExecutor) -> None:
    world = World(executor, "10.0.0.1_9199")
    assert world.admits("10.0.0.1")
    for _ in range(2):
        wait_for(lambda: not world.admits("10.0.0.2"))
        world.enter("10.0.0.2_9199")
        assert world.admits("10.0.0.2")
        assert world.admits("10.0.0.1")
        world.other.delete(f"{NODES}/10.0.0.2_9199")


def test_the_names_of_servers_are_resolved(executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        if host != "one.example":
            raise socket.gaierror
        return [(0, 0, 0, "", (address, 0)) for address in ("10.0.0.7", "fe80::7")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    world = World(executor, "one.example_9199", "unknown_9199")
    assert [world.admits(address) for address in ("10.0.0.7", "fe80::7", "10.0.0.8")] == [True, True, False]
    assert resolve("FE80::0001") == ["fe80::1"]


def test_without_zookeeper_those_that_are_known_are_let_in(executor: ThreadPoolExecutor) -> None:
    world = World(executor, "10.0.0.1_9199")
    assert world.admits("10.0.0.1")
    world.zk.suspend()
    assert world.admits("10.0.0.1")
    with pytest.raises(ClusterError):
        world.admits("10.0.0.2")


def test_each_outsider_is_told_of_once(executor: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture) -> None:
    world = World(executor, "10.0.0.1_9199")
    with caplog.at_level(logging.WARNING, "jubatus"):
        for _ in range(3):
            assert not world.admits("10.0.0.3")
    assert len(caplog.records) == 1
