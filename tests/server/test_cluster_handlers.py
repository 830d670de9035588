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
