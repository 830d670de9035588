"""Servers that are listed and do not answer: passed over until they answer again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from jubatus.cluster.paths import Node

log = logging.getLogger("jubatus")

PERIOD = 0.5
"""Seconds between two attempts to reach a server."""

LATE = 3
"""Timeouts in a row after which a server is out: one may be a call that takes long, or an answer that got lost."""


class Rotation:
    """Knows which servers are out of rotation.

    Args:
        reach: returns whether a server of a cluster answers a call.
        listed: returns whether a server of a cluster is still listed.

    Attributes:
        dead: the servers that are out.
        late: how many calls of a server have timed out since it answered last; servers without such calls are missing.
    """

    def __init__(self, reach: Callable[[str, Node], Awaitable[bool]], listed: Callable[[str, Node], bool]) -> None:
        self.dead: set[Node] = set()
        self.late: dict[Node, int] = {}
        self._reach = reach
        self._listed = listed
        self._probes: dict[Node, asyncio.Task[None]] = {}

    def drop(self, cluster: str, node: Node, reason: str) -> None:
        """Take a server of a cluster out of rotation."""
        if node in self.dead:
            return
        log.warning("server %s of %s is out of rotation: %s", node.name, cluster, reason)
        self.dead.add(node)
        if node not in self._probes:
            self._probes[node] = asyncio.get_running_loop().create_task(self._probe(cluster, node))

    def miss(self, cluster: str, node: Node, reason: str) -> None:
        """Note that a call of a server has timed out. It is out after some of them in a row."""
        count = self.late[node] = self.late.get(node, 0) + 1
        if count >= LATE:
            self.drop(cluster, node, f"{reason}, {count} in a row")

    def close(self) -> None:
        """Stop trying to reach servers."""
        for probe in self._probes.values():
            probe.cancel()

    async def _probe(self, cluster: str, node: Node) -> None:
        """Try to reach a server until it answers or is not listed any more."""
        while node in self.dead:
            await asyncio.sleep(PERIOD)
            listed = self._listed(cluster, node)
            if listed and not await self._reach(cluster, node):
                continue
            if listed:
                log.info("server %s of %s is back in rotation", node.name, cluster)
            self.late.pop(node, None)
            self.dead.discard(node)
        del self._probes[node]
