"""Tests of jubatus.server.services.anomaly: who is called with what, and what comes of errors."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from jubatus._core.services.anomaly import Anomaly
from jubatus._core.wire import Reader, pack, unpack
from jubatus.cluster.paths import Node
from jubatus.errors import BadArguments, ClusterError, JubatusError, ModelError
from jubatus.rpc.client import RPCError, TransportError
from jubatus.server.services.anomaly import Handlers
from tests.services import Config
from tests.services.anomaly import light, lof

ME, OTHER = Node("10.0.0.1", 1), Node("10.0.0.2", 2)
DATUM: list[Any] = [[], [[b"k", 1.0]], []]
LOF, LIGHT = lof("inverted_index_euclid"), light("lsh")


class Peers:
    """Servers that take down what they are called with; some fail."""

    name = "c"
    me = ME

    def __init__(
        self,
        owners: tuple[Node, ...] = (ME, OTHER),
        failing: dict[Node, JubatusError] | None = None,
        config: Config = LOF,
    ) -> None:
        self.model = Anomaly(config, distributed=True)
        self.calls: list[tuple[int, str, Any]] = []
        self.ids = iter(range(5, 100))
        self._owners = owners
        self._failing = failing or {}

    async def next_id(self) -> int:
        await asyncio.sleep(0)
        return next(self.ids)

    def owners(self, key: bytes) -> tuple[Node, ...]:
        return self._owners

    async def call(self, node: Node, method: str, params: bytes) -> Reader:
        self.calls.append((node.port, method, unpack(params)))
        await asyncio.sleep(0)
        if node in self._failing:
            raise self._failing[node]
        reader = Reader(params)
        reader.arguments(2)
        return Reader(getattr(self.model, method)(reader) if node == ME else pack(2.5))

    async def change(self, handler: Callable[[Reader], bytes], params: bytes) -> bytes:
        return handler(Reader(params))


def call(peers: Peers, method: str, *args: Any) -> Any:
    reader = Reader(pack(["c", *args]))
    reader.arguments(len(args))
    return unpack(asyncio.run(getattr(Handlers(peers), method)(reader)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("config", "method"), [(LOF, "update"), (LIGHT, "overwrite")])
def test_a_point_is_stored_on_both_servers_of_its_id(config: Config, method: str) -> None:
    peers = Peers(config=config)
    assert call(peers, "add", DATUM) == [b"5", math.inf]
    assert peers.calls == [(port, method, [b"c", b"5", DATUM]) for port in (1, 2)]
    peers = Peers((OTHER, ME), config=config)
    assert call(peers, "add", DATUM) == [b"5", 2.5]  # the first server tells the score
    assert [port for port, _, _ in peers.calls] == [2, 1]


def test_the_first_server_must_store_a_point() -> None:
    for failure, text in ((TransportError("connection refused"), "connection refused"), (RPCError(b"no"), "no")):
        with pytest.raises(ClusterError, match=rf"^failed to add ID 5 \({text}\): 10.0.0.2:2$"):
            call(Peers((OTHER, ME), {OTHER: failure}), "add", DATUM)
    assert call(Peers(failing={OTHER: TransportError("connection refused")}), "add", DATUM)[0] == b"5"
    with pytest.raises(ClusterError, match=r"^no server found in cht: c$"):
        call(Peers(()), "add", DATUM)


def test_a_datum_that_is_refused_uses_up_no_id() -> None:
    peers = Peers()
    with pytest.raises(BadArguments):
        call(peers, "add", 5)
    with pytest.raises(BadArguments):
        call(peers, "add_bulk", DATUM)
    with pytest.raises(ModelError, match="finite"):
        call(peers, "add", [[], [["k", math.nan]], []])
    assert not peers.calls
    assert next(peers.ids) == 5


def test_many_points_are_stored_here_only() -> None:
    peers = Peers((OTHER,))
    assert call(peers, "add_bulk", [DATUM, DATUM]) == [b"5", b"6"]
    assert call(peers, "add_bulk", []) == []
    assert not peers.calls
    assert set(unpack(peers.model.get_all_rows(Reader(b"")))) == {b"5", b"6"}
