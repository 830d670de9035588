import pytest

from jubatus.anomaly.client import Anomaly
from jubatus.anomaly.types import IdWithScore
from jubatus.common import Datum, connect
from tests.rpc.peer import Peer, replies

ROW = [[["k", "v"]], [["n", 1.0]], []]


def test_calls_and_results() -> None:
    given = [["0", 1.5], ["1", "2"], 1.0, 2.0, True, float("inf"), ["0", "1"], True]
    with Peer(replies(*((None, result) for result in given))) as peer:
        with connect(Anomaly, "127.0.0.1", peer.port, "n", 5) as c:
            datum = Datum({"k": "v", "n": 1.0})
            added = c.add(datum)
            assert isinstance(added, IdWithScore)
            assert (added.id, added.score) == ("0", 1.5)
            assert c.add_bulk([datum, datum]) == ["1", "2"]
            assert c.update("a", datum) == 1.0
            assert c.overwrite(id="a", row=datum) == 2.0
            assert c.clear_row("a") is True
            assert c.calc_score(datum) == float("inf")
            assert c.get_all_rows() == ["0", "1"]
            assert c.clear() is True
        assert [request[2:] for request in peer.requests] == [
            ["add", ["n", ROW]],
            ["add_bulk", ["n", [ROW, ROW]]],
            ["update", ["n", "a", ROW]],
            ["overwrite", ["n", "a", ROW]],
            ["clear_row", ["n", "a"]],
            ["calc_score", ["n", ROW]],
            ["get_all_rows", ["n"]],
            ["clear", ["n"]],
        ]


def test_what_is_no_datum_is_refused_before_it_is_sent() -> None:
    with connect(Anomaly, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(TypeError):
            c.add("v")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            c.add_bulk(Datum({"n": 1.0}))  # type: ignore[arg-type]
