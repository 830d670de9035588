"""Tests of jubatus._core.mix.whole: of stat, whose diff sums up its state, and of bandit, whose diff is what is new."""

from typing import Any

import pytest

from jubatus._core.services.bandit import Bandit
from jubatus._core.services.stat import Stat
from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from tests.core.calls import call, give


def taught(*keys: str) -> Stat:
    """Return a model of a cluster that took a number for each of the keys."""
    model = Stat({"window_size": 9}, distributed=True)
    for key in keys:
        call(model, "push", key, 1.0)
    return model


def test_a_diff_is_that_of_the_time_when_it_was_copied() -> None:
    model = taught("a", "b")
    packed, snapshot = give(model)
    call(model, "push", "c", 1.0)
    assert snapshot.pack() == packed
    assert snapshot.take(0)
    assert [unpack(diff)[0][1] for diff in (packed, model.get_diff())] == [2, 3]


def test_any_number_of_diffs_is_joined_in_order() -> None:
    diffs = [taught(*"ab").get_diff(), taught(*"aab").get_diff(), taught(*"c").get_diff(), taught(*"dddd").get_diff()]
    for count in range(1, 5):
        total, numbers = 0.0, 0
        for diff in diffs[:count]:
            total, numbers = total + unpack(diff)[0][0], numbers + unpack(diff)[0][1]
        assert unpack(taught().mix(diffs[:count])) == [[total, numbers]]


def test_a_mixed_diff_fits_whatever_was_missed() -> None:
    model, other = taught("a"), taught(*"bc")
    for _ in range(3):
        assert other.put_diff(other.get_diff()) is True
    assert model.version == other.version == 0
    assert model.put_diff(other.get_diff()) is True
    assert call(model, "entropy", "") == call(other, "entropy", "")
    assert unpack(model.get_diff()) == [[0.0, 1]]  # it is not emptied


@pytest.mark.parametrize("diff", [[], [[0.0]], [[0.0, 1, 2]], [[0.0, -1]], [[0.0, 1.0]], [["", 1]], [[0.0, 1]] * 2, 5])
def test_what_is_no_diff_is_refused(diff: Any) -> None:
    model = taught("a")
    before = model.pack()
    for act in (lambda: model.put_diff(pack(diff)), lambda: model.mix([model.get_diff(), pack(diff)])):
        with pytest.raises(ModelError):
            act()
    assert model.pack() == before


def test_a_server_that_catches_up_becomes_the_other_one() -> None:
    model, other = taught("a", "b"), taught("x")
    fresh = model.fresh()
    fresh.unpack(other.pack())
    model.catch_up(fresh)
    assert model.pack() == other.pack()


def rewarded(*arms: str) -> Bandit:
    """Return a model whose diff is what was learned since the last MIX: here a reward for each of the arms."""
    model = Bandit({"method": "ucb1", "parameter": {"assume_unrewarded": False}}, distributed=True)
    for arm in "ab":
        call(model, "register_arm", arm)
    reward(model, *arms)
    return model


def reward(model: Bandit, *arms: str) -> None:
    for arm in arms:
        assert call(model, "register_reward", "p", arm, 1.0) is True


def trials_of(diff: bytes) -> dict[str, int]:
    """Return how often each arm was tried, by an unpacked diff."""
    return {arm.decode(): tally[0] for _, arms in unpack(diff)[0].values() for arm, tally in arms.items()}


def test_what_was_handed_out_is_subtracted_once() -> None:
    model = rewarded("a", "b")
    mixed, snapshot = give(model)
    reward(model, "a")
    for _ in range(2):
        assert model.put_diff(mixed, snapshot) is True
        assert trials_of(model.get_diff()) == {"a": 1, "b": 0}


def test_a_mixed_diff_of_others_leaves_the_own_one() -> None:
    model = rewarded("a")
    assert model.put_diff(rewarded("b").get_diff()) is True
    assert trials_of(model.get_diff()) == {"a": 1, "b": 0}
    assert call(model, "get_arm_info", "p") == {b"a": [1, 1.0], b"b": [1, 1.0]}


@pytest.mark.parametrize("is_known", [False, True])
def test_who_catches_up_keeps_what_the_other_does_not_know(is_known: bool) -> None:
    model, other = rewarded("a"), rewarded("b")
    mixed, snapshot = give(model)
    reward(model, "b", "b")
    if is_known:
        assert other.put_diff(mixed) is True
    fresh = model.fresh()
    fresh.unpack(other.pack())
    model.catch_up(fresh, snapshot if is_known else None)
    assert trials_of(model.get_diff()) == {"a": 0 if is_known else 1, "b": 2}
    assert call(model, "get_arm_info", "p") == {b"a": [1, 1.0], b"b": [2, 2.0]}
