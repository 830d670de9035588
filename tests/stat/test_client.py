import pytest

from jubatus.common import connect
from jubatus.stat.client import Stat
from tests.rpc.peer import Peer, replies


def test_calls_and_results() -> None:
    numbers = [(None, value) for value in (3.0, 0.5, 2.0, 1.0, 0.25, -1.0)]
    with Peer(replies((None, True), *numbers, (None, True))) as peer:
        with connect(Stat, "127.0.0.1", peer.port, "n", 5) as c:
            assert c.push("a", 1.5) is True
            assert [c.sum("a"), c.stddev("a"), c.max(key="a"), c.min("a"), c.entropy("a")] == [3.0, 0.5, 2.0, 1.0, 0.25]
            assert c.moment("a", 3, center=0.5) == -1.0
            assert c.clear() is True
        assert [request[2:] for request in peer.requests] == [
            ["push", ["n", "a", 1.5]],
            *([name, ["n", "a"]] for name in ("sum", "stddev", "max", "min", "entropy")),
            ["moment", ["n", "a", 3, 0.5]],
            ["clear", ["n"]],
        ]


def test_a_value_that_is_no_number_is_refused_before_it_is_sent() -> None:
    with connect(Stat, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(TypeError):
            c.push("a", "1")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            c.moment("a", 1.5, 0.0)  # type: ignore[arg-type]
