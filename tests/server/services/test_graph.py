"""Tests of jubatus.server.services.graph: who is called with what, and what comes of errors."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jubatus._core.services.graph import Graph
from jubatus._core.wire import Reader, pack, unpack
from jubatus.cluster.paths import Node
from jubatus.errors import BadArguments, ClusterError, JubatusError, ModelError
from jubatus.rpc.client import RPCError, TransportError
from jubatus.server.services.graph import Handlers

ME, OTHER, THIRD = Node("10.0.0.1", 1), Node("10.0.0.2", 2), Node("10.0.0.3", 3)
CONFIG = {"method": "graph_wo_index", "parameter": {"damping_factor": 0.9, "landmark_num": 5}}


class Peers:
    """Servers that take down what they are called with; some fail."""

    name = "c"
    me = ME

    def __init__(self, owners: tuple[Node, ...] = (ME, OTHER), failing: dict[Node, JubatusError] | None = None) -> None:
        self.model = Graph(CONFIG, distributed=True)
        self.calls: list[tuple[int, str, Any]] = []
        self.ids = iter(range(5, 100))
        self._owners = owners
        self._failing = failing or {}

    async def next_id(self) -> int:
        await asyncio.sleep(0)
        return next(self.ids)

    def owners(self, key: bytes) -> tuple[Node, ...]:
        return self._owners

    def others(self) -> list[Node]:
        return [OTHER, THIRD]

    async def call(self, node: Node, method: str, params: bytes) -> Reader:
        self.calls.append((node.port, method, unpack(params)))
        await asyncio.sleep(0)
        if node in self._failing:
            raise self._failing[node]
        reader = Reader(params)
        reader.arguments(1)
        return Reader(getattr(self.model, method)(reader) if node == ME else pack(True))

    async def change(self, handler: Callable[[Reader], bytes], params: bytes) -> bytes:
        return handler(Reader(params))


def call(peers: Peers, method: str, *args: Any) -> Any:
    reader = Reader(pack(["c", *args]))
    reader.arguments(len(args))
    return unpack(asyncio.run(getattr(Handlers(peers), method)(reader)))  # type: ignore[arg-type]


def test_a_node_is_created_on_both_servers_of_its_id() -> None:
    peers = Peers()
    assert call(peers, "create_node") == b"5"
    assert peers.calls == [(port, "create_node_here", [b"c", b"5"]) for port in (1, 2)]


def test_the_first_server_must_create_a_node() -> None:
    for failure, text in ((TransportError("connection refused"), "connection refused"), (RPCError(b"no"), "no")):
        with pytest.raises(ClusterError, match=rf"^failed to create node 5 \({text}\): 10.0.0.2:2$"):
            call(Peers((OTHER, ME), {OTHER: failure}), "create_node")
    assert call(Peers((ME, OTHER), {OTHER: TransportError("connection refused")}), "create_node") == b"5"
    with pytest.raises(ClusterError, match=r"^no server found in cht: c$"):
        call(Peers(()), "create_node")


@pytest.mark.parametrize("owners", [(ME, OTHER), (OTHER, ME), (OTHER,)])
def test_an_edge_is_created_here_and_on_the_other_server_of_its_source(owners: tuple[Node, ...]) -> None:
    peers = Peers(owners, {OTHER: RPCError(b"edge_exists")})
    peers.model.create_node_here(Reader(pack("7")))
    edge = [{b"a": b"b"}, b"7", b"8"]
    assert call(peers, "create_edge", "7", edge) == 5
    assert peers.calls == [(port, "create_edge_here", [b"c", 5, edge]) for port in (1, 2)]


def test_an_edge_that_is_refused_here_is_created_nowhere() -> None:
    peers = Peers()
    with pytest.raises(ModelError, match="unknown src id=7 tgt id=8"):
        call(peers, "create_edge", "7", [{}, "7", "8"])
    for args in (("7", 5), (7, [{}, "7", "8"]), ("7", [{}, 7, "8"])):
        with pytest.raises(BadArguments):
            call(peers, "create_edge", *args)
    assert {port for port, _, _ in peers.calls} == {1}


def test_all_others_hear_of_a_node_that_is_removed() -> None:
    peers = Peers(failing={OTHER: RPCError(b"remove_global_node")})
    peers.model.create_node_here(Reader(pack("7")))
    assert call(peers, "remove_node", "7") is True
    assert peers.calls == [(port, "remove_global_node", [b"c", b"7"]) for port in (2, 3)]
    with pytest.raises(ModelError, match=r"^remove_node$"):
        call(peers, "remove_node", "7")


def test_a_node_that_the_other_server_was_faster_to_remove_is_removed() -> None:
    peers = Peers()
    peers.model.create_node_here(Reader(pack("7")))
    peers.model.remove_global_node(Reader(pack("7")))
    assert call(peers, "remove_node", "7") is True
    assert peers.model.status()["local_node_num"] == "0"
