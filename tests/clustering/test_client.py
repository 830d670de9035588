import pytest

from jubatus.clustering.client import Clustering
from jubatus.clustering.types import IndexedPoint, WeightedDatum, WeightedIndex
from jubatus.common import Datum, connect
from tests.rpc.peer import Peer, replies


def test_calls_and_results() -> None:
    datum = [[], [["x", 1.5]], []]
    given = (
        (None, True),
        (None, 3),
        (None, [[[1.0, datum]], []]),
        (None, [[[2.0, "p"]]]),
        (None, [datum, datum]),
        (None, datum),
        (None, [[1.0, datum]]),
        (None, [[1.0, "p"]]),
        (None, True),
    )
    with Peer(replies(*given)) as peer:
        with connect(Clustering, "127.0.0.1", peer.port, "n", 5) as c:
            assert c.push([IndexedPoint("p", Datum({"x": 1.5}))]) is True
            assert c.get_revision() == 3
            (member,), rest = c.get_core_members()
            assert isinstance(member, WeightedDatum)
            assert (member.weight, member.point.num_values, rest) == (1.0, [("x", 1.5)], [])
            ((light,),) = c.get_core_members_light()
            assert isinstance(light, WeightedIndex)
            assert (light.weight, light.id) == (2.0, "p")
            assert [center.num_values for center in c.get_k_center()] == [[("x", 1.5)]] * 2
            assert c.get_nearest_center(Datum({"x": 1.0})).num_values == [("x", 1.5)]
            assert [member.weight for member in c.get_nearest_members(point=Datum({"x": 1.0}))] == [1.0]
            assert [light.id for light in c.get_nearest_members_light(Datum({"x": 1.0}))] == ["p"]
            assert c.clear() is True
        assert [request[2:] for request in peer.requests][:2] == [
            ["push", ["n", [["p", datum]]]],
            ["get_revision", ["n"]],
        ]


def test_a_point_that_is_none_is_refused_before_it_is_sent() -> None:
    with connect(Clustering, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(TypeError):
            c.push([("p", 5)])  # type: ignore[list-item]
