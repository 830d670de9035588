import logging
from collections.abc import Sequence
from typing import Any

import pytest

from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError, ModelError
from jubatus.mixer import linear, payload
from jubatus.mixer.state import (
    Activate,
    Call,
    CatchUp,
    Deactivate,
    EndProcess,
    HoldsLock,
    Instruction,
    ListActives,
    ListMembers,
    Log,
    Merge,
    Now,
    Pause,
    Round,
    State,
    TakeLock,
    Versions,
)
from tests.mixer.play import A, B, C, answers, calls, play

ABC = [A, B, C]


def state(*, obsolete: bool = False, updates: int = 0, running: bool = True) -> State:
    return State(16, 512, 100.0, count=updates, obsolete=obsolete, running=running)


def last(count: int) -> int:
    return count - 1


def get_diff(*nodes: Node) -> Call:
    return calls(linear.GET_DIFF, payload.read_any_raw, *((node, (b"\x92\x07\x05",)) for node in nodes))


def put_diff(mixed: bytes, got: Sequence[Node], *nodes: Node, late: tuple[Node, ...] = ()) -> Call:
    to = ((node, payload.mixed(mixed, node in got, 5)) for node in nodes)
    return calls(linear.PUT_DIFF, payload.read_nothing, *to, late=late)


def get_model(node: Node) -> Call:
    return calls(linear.GET_MODEL, payload.read_model, (node, payload.ANY))


def good_round(mixed: bytes = b"abc") -> list[tuple[Any, Any]]:
    """Return the script of a round of A, B and C in which all goes well."""
    return [
        (ListMembers(), ABC),
        (Now(), 1.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(*ABC), answers((A, b"a"), (B, b"b"), (C, b"c"))),
        (Merge((b"a", b"b", b"c")), mixed),
        (HoldsLock(), True),
        (put_diff(mixed, ABC, *ABC), answers((A, None), (B, None), (C, None))),
        (Now(), 1.25),
    ]


# one round


def test_a_round() -> None:
    played = play(linear.mix(state()), *good_round())
    assert played.result is True
    assert played.log == [
        "success to get_diff from [10.0.0.1:9199, 10.0.0.1:9200, 10.0.0.1:9201]",
        "success to put_diff to [10.0.0.1:9199, 10.0.0.1:9200, 10.0.0.1:9201]",
        "mixed with 3 servers in 0.25 secs, 3 bytes (serialized data) has been put.",
    ]


def test_diffs_are_mixed_in_the_order_of_members_and_put_tells_whose_was_there() -> None:
    played = play(
        linear.mix(state()),
        (ListMembers(), ABC),
        (Now(), 1.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(*ABC), answers((A, "request timed out"), (B, b"b"), (C, b"c"))),
        (Merge((b"b", b"c")), b"bc"),
        (HoldsLock(), True),
        (put_diff(b"bc", [B, C], *ABC, late=(A,)), answers((A, None), (B, None), (C, "connection closed"))),
        (Now(), 2.0),
    )
    assert played.result is True
    assert played.log == [
        "get_diff failed at 10.0.0.1:9199 : request timed out",
        "success to get_diff from [10.0.0.1:9200, 10.0.0.1:9201]",
        "put_diff failed at 10.0.0.1:9201 : connection closed",
        "success to put_diff to [10.0.0.1:9199, 10.0.0.1:9200]",
        "mixed with 3 servers in 1 secs, 2 bytes (serialized data) has been put.",
    ]


def test_a_server_that_refuses_is_waited_for_if_it_comes_back() -> None:
    played = play(
        linear.mix(state()),
        (ListMembers(), [A, B]),
        (Now(), 1.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(A, B), answers((A, "connect failed"), (B, b"b"))),
        (Merge((b"b",)), b"b"),
        (HoldsLock(), True),
        (put_diff(b"b", [B], A, B), answers((A, None), (B, None))),
        (Now(), 1.0),
    )
    assert played.result is True


def test_a_reply_that_is_no_diff_is_passed_over() -> None:
    played = play(
        linear.mix(state()),
        (ListMembers(), [A, B]),
        (Now(), 1.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(A, B), answers((A, None), (B, b"b"))),
        (Merge((b"b",)), b"b"),
        (HoldsLock(), True),
        (put_diff(b"b", [B], A, B), answers((A, None), (B, None))),
        (Now(), 1.0),
    )
    assert played.result is True
    assert played.log[0] == "success to get_diff from [10.0.0.1:9200]"


def test_an_empty_diff_is_a_diff() -> None:
    played = play(
        linear.mix(state()),
        (ListMembers(), [A]),
        (Now(), 1.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(A), answers((A, b""))),
        (Merge((b"",)), b""),
        (HoldsLock(), True),
        (put_diff(b"", [A], A), answers((A, None))),
        (Now(), 1.0),
    )
    assert played.result is True


@pytest.mark.parametrize("nothing", ["connect failed", None])
def test_nothing_is_put_without_a_diff(nothing: str | None) -> None:
    played = play(
        linear.mix(state()),
        (ListMembers(), [A, B]),
        (Now(), 1.0),
        (Versions(), [7]),
        (Round(), 5),
        (get_diff(A, B), answers((A, nothing), (B, nothing))),
    )
    assert played.result is False
    assert played.log[-1] == "mix fails (all get_diffs fail)"


def test_a_lock_that_is_lost_ends_the_round_before_anything_changes() -> None:
    script = [*good_round()[:6], (HoldsLock(), False)]
    played = play(linear.mix(state()), *script)
    assert played.result is False
    assert played.log[-1] == "the ZooKeeper lock was lost during the mix, nothing is put"


def test_a_round_fails_if_nobody_takes_the_result() -> None:
    script = good_round()
    script[7] = (script[7][0], answers((A, "1"), (B, "2"), (C, "3")))
    played = play(linear.mix(state()), *script)
    assert played.result is False
    assert "success to put_diff to []" in played.log


@pytest.mark.parametrize("step", [4, 5, 7])
def test_an_error_ends_the_round(step: int) -> None:
    script = good_round()[: step + 1]
    script[step] = (script[step][0], ModelError("mix failed"))
    played = play(linear.mix(state()), *script)
    assert played.result is False
    assert played.log[-1] == "error in mix master process: mix failed"


def test_a_round_that_zookeeper_prevents_stays_due() -> None:
    made = state(updates=512)
    with pytest.raises(ClusterError):
        play(linear.mix(made), (ListMembers(), ClusterError("no session")))
    assert made.due(100.0)


def test_trouble_with_zookeeper_is_left_to_the_runner() -> None:
    script = good_round()[:7]
    script[6] = (HoldsLock(), ClusterError("no session"))
    with pytest.raises(ClusterError):
        play(linear.mix(state()), *script)


def test_a_round_without_members() -> None:
    played = play(linear.mix(state()), (ListMembers(), []), (Activate(), None))
    assert played.result is False
    assert played.log == ["no server exists, assuming myself as up-to-date and becoming active node"]


# recovery


def recover(made: State, draw: Any = last) -> Any:
    return linear.recover(made, B, draw)


@pytest.mark.parametrize("members", [[], [B]])
def test_who_is_alone_becomes_active(members: list[Node]) -> None:
    made = state(obsolete=True)
    played = play(recover(made), (ListMembers(), members), (Activate(), None))
    assert played == (True, ["no other server available, I become active"])
    assert made.obsolete is False


def test_recovery_from_an_active_server() -> None:
    made = state(obsolete=True)
    played = play(
        recover(made),
        (ListMembers(), ABC),
        (ListActives(), [A]),
        (get_model(A), answers((A, (1, b"model")))),
        (CatchUp(b"model"), None),
    )
    assert played == (True, [])
    assert made.obsolete is True  # until the round that follows


def test_recovery_from_any_server_if_none_is_active() -> None:
    for actives in ([], [B]):
        play(
            recover(state(obsolete=True)),
            (ListMembers(), ABC),
            (ListActives(), actives),
            (get_model(C), answers((C, (1, b"model")))),
            (CatchUp(b"model"), None),
        )


def test_recovery_tries_the_others_after_a_failure() -> None:
    made = state(obsolete=True)

    def attempt(peer: Node, answer: Any) -> Any:
        return play(
            recover(made), (ListMembers(), ABC), (ListActives(), [A, C]), (get_model(peer), answers((peer, answer)))
        )

    assert attempt(C, "connect failed") == (False, ["get_model failed (connect failed): 10.0.0.1:9201"])
    assert attempt(A, "request timed out") == (False, ["get_model failed (request timed out): 10.0.0.1:9199"])
    assert attempt(C, "connect failed").result is False


def test_a_model_that_cannot_be_used_sends_the_recovery_to_another_server() -> None:
    made = state(obsolete=True)
    with pytest.raises(ModelError):
        play(
            recover(made),
            (ListMembers(), ABC),
            (ListActives(), [A, C]),
            (get_model(C), answers((C, (1, b"model")))),
            (CatchUp(b"model"), ModelError("torn")),
        )
    played = play(
        recover(made),
        (ListMembers(), ABC),
        (ListActives(), [A, C]),
        (get_model(A), answers((A, (1, b"model")))),
        (CatchUp(b"model"), None),
    )
    assert played.result is True
    assert made.failed == set()


def test_an_empty_model_is_like_no_other_server() -> None:
    made = state(obsolete=True)
    played = play(
        recover(made),
        (ListMembers(), ABC),
        (ListActives(), []),
        (get_model(C), answers((C, (1, b"")))),
        (Activate(), None),
    )
    assert played.result is True
    assert made.obsolete is False


def test_a_model_of_another_version_ends_the_process() -> None:
    made = state(obsolete=True)
    played = play(
        recover(made),
        (ListMembers(), ABC),
        (ListActives(), []),
        (get_model(C), answers((C, (2, b"model")))),
        (EndProcess(), None),
    )
    assert played == (False, ["MIX protocol version mismatch detected, going down; expected 1, got 2"])
    assert made.running is False


def test_the_source_of_a_model_is_drawn() -> None:
    assert [linear.source(ABC, set(), lambda count, i=i: i % count) for i in range(4)] == [A, B, C, A]
    assert [linear.source(ABC, {B}, lambda count, i=i: i % count) for i in range(3)] == [A, C, A]


# what the loop does


def step(made: State) -> Any:
    return linear.step(made, B, last)


def test_nothing_is_due() -> None:
    assert play(step(state(updates=511)), (Now(), 100.0)).log == []
    assert play(step(state(updates=1)), (Now(), 116.0)).log == []


def test_an_idle_cluster_does_not_mix() -> None:
    assert play(step(state())).log == []


@pytest.mark.parametrize(("updates", "now"), [(512, 100.0), (1, 116.1)])
def test_who_has_updates_is_master(updates: int, now: float) -> None:
    made = state(updates=updates)
    played = play(
        step(made),
        (Now(), now),
        (TakeLock(), True),
        (Now(), now),
        *good_round(),
        (Versions(), [1, 0, 12]),
    )
    assert played.log[0] == "got ZooKeeper lock, starting mix"
    assert played.log[-1] == ".... mix done. versions[1st, 0th, 12th]"
    assert (made.ticktime, made.tried) == (1.0, updates)


def test_a_round_that_fails_is_not_done() -> None:
    made = state(updates=512)
    played = play(
        step(made),
        (Now(), 100.0),
        (TakeLock(), True),
        (Now(), 100.0),
        (ListMembers(), [A]),
        (Now(), 100.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(A), answers((A, "connect failed"))),
    )
    assert played.log[-1] == "mix fails (all get_diffs fail)"
    assert not made.due(116.0)
    assert made.due(116.1)


def test_who_does_not_get_the_lock_goes_on_later() -> None:
    made = state(updates=512)
    assert play(step(made), (Now(), 100.0), (TakeLock(), False)).log == []
    assert made.due(100.0)


def test_who_was_told_while_it_waited_for_the_lock_is_no_master() -> None:
    made = state(updates=512)
    made.hand_out()

    def told() -> bool:
        made.put(fits=True, got=True, now=100.0)
        return True

    assert play(step(made), (Now(), 100.0), (TakeLock(), told)).log == []


def test_an_obsolete_server_recovers_and_is_master() -> None:
    made = state(obsolete=True)
    played = play(
        step(made),
        (TakeLock(), True),
        (ListMembers(), ABC),
        (ListActives(), [C]),
        (get_model(C), answers((C, (1, b"model")))),
        (CatchUp(b"model"), None),
        *good_round(),
    )
    assert played.log[0] == "start to get model from other server"
    assert played.log[-1].startswith("mixed with 3 servers")


def test_an_obsolete_server_waits_for_the_lock() -> None:
    played = play(step(state(obsolete=True)), (TakeLock(), False))
    assert played.log == ["failed to get ZooKeeper lock, waiting"]


def test_a_server_that_became_active_while_it_waited_for_the_lock_does_nothing() -> None:
    made = state(obsolete=True)

    def become_active() -> bool:
        made.obsolete = False
        return True

    assert play(step(made), (TakeLock(), become_active)).log == []


def test_a_recovery_that_fails_is_followed_by_no_round() -> None:
    played = play(
        step(state(obsolete=True)),
        (TakeLock(), True),
        (ListMembers(), ABC),
        (ListActives(), [C]),
        (get_model(C), answers((C, "connect failed"))),
    )
    assert played.log[-1] == "get_model failed (connect failed): 10.0.0.1:9201"


def test_a_server_that_ends_during_its_recovery_is_no_master() -> None:
    made = state(obsolete=True)

    def end() -> None:
        made.running = False

    play(
        step(made),
        (TakeLock(), True),
        (ListMembers(), ABC),
        (ListActives(), [C]),
        (get_model(C), answers((C, (1, b"model")))),
        (CatchUp(b"model"), end),
    )


# do_mix


def test_a_round_that_a_client_wants() -> None:
    made = state(updates=3)
    played = play(
        linear.forced(made, 10.0),
        (TakeLock(), False),
        (Now(), 1.0),
        (Pause(linear.PAUSE), None),
        (TakeLock(), True),
        *good_round(),
    )
    assert played.result is True
    assert played.log[0] == "forced to mix by user RPC"
    assert made.tried == 3


def test_a_client_does_not_wait_for_the_lock_for_ever() -> None:
    played = play(linear.forced(state(), 10.0), (TakeLock(), False), (Now(), 10.0))
    assert played == (
        False,
        ["forced to mix by user RPC", "failed to get ZooKeeper lock in time, not mixed"],
    )


def test_a_server_that_ends_does_not_wait_for_the_lock() -> None:
    assert play(linear.forced(state(running=False), 10.0), (TakeLock(), False)).result is False


def test_a_client_hears_of_a_round_that_failed() -> None:
    played = play(
        linear.forced(state(), 10.0),
        (TakeLock(), True),
        (ListMembers(), [A]),
        (Now(), 1.0),
        (Versions(), [0, 7]),
        (Round(), 5),
        (get_diff(A), answers((A, "connect failed"))),
    )
    assert played.result is False


# what a put changes


@pytest.mark.parametrize(
    ("fits", "obsolete", "instruction", "text"),
    [
        (True, True, Activate(), "I got latest model. So I become active."),
        (True, False, None, "my model is still up to date."),
        (False, False, Deactivate(), "I'm obsolete. I become inactive."),
        (False, True, None, "my model is still obsolete."),
    ],
)
@pytest.mark.parametrize("got", [True, False])
def test_put_done(fits: bool, got: bool, obsolete: bool, instruction: Instruction | None, text: str) -> None:
    made = state(obsolete=obsolete, updates=5)
    made.hand_out()
    made.updated()
    change = [] if instruction is None else [(instruction, None)]
    played = play(linear.put_done(made, fits, got), (Now(), 105.0), (Versions(), [1, 2]), *change)
    assert played.log == [f"put_diff finished. {text} versions[1, 2]"]
    assert made.obsolete is not fits
    assert made.ticktime == 105.0
    assert made.count == (1 if fits and got else 6)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0th"),
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (101, "101st"),
        (111, "111th"),
    ],
)
def test_ordinal(number: int, text: str) -> None:
    assert linear.ordinal(number) == text


def test_levels_of_the_log() -> None:
    lost = linear.mix(state())
    assert next(lost) == ListMembers()
    assert lost.send([]) == Log(
        logging.WARNING, "no server exists, assuming myself as up-to-date and becoming active node"
    )


# the end


def test_what_was_learned_is_mixed_before_the_end() -> None:
    played = play(
        linear.last(state(updates=3, running=False), A, 10.0),
        (Deactivate(), None),
        (ListMembers(), ABC),
        (Pause(linear.SETTLE), None),
        (TakeLock(), False),
        (Now(), 9.0),
        (Pause(linear.PAUSE), None),
        (TakeLock(), True),
        *good_round(),
        (Now(), 9.5),
        (TakeLock(), True),  # the updates that the round did not spread
        *good_round(),
        (Now(), 10.0),
    )
    assert played.log[0] == "mixing for the last time"


@pytest.mark.parametrize(
    "made",
    [state(running=False), state(updates=3, obsolete=True), State(0, 0, 100.0, count=3, obsolete=False)],
    ids=["nothing to mix", "obsolete", "mixes only when told"],
)
def test_a_server_that_has_nothing_to_give_just_goes(made: State) -> None:
    assert play(linear.last(made, A, 10.0), (Deactivate(), None)).log == []


def test_the_last_server_just_goes() -> None:
    assert play(linear.last(state(updates=3), A, 10.0), (Deactivate(), None), (ListMembers(), [A])).log == []


def test_the_end_does_not_wait_for_the_lock_for_ever() -> None:
    played = play(
        linear.last(state(updates=3), A, 10.0),
        (Deactivate(), None),
        (ListMembers(), ABC),
        (Pause(linear.SETTLE), None),
        (TakeLock(), False),
        (Now(), 10.0),
    )
    assert played.log[-1] == "failed to get ZooKeeper lock in time, 3 updates are not mixed"
