"""Tests of jubatus._core.mix.whole through the window of stat, whose diff is one value."""

from typing import Any

import pytest

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
