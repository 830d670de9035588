import pytest

from jubatus.burst.client import Burst
from jubatus.burst.types import Batch, Document, KeywordWithParams, Window
from jubatus.common import connect
from tests.rpc.peer import Peer, replies


def test_calls_and_results() -> None:
    window = [80.0, [[0, 0, 0.0], [10, 6, 2.5]]]
    answers = (2, window, [-1.0, []], {"a": window}, {}, [["a", 2.0, 1.0]], True, False, True, True)
    with Peer(replies(*((None, answer) for answer in answers))) as peer:
        with connect(Burst, "127.0.0.1", peer.port, "n", 5) as c:
            assert c.add_documents([Document(1.5, "x"), Document(2.0, "y")]) == 2
            found = c.get_result("a")
            assert isinstance(found, Window)
            assert isinstance(found.batches[1], Batch)
            assert (found.start_pos, found.batches[1].relevant_data_count, found.batches[1].burst_weight) == (
                80.0,
                6,
                2.5,
            )
            assert c.get_result_at("a", pos=3.0).batches == []
            assert c.get_all_bursted_results()["a"].start_pos == 80.0
            assert c.get_all_bursted_results_at(3.0) == {}
            (keyword,) = c.get_all_keywords()
            assert (keyword.keyword, keyword.scaling_param, keyword.gamma) == ("a", 2.0, 1.0)
            assert c.add_keyword(KeywordWithParams("a", 2.0, 1.0)) is True
            assert c.remove_keyword("a") is False
            assert c.remove_all_keywords() is True
            assert c.clear() is True
        assert [request[2:] for request in peer.requests] == [
            ["add_documents", ["n", [[1.5, "x"], [2.0, "y"]]]],
            ["get_result", ["n", "a"]],
            ["get_result_at", ["n", "a", 3.0]],
            ["get_all_bursted_results", ["n"]],
            ["get_all_bursted_results_at", ["n", 3.0]],
            ["get_all_keywords", ["n"]],
            ["add_keyword", ["n", ["a", 2.0, 1.0]]],
            ["remove_keyword", ["n", "a"]],
            ["remove_all_keywords", ["n"]],
            ["clear", ["n"]],
        ]


def test_a_position_that_is_no_number_is_refused_before_it_is_sent() -> None:
    with connect(Burst, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(TypeError):
            c.add_documents([Document("1", "x")])  # type: ignore[arg-type]
