from typing import Any

import pytest

from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError
from jubatus.mixer import payload, push
from jubatus.mixer.state import Activate, Call, ListMembers, Now, State
from tests.mixer.play import A, B, C, answers, calls, play

NODES = [Node("10.0.0.1", 9100 + i) for i in range(8)]


def state(*, obsolete: bool = False, updates: int = 0) -> State:
    return State(16, 512, 100.0, count=updates, obsolete=obsolete, running=True)


def last(count: int) -> int:
    return count - 1


@pytest.mark.parametrize(
    ("count", "me", "chosen"),
    [
        (1, 0, []),
        (2, 0, [1]),
        (2, 1, [0]),
        (3, 0, [1]),
        (4, 1, [3, 2]),
        (5, 1, [3, 2]),
        (8, 6, [2, 0, 7]),
        (1, 7, []),
        (2, 7, [1]),
        (4, 7, [2, 1]),
    ],
)
def test_by_strides(count: int, me: int, chosen: list[int]) -> None:
    assert push.by_strides(NODES[:count], NODES[me], last) == [NODES[i] for i in chosen]


def test_by_strides_reaches_all_in_turn() -> None:
    for count in range(2, 9):
        reached = {NODES[0]}
        while True:
            new = {peer for node in reached for peer in push.by_strides(NODES[:count], node, last)}
            if new <= reached:
                break
            reached |= new
        assert reached == set(NODES[:count])


def test_all_others() -> None:
    assert push.all_others(NODES[:4], NODES[1], last) == [NODES[0], NODES[2], NODES[3]]
    assert push.all_others(NODES[:1], NODES[0], last) == []
    assert push.all_others(NODES[:2], NODES[7], last) == NODES[:2]


def test_one_at_random() -> None:
    drawn = [push.one_at_random(NODES[:4], NODES[1], lambda count, i=i: i % count) for i in range(4)]
    assert drawn == [[NODES[0]], [NODES[2]], [NODES[3]], [NODES[0]]]
    assert push.one_at_random(NODES[:1], NODES[0], last) == []


def test_there_is_a_choice_for_each_mixer() -> None:
    assert sorted(push.CHOICES) == ["broadcast_mixer", "random_mixer", "skip_mixer"]


def call(method: str, node: Node, argument: bytes | None = None) -> Call:
    read = payload.read_nothing if method == push.PUSH else payload.read_raw
    return calls(method, read, (node, payload.ANY if argument is None else payload.raw(argument)))


def script(me: Node, peer: Node) -> list[tuple[Any, Any]]:
    """Return the script of an exchange in which all goes well."""
    return [
        (call(push.GET_PULL_ARGUMENT, me), answers((me, b"mine"))),
        (call(push.PULL, peer, b"mine"), answers((peer, b"theirs"))),
        (call(push.GET_PULL_ARGUMENT, peer), answers((peer, b"wanted"))),
        (call(push.PULL, me, b"wanted"), answers((me, b"given"))),
        (call(push.PUSH, peer, b"given"), answers((peer, None))),
        (call(push.PUSH, me, b"theirs"), answers((me, None))),
    ]


def exchange(made: State, choose: push.Choose = push.all_others) -> Any:
    return push.exchange(made, A, choose, last)


def test_an_exchange_with_all() -> None:
    made = state()
    played = play(
        exchange(made),
        (ListMembers(), [A, B, C]),
        (Now(), 1.0),
        *script(A, B),
        *script(A, C),
        (Now(), 1.5),
    )
    assert played == (True, ["0.5 time elapsed 12 pulled  10 pushed"])


@pytest.mark.parametrize("step", range(6))
def test_a_failure_goes_on_to_the_next(step: int) -> None:
    failing = script(A, B)[: step + 1]
    instruction = failing[step][0]
    failing[step] = (instruction, answers((instruction.to[0][0], "connect failed")))
    played = play(exchange(state()), (ListMembers(), [A, B, C]), (Now(), 1.0), *failing, *script(A, C), (Now(), 1.5))
    assert played.result is True
    port = instruction.to[0][0].port
    assert played.log == [
        f"{instruction.method} failed at 10.0.0.1:{port} : connect failed",
        "0.5 time elapsed 6 pulled  5 pushed",
    ]


def test_an_exchange_fails_if_it_does_with_all() -> None:
    made = state(obsolete=True)
    failing = [script(A, B)[0], (script(A, B)[1][0], answers((B, "request timed out")))]
    played = play(exchange(made), (ListMembers(), [A, B]), (Now(), 1.0), *failing, (Activate(), None), (Now(), 1.0))
    assert played.result is False
    assert made.obsolete is False


@pytest.mark.parametrize("members", [[], [A]])
def test_who_is_alone_becomes_active(members: list[Node]) -> None:
    made = state(obsolete=True)
    played = play(exchange(made), (ListMembers(), members), (Now(), 1.0), (Activate(), None))
    assert played == (True, ["no server exists, skipping mix"])
    assert play(exchange(made), (ListMembers(), members), (Now(), 1.0)) == (True, [])


def test_no_peer() -> None:
    played = play(exchange(state(), push.by_strides), (ListMembers(), [B]), (Now(), 1.0), (Now(), 1.0))
    assert played.result is False
    assert played.log[0] == "no mix peer selected in mix strategy"


def test_an_empty_reply_is_a_reply() -> None:
    played = play(
        exchange(state()),
        (ListMembers(), [A, B]),
        (Now(), 1.0),
        (call(push.GET_PULL_ARGUMENT, A), answers((A, b""))),
        (call(push.PULL, B, b""), answers((B, b""))),
        (call(push.GET_PULL_ARGUMENT, B), answers((B, b""))),
        (call(push.PULL, A, b""), answers((A, b""))),
        (call(push.PUSH, B, b""), answers((B, None))),
        (call(push.PUSH, A, b""), answers((A, None))),
        (Now(), 1.0),
    )
    assert played == (True, ["0 time elapsed 0 pulled  0 pushed"])


def step(made: State) -> Any:
    return push.step(made, A, push.all_others, last)


@pytest.mark.parametrize(
    ("updates", "now", "due"),
    [(511, 116.0, False), (512, 100.0, True), (0, 116.1, True), (0, 116.0, False)],
)
def test_step(updates: int, now: float, due: bool) -> None:
    made = state(updates=updates)
    rest = [(ListMembers(), [A]), (Now(), now)] if due else []
    play(step(made), (Now(), now), *rest)
    assert (made.count, made.ticktime) == ((0, now) if due else (updates, 100.0))


def test_the_first_step_is_due_at_once() -> None:
    made = state(obsolete=True)
    play(step(made), (ListMembers(), [A]), (Now(), 100.0), (Activate(), None))


def test_an_exchange_that_a_client_wants() -> None:
    made = state(updates=7)
    played = play(push.forced(made, A, push.all_others, last), (ListMembers(), [A]), (Now(), 101.0))
    assert played == (True, ["forced to mix by user RPC"])
    assert (made.count, made.ticktime) == (0, 101.0)


def test_an_exchange_that_zookeeper_prevents_stays_due() -> None:
    made = state(updates=512)
    with pytest.raises(ClusterError):
        play(exchange(made), (ListMembers(), ClusterError("no session")))
    assert made.due(100.0)
