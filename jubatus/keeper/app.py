"""A keeper process. It serves all clusters of a type and learns from ZooKeeper which servers they have.

It registers once its port is open. While ZooKeeper cannot be reached it goes by what it knew last.
"""

import asyncio
import os
import time
from collections.abc import Callable

from jubatus._core.wire import pack
from jubatus.cluster import paths, zookeeper
from jubatus.cluster.coordinator import Coordinator, NodeExists
from jubatus.cluster.membership import prepare
from jubatus.cluster.paths import Node
from jubatus.cluster.registration import Registration, patience
from jubatus.cluster.view import View
from jubatus.daemon import life
from jubatus.errors import ClusterError
from jubatus.idl import Service
from jubatus.keeper.relay import Relay
from jubatus.keeper.settings import Settings
from jubatus.rpc.links import Links
from jubatus.rpc.server import Server

LIMIT = 256
"""Requests of one connection that are under way at a time."""

POLL = 0.2
"""Seconds between two attempts to register."""


def run(service: Service, settings: Settings) -> int:
    """Be a keeper of the service until a signal ends it; return the exit status."""

    def build(address: str) -> Keeper:
        zk = zookeeper.connect(settings.zookeeper, settings.zookeeper_timeout, **vars(settings.access))
        return Keeper(service, settings, address, zk)

    return life.run(settings, build)


class Keeper:
    """A keeper; see life.Program.

    Args:
        service: whose servers it keeps.
        settings: what the options say.
        address: of the keeper.
        session: with ZooKeeper; the keeper closes it.

    Raises:
        ClusterError: ZooKeeper does not let it begin.
    """

    def __init__(self, service: Service, settings: Settings, address: str, session: Coordinator) -> None:
        self._service = service
        self._settings = settings
        self._session = session
        self._node = Node(address, settings.port)
        self._path = f"{paths.proxies(service.name)}/{self._node.name}"
        self._started = int(time.time())
        self._relay: Relay | None = None
        try:
            self._gate = life.make_gate(settings)
            prepare(session, service.name)
        except BaseException:
            session.close()
            raise
        self._registration = Registration(session)
        self._view = View(session, service.name, service.uses_cht)

    def server(self) -> Server:
        """Return what answers requests."""
        settings = self._settings
        links = Links(
            expire=settings.pool_expire, size=settings.pool_size, width=settings.threads, tls=self._gate.outward
        )
        self._relay = Relay(self._service, self._view, links, settings.interconnect_timeout, self._status)
        self._started = int(time.time())
        return Server(
            self._relay.serve,
            timeout=settings.timeout,
            max_size=settings.max_message_size,
            gate=self._gate,
            limit=LIMIT,
        )

    async def begin(self, stop: Callable[[str], None]) -> None:
        """Register; raise ClusterError."""
        end = time.monotonic() + patience(self._session)
        while True:
            try:
                await asyncio.to_thread(self._registration.add, self._path)
                return
            except NodeExists:
                if time.monotonic() >= end:
                    raise
            await asyncio.sleep(POLL)

    async def end(self) -> None:
        """End the session, which takes a moment even if ZooKeeper does not answer.

        The requests that are left need no session: they are forwarded by what is known.
        """
        await asyncio.to_thread(self._session.close)

    def close(self) -> None:
        """Let go of threads, and end the session with ZooKeeper."""
        if self._relay is not None:
            self._relay.close()
        self._view.close()
        self._registration.close()
        self._session.close()

    def _status(self) -> bytes:
        """Return the packed status."""
        now = int(time.time())
        assert self._relay is not None
        entries = {
            **life.identity(self._settings),
            **life.memory(),
            **self._gate.status(),
            "clock_time": now,
            "start_time": self._started,
            "uptime": now - self._started,
            "pid": os.getpid(),
            "connected_zookeeper": self._connected(),
            "request_count": self._relay.requests,
            "forward_count": self._relay.forwards,
        }
        return pack({self._node.name: {key: str(value) for key, value in entries.items()}})

    def _connected(self) -> str:
        """Return address and port of the ZooKeeper server in use, or nothing without a connection."""
        try:
            return self._session.server
        except ClusterError:
            return ""
