"""A keeper's relay on the loop of a thread, for a service that has every kind of row."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from jubatus._core.wire import pack
from jubatus.cluster import paths
from jubatus.cluster.membership import prepare
from jubatus.cluster.memory import Memory
from jubatus.cluster.paths import Node
from jubatus.cluster.registration import create_if_missing
from jubatus.cluster.ring import ring_entries
from jubatus.cluster.view import View
from jubatus.idl import Argument, Host, Join, Lock, Method, Route, Service
from jubatus.keeper.relay import Relay
from jubatus.methods import COMMON
from jubatus.rpc.links import Links
from jubatus.rpc.server import Server
from jubatus.types import BOOL, STRING
from tests.conftest import Peer as Client
from tests.rpc.peer import Connection, Peer

TYPE = "sample"
NAME = "c"


def row(name: str, route: Route, lock: Lock, join: Join = Join.PASS, replicas: int = 2, **options: Any) -> Method:
    args = (Argument("key", STRING),) if route is Route.CHT else ()
    return Method(name, args, BOOL, route, lock, join, "Doc.", replicas=replicas, **options)


SERVICE = Service(
    TYPE,
    "",
    (
        row("ask", Route.RANDOM, Lock.ANALYSIS),
        row("tell", Route.RANDOM, Lock.UPDATE),
        row("make", Route.RANDOM, Lock.NOLOCK, changes=True),
        row("peek", Route.RANDOM, Lock.NOLOCK, changes=False),
        row("find", Route.CHT, Lock.ANALYSIS),
        row("put", Route.CHT, Lock.UPDATE, Join.ALL_AND),
        row("put_one", Route.CHT, Lock.UPDATE, replicas=1),
        row("all", Route.BROADCAST, Lock.UPDATE, Join.ALL_AND),
        row("any", Route.BROADCAST, Lock.UPDATE, Join.ALL_OR),
        row("gather", Route.BROADCAST, Lock.ANALYSIS, Join.MERGE),
        row("secret", Route.INTERNAL, Lock.UPDATE),
        row("mix", Route.INTERNAL, Lock.NOLOCK, changes=True, host=Host.CLUSTER),
    ),
    COMMON,
    uses_cht=True,
)


class Keeper:
    """A relay, its tree, and its clients.

    Args:
        timeout: seconds that a call may take.
        options: of the links.
    """

    def __init__(self, timeout: float = 10, **options: Any) -> None:
        self.memory = Memory()
        self.session = self.memory.connect()
        prepare(self.session, TYPE, NAME)
        self.relay: Relay
        self.port = 0
        self.unhandled: list[dict[str, Any]] = []
        self._timeout = timeout
        self._options = options
        self._loop: Any = uvloop.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(10)

    def client(self) -> Client:
        return Client(self.port)

    def call(self, method: str, *args: Any, name: str = NAME) -> tuple[Any, Any]:
        with self.client() as client:
            return client.call(method, *args, name=name)

    def list(self, node: Node, name: str = NAME, ring: bool = True) -> None:
        """Make a server known in ZooKeeper."""
        for path in (paths.cluster(TYPE, name), paths.actives(TYPE, name), paths.cht(TYPE, name)):
            create_if_missing(self.session, path)
        create_if_missing(self.session, f"{paths.actives(TYPE, name)}/{node.name}")
        for entry in ring_entries(node) if ring else ():
            self.session.create(f"{paths.cht(TYPE, name)}/{entry}", node.name.encode())

    def unlist(self, node: Node, name: str = NAME) -> None:
        self.session.delete(f"{paths.actives(TYPE, name)}/{node.name}")
        for entry in ring_entries(node):
            self.session.delete(f"{paths.cht(TYPE, name)}/{entry}")

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        assert not self._thread.is_alive()
        self.session.close()
        assert self.unhandled == []
        assert self.drained

    def finish(self) -> None:
        """Have it answer what was received, and end."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def _run(self) -> None:
        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: self.unhandled.append(context))
            listener = socket.create_server(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            view = View(self.session, TYPE)
            links = Links(**self._options)
            self.relay = Relay(
                SERVICE, view, links, self._timeout, lambda: pack({"me": {"requests": str(self.relay.requests)}})
            )
            server = Server(self.relay.serve, limit=256)
            self._stop = asyncio.Event()
            await server.start(listener)
            self._started.set()
            await self._stop.wait()
            self.drained = await server.stop(5)
            self.relay.close()
            links.close()
            view.close()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(main())


@contextmanager
def keeper(*servers: Peer, **options: Any) -> Iterator[Keeper]:
    """Run a keeper that knows these servers."""
    running = Keeper(**options)
    try:
        for server in servers:
            running.list(node(server))
        yield running
    finally:
        running.stop()


def node(server: Peer) -> Node:
    return Node("127.0.0.1", server.port)


def always(result: Any = True, error: Any = None) -> Callable[[Connection], None]:
    """Return a part that answers every request alike."""

    def part(connection: Connection) -> None:
        while True:
            connection.send(1, connection.request()[1], error, result)

    return part


def dying(connection: Connection) -> None:
    """Close the connection after the first request."""
    connection.request()
    raise EOFError


PROBE = "get_config"


def methods(*servers: Peer) -> list[str]:
    """Return the methods that were called, without the keeper's own calls."""
    return [request[2] for server in servers for request in server.requests if request[2] != PROBE]
