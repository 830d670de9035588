"""Servers that are listed and do not answer: passed over until they take connections again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from jubatus.cluster.paths import Node

log = logging.getLogger("jubatus")

PERIOD = 0.5
"""Seconds between two attempts to reach a server."""


class Rotation:
    """Knows which servers are out of rotation.

    Args:
        reach: returns whether a server takes connections.
        listed: returns whether a server of a cluster is still listed.

    Attributes:
        dead: the servers that are out.
    """

    def __init__(self, reach: Callable[[Node], Awaitable[bool]], listed: Callable[[str, Node], bool]) -> None:
        self.dead: set[Node] = set()
        self._reach = reach
        self._listed = listed
        self._clusters: dict[Node, str] = {}
        self._probing: asyncio.Task[None] | None = None

    def drop(self, cluster: str, node: Node, reason: str) -> None:
        """Take a server of a cluster out of rotation."""
        if node in self.dead:
            return
        log.warning("server %s of %s is out of rotation: %s", node.name, cluster, reason)
        self.dead.add(node)
        self._clusters[node] = cluster
        if self._probing is None:
            self._probing = asyncio.get_running_loop().create_task(self._probe())

    def close(self) -> None:
        """Stop trying to reach servers."""
        if self._probing is not None:
            self._probing.cancel()

    async def _probe(self) -> None:
        while self.dead:
            await asyncio.sleep(PERIOD)
            gone = {node for node in self.dead if not self._listed(self._clusters[node], node)}
            nodes = list(self.dead - gone)
            reached = await asyncio.gather(*map(self._reach, nodes))
            back = {node for node, answers in zip(nodes, reached, strict=True) if answers}
            for node in back:
                log.info("server %s of %s is back in rotation", node.name, self._clusters[node])
            for node in gone | back:
                self.dead.discard(node)
                del self._clusters[node]
        self._probing = None
