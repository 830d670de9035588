import pytest

from jubatus.common import Datum, connect
from jubatus.regression.client import Regression
from jubatus.regression.types import ScoredDatum
from tests.rpc.peer import Peer, replies

WIRE = [[], [["x", 3.0]], []]
DATUM = Datum({"x": 3})


def test_calls_and_results() -> None:
    with Peer(replies((None, 2), (None, [0.5, -1.0]), (None, True))) as peer:
        with connect(Regression, "127.0.0.1", peer.port, "n", 5) as c:
            assert c.train([(1.5, DATUM), ScoredDatum(2.0, DATUM)]) == 2
            assert c.estimate([DATUM, Datum()]) == [0.5, -1.0]
            assert c.clear() is True
        assert [request[2:] for request in peer.requests] == [
            ["train", ["n", [[1.5, WIRE], [2.0, WIRE]]]],
            ["estimate", ["n", [WIRE, [[], [], []]]]],
            ["clear", ["n"]],
        ]


def test_a_score_that_is_no_number_is_refused_before_it_is_sent() -> None:
    with connect(Regression, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(TypeError):
            c.train([("1", DATUM)])  # type: ignore[list-item]


def test_a_message_shows_its_fields() -> None:
    assert str(ScoredDatum(0.5, Datum())).startswith("scored_datum{score: 0.5")
