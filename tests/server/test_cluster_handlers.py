from typing import Any

import pytest

from jubatus.server.cluster_handlers import Handed


def snapshot(name: str) -> Any:
    return name


def test_nothing_was_given() -> None:
    handed = Handed()
    assert handed.snapshot is None
    handed.done(fits=False, got=False)
    assert handed.snapshot is None


def test_what_was_given_last_is_in_the_next_mixed_diff() -> None:
    handed = Handed()
    handed.give(snapshot("of a round that failed"), asked=3, version=3)
    handed.give(snapshot("of the next one"), asked=3, version=3)
    assert handed.snapshot == "of the next one"
    handed.done(fits=True, got=True)
    assert handed.snapshot is None


@pytest.mark.parametrize("asked", [0, 4])  # 0 is what a server of 1.1 sends
def test_a_master_that_is_not_ahead_takes_the_diff(asked: int) -> None:
    handed = Handed()
    handed.give(snapshot("x"), asked, version=4)
    assert handed.snapshot == "x"


def test_a_mixed_diff_that_never_came() -> None:
    """The others mixed what was given at version 3 and are at 4; what they are given now is left out."""
    handed = Handed()
    handed.give(snapshot("mixed"), asked=3, version=3)
    for got in (True, False):
        handed.give(snapshot("left out"), asked=4, version=3)
        assert handed.snapshot == "mixed"
        handed.done(fits=False, got=got)
        assert handed.snapshot == "mixed"


def test_a_master_that_is_behind_itself() -> None:
    """It asks itself with its own version; the refusal of what came of that shows that the diff was left out."""
    handed = Handed()
    handed.give(snapshot("mixed"), asked=3, version=3)
    handed.give(snapshot("left out"), asked=3, version=3)
    handed.done(fits=False, got=True)
    assert handed.snapshot == "mixed"


def test_what_somebody_else_gets_is_no_part_of_a_round() -> None:
    handed = Handed()
    handed.give(snapshot("for the master"), asked=3, version=3, round=7)
    handed.give_loosely(snapshot("for an outsider"))
    assert handed.snapshot == "for the master"
    assert handed.part(7) == ("for the master", False)
    assert handed.part(8) == (None, False)
    assert handed.part(None) == ("for an outsider", True)
    handed.done(fits=True, got=True)
    assert handed.part(7) == handed.part(None) == (None, False)


def test_a_master_of_1_1_says_no_round() -> None:
    handed = Handed()
    handed.give_loosely(snapshot("before"))
    handed.give(snapshot("for the master"), asked=0, version=3)
    assert handed.part(None) == ("for the master", False)
    assert handed.part(7) == (None, False)
    handed.give(snapshot("for the next one"), asked=3, version=3, round=8)
    assert handed.part(8) == ("for the next one", False)
    assert handed.part(None) == ("for the master", False)
    handed.give(snapshot("for the third one"), asked=3, version=3, round=9)
    assert handed.part(None) == (None, False)


def test_a_mixed_diff_that_comes_late() -> None:
    """Its master has lost the lock, and another one asked meanwhile."""
    handed = Handed()
    handed.give(snapshot("for 7"), asked=3, version=3, round=7)
    handed.give(snapshot("for 8"), asked=3, version=3, round=8)
    assert handed.part(7) == ("for 7", False)
    assert handed.part(8) == ("for 8", False)
