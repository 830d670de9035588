from jubatus.common import Datum, connect
from jubatus.weight import types
from jubatus.weight.client import Weight
from tests.rpc.peer import Peer, replies


def test_calls_and_results() -> None:
    features = [("a@num", 1.0), ("s$x@str#bin/bin", 2.5)]
    with Peer(replies((None, features), (None, []), (None, True))) as peer:
        with connect(Weight, "127.0.0.1", peer.port, "n", 5) as c:
            found = c.update(Datum({"a": 1}))
            assert c.calc_weight(d=Datum()) == []
            assert c.clear() is True
        assert [request[2:] for request in peer.requests] == [
            ["update", ["n", [[], [["a", 1.0]], []]]],
            ["calc_weight", ["n", [[], [], []]]],
            ["clear", ["n"]],
        ]
    assert [type(feature) for feature in found] == [types.Feature] * 2
    assert [(feature.key, feature.value) for feature in found] == features
    assert repr(found[0]) == "feature{key: a@num, value: 1.0}"
