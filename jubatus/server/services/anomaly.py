"""anomaly in a cluster: a point is stored on the servers that the ring names for its id, which comes from ZooKeeper."""

import logging
from typing import Any

from jubatus._core.services.anomaly import bulk_adder, count_datums, datum_checker
from jubatus._core.wire import Reader, pack
from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError, JubatusError
from jubatus.rpc.client import RPCError
from jubatus.server.peers import Peers

log = logging.getLogger("jubatus")


class Handlers:
    """Answers the rows that change other servers too.

    Args:
        peers: the cluster.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        model: Any = peers.model
        self._store = "update" if model.updates else "overwrite"
        self._check = datum_checker(model)
        self._add_bulk = bulk_adder(model)

    async def add(self, args: Reader) -> bytes:
        """Store a point on its first server, which tells the score, and if possible on its second."""
        datum = args.raw()
        await self._peers.change(self._check, datum)  # a datum that must be refused uses up no id
        id = str(await self._peers.next_id())
        owners = self._peers.owners(id.encode())
        if not owners:
            raise ClusterError(f"no server found in cht: {self._peers.name}")
        first, *others = owners
        try:
            score = await self._call(first, id, datum)
        except JubatusError as error:
            raise ClusterError(f"failed to add ID {id} ({_text(error)}): {first.host}:{first.port}") from error
        for node in others:
            try:
                await self._call(node, id, datum)
            except JubatusError as error:
                log.warning("failed to add ID %s at %s:%d: %s", id, node.host, node.port, _text(error))
        return pack([id, score.double()])

    async def add_bulk(self, args: Reader) -> bytes:
        """Store points here only, as 1.1 does."""
        data = args.raw()
        ids = [str(await self._peers.next_id()) for _ in range(count_datums(data))]
        return await self._peers.change(self._add_bulk, pack(ids) + data)

    async def _call(self, node: Node, id: str, datum: bytes) -> Reader:
        head = pack([self._peers.name, id, 0])[:1]
        return await self._peers.call(node, self._store, head + pack(self._peers.name) + pack(id) + datum)


def _text(error: JubatusError) -> str:
    """Return the text of an error, which a server sends as bytes."""
    cause = error.args[0] if isinstance(error, RPCError) else str(error)
    return cause.decode("utf-8", "replace") if isinstance(cause, bytes) else str(cause)
