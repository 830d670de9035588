"""graph in a cluster: a node or an edge is created on the servers that the ring names, and has an id from ZooKeeper."""

import asyncio
import logging
from typing import Any

from jubatus._core.wire import Reader, pack
from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError, JubatusError, ModelError
from jubatus.rpc.client import RPCError
from jubatus.server.peers import Peers

log = logging.getLogger("jubatus")

NODE = "create_node_here"
EDGE = "create_edge_here"
GONE = "remove_global_node"
"""A method, and the text with which it is refused where the node is gone already."""


class Handlers:
    """Answers the rows that change other servers too.

    Args:
        peers: the cluster.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._model: Any = peers.model

    async def create_node(self, args: Reader) -> bytes:
        """Create a node on its first server, and if possible on its second."""
        id = str(await self._peers.next_id())
        first, *others = self._owners(id.encode())
        try:
            await self._call(first, NODE, pack(id))
        except JubatusError as error:
            raise ClusterError(f"failed to create node {id} ({_text(error)}): {first.host}:{first.port}") from error
        await self._tell(others, NODE, pack(id))
        return pack(id)

    async def create_edge(self, args: Reader) -> bytes:
        """Create an edge here, and if possible on the other server of its source."""
        args.string()  # has chosen this server
        edge = args.raw()
        id = await self._peers.next_id()
        await self._call(self._peers.me, EDGE, pack(id), edge)
        reader = Reader(edge)
        reader.array()
        reader.skip()
        owners = self._peers.owners(reader.string())
        await self._tell([node for node in owners if node != self._peers.me], EDGE, pack(id), edge)
        return pack(id)

    async def remove_node(self, args: Reader) -> bytes:
        """Remove a node here, and tell all other servers that it is gone."""
        node = args.string()
        try:
            result = await self._peers.change(self._model.remove_node, pack(node))
        except ModelError as error:
            # Keepers send this call to both servers of a node. The other one was faster: the node is gone, as wanted.
            if str(error) != GONE:
                raise
            result = pack(True)
        await asyncio.gather(
            *(self._call(other, GONE, pack(node)) for other in self._peers.others()), return_exceptions=True
        )
        return result

    def _owners(self, key: bytes) -> tuple[Node, ...]:
        found = self._peers.owners(key)
        if not found:
            raise ClusterError(f"no server found in cht: {self._peers.name}")
        return found

    async def _tell(self, nodes: list[Node], method: str, *packed: bytes) -> None:
        """Call servers that need not answer."""
        for node in nodes:
            try:
                await self._call(node, method, *packed)
            except JubatusError as error:
                log.warning("%s at %s:%d: %s", method, node.host, node.port, _text(error))

    async def _call(self, node: Node, method: str, *packed: bytes) -> None:
        """Call a server with packed arguments."""
        head = pack([self._peers.name, *packed])[:1]
        await self._peers.call(node, method, head + pack(self._peers.name) + b"".join(packed))


def _text(error: JubatusError) -> str:
    """Return the text of an error, which a server sends as bytes."""
    cause = error.args[0] if isinstance(error, RPCError) else str(error)
    return cause.decode("utf-8", "replace") if isinstance(cause, bytes) else str(cause)
