import pytest

from jubatus.common import Datum, connect
from jubatus.recommender.client import Recommender
from jubatus.recommender.types import IdWithScore
from tests.rpc.peer import Peer, replies

ROW = [[["k", "v"]], [["n", 1.0]], []]


def test_calls_and_results() -> None:
    found = [["a", 1.0], ["b", 0.5]]
    given = [True, True, ROW, found, found, found, ROW, ["a", "b"], 0.5, 2.0, True]
    with Peer(replies(*((None, result) for result in given))) as peer:
        with connect(Recommender, "127.0.0.1", peer.port, "n", 5) as c:
            datum = Datum({"k": "v", "n": 1.0})
            assert c.update_row("a", datum) is True
            assert c.clear_row(id="b") is True
            assert c.decode_row("a").num_values == [("n", 1.0)]
            first, second = c.similar_row_from_id("a", 2)
            assert isinstance(first, IdWithScore)
            assert (first.id, first.score, second.id, second.score) == ("a", 1.0, "b", 0.5)
            assert len(c.similar_row_from_datum_and_score(datum, score=0.5)) == 2
            assert len(c.similar_row_from_datum_and_rate(datum, 1.0)) == 2
            assert c.complete_row_from_datum(datum).string_values == [("k", "v")]
            assert c.get_all_rows() == ["a", "b"]
            assert c.calc_similarity(datum, datum) == 0.5
            assert c.calc_l2norm(datum) == 2.0
            assert c.clear() is True
        assert [request[2:] for request in peer.requests] == [
            ["update_row", ["n", "a", ROW]],
            ["clear_row", ["n", "b"]],
            ["decode_row", ["n", "a"]],
            ["similar_row_from_id", ["n", "a", 2]],
            ["similar_row_from_datum_and_score", ["n", ROW, 0.5]],
            ["similar_row_from_datum_and_rate", ["n", ROW, 1.0]],
            ["complete_row_from_datum", ["n", ROW]],
            ["get_all_rows", ["n"]],
            ["calc_similarity", ["n", ROW, ROW]],
            ["calc_l2norm", ["n", ROW]],
            ["clear", ["n"]],
        ]


def test_a_size_below_zero_is_refused_before_it_is_sent() -> None:
    with connect(Recommender, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(ValueError):
            c.similar_row_from_id("a", -1)
