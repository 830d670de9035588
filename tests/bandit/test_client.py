import pytest

from jubatus.bandit.client import Bandit
from jubatus.bandit.types import ArmInfo
from jubatus.common import connect
from tests.rpc.peer import Peer, replies


def test_calls_and_results() -> None:
    given = (
        (None, True),
        (None, False),
        (None, "a"),
        (None, True),
        (None, {"a": [3, 1.5]}),
        (None, False),
        (None, True),
    )
    with Peer(replies(*given)) as peer:
        with connect(Bandit, "127.0.0.1", peer.port, "n", 5) as c:
            assert [c.register_arm("a"), c.delete_arm(arm_id="b")] == [True, False]
            assert c.select_arm("p") == "a"
            assert c.register_reward("p", "a", reward=1.0) is True
            (info,) = c.get_arm_info("p").values()
            assert isinstance(info, ArmInfo)
            assert (info.trial_count, info.weight) == (3, 1.5)
            assert [c.reset("p"), c.clear()] == [False, True]
        assert [request[2:] for request in peer.requests] == [
            ["register_arm", ["n", "a"]],
            ["delete_arm", ["n", "b"]],
            ["select_arm", ["n", "p"]],
            ["register_reward", ["n", "p", "a", 1.0]],
            ["get_arm_info", ["n", "p"]],
            ["reset", ["n", "p"]],
            ["clear", ["n"]],
        ]


def test_a_reward_that_is_no_number_is_refused_before_it_is_sent() -> None:
    with connect(Bandit, "127.0.0.1", 1, "n", 5) as c:
        with pytest.raises(TypeError):
            c.register_reward("p", "a", "1")  # type: ignore[arg-type]
