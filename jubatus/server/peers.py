"""What a handler needs that calls other servers of its cluster."""

import asyncio
import importlib
import importlib.util
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from jubatus._core.model import Model
from jubatus._core.wire import Reader
from jubatus.cluster.membership import Ids
from jubatus.cluster.paths import Node
from jubatus.rpc.links import Links
from jubatus.server.dispatch import Dispatcher
from jubatus.server.holdings import REPLICAS, Holdings


class Peers:
    """The servers of a cluster as one of them sees them.

    Args:
        name: of the cluster.
        me: this server.
        model: its model.
        holdings: knows the ring.
        ids: makes the ids of the cluster.
        links: to the other servers.
        timeout: seconds that a call to a server may take.
        blocking: its threads ask ZooKeeper, which may keep its caller waiting.

    Attributes:
        dispatcher: gives own calls their turn; set before the first call.
    """

    dispatcher: Dispatcher

    def __init__(
        self,
        name: str,
        me: Node,
        model: Model,
        *,
        holdings: Holdings,
        ids: Ids,
        links: Links,
        timeout: float,
        blocking: Executor,
    ) -> None:
        self.name = name
        self.me = me
        self.model = model
        self._holdings = holdings
        self._ids = ids
        self._links = links
        self._timeout = timeout
        self._blocking = blocking

    async def next_id(self) -> int:
        """Return a number that nobody else in the cluster gets; raise ClusterError."""
        return await asyncio.get_running_loop().run_in_executor(self._blocking, self._ids.next)

    def owners(self, key: bytes) -> tuple[Node, ...]:
        """Return the servers that hold a key, the first one first."""
        ring = self._holdings.ring
        return ring.find(key, REPLICAS) if ring is not None else ()

    def others(self) -> list[Node]:
        """Return all other servers."""
        ring = self._holdings.ring
        nodes = dict.fromkeys(ring.entries().values()) if ring is not None else {}
        return [node for node in nodes if node != self.me]

    async def call(self, node: Node, method: str, params: bytes) -> Reader:
        """Call a method of a server, which may be this one; return a reader of the result.

        Raises:
            JubatusError: the server refuses the call, or does not answer.
        """
        if node == self.me:
            return Reader(await self.dispatcher.call(method, Reader(params)))
        return await self._links.call(node, method.encode(), params, self._timeout)

    async def change(self, handler: Callable[[Reader], bytes], params: bytes) -> bytes:
        """Call a handler of the own model as an update; return the packed result."""
        return await self.dispatcher.exclusive(lambda: handler(Reader(params)))


def handlers_of(service: str) -> Callable[[Peers], Any] | None:
    """Return the class of a service's handlers that call other servers, None if it has none."""
    name = f"{__package__}.services.{service}"
    if importlib.util.find_spec(name) is None:
        return None
    found: Callable[[Peers], Any] = importlib.import_module(name).Handlers
    return found
