import logging
import threading

import pytest

from jubatus.cluster.threads import Chore, Events
from jubatus.errors import ClusterError
from tests.conftest import wait_for


def test_events_are_called_in_order_on_one_thread() -> None:
    events = Events("events")
    seen: list[tuple[int, int]] = []
    for number in range(3):
        events.post(lambda number=number: seen.append((number, threading.get_ident())))  # type: ignore[misc]
    wait_for(lambda: len(seen) == 3)
    assert [number for number, _ in seen] == [0, 1, 2]
    assert {thread for _, thread in seen} != {threading.get_ident()}
    assert len({thread for _, thread in seen}) == 1
    events.close()


def test_after_the_end_nothing_is_called() -> None:
    events = Events("events")
    seen: list[int] = []
    events.close()
    events.post(lambda: seen.append(1))
    events.close()
    assert seen == []


def test_an_event_that_fails_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    events = Events("events")
    events.post(lambda: [][0])
    wait_for(lambda: caplog.records)
    assert caplog.messages == ["a ZooKeeper event was not handled: IndexError: list index out of range"]
    assert caplog.records[0].exc_info is None
    events.close()


def test_a_chore_is_done_when_woken() -> None:
    done: list[int] = []

    def work() -> bool:
        done.append(1)
        return True

    chore = Chore("chore", work)
    assert done == []
    chore.wake()
    wait_for(lambda: len(done) == 1)
    chore.close()
    chore.wake()
    assert len(done) == 1
    assert chore.closed


@pytest.mark.parametrize("error", [ClusterError("away"), ValueError("broken"), None])
def test_a_chore_that_fails_is_done_again(error: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    done: list[int] = []

    def work() -> bool:
        done.append(1)
        if len(done) < 3 and error:
            raise error
        return len(done) == 3

    chore = Chore("chore", work)
    chore.wake()
    wait_for(lambda: len(done) == 3)
    chore.close()
    assert caplog.messages == ["chore: ValueError: broken"] * 2 * isinstance(error, ValueError)


def test_a_chore_may_end_itself() -> None:
    ended = threading.Event()

    def work() -> bool:
        chore.close()
        ended.set()
        return False

    chore = Chore("chore", work)
    chore.wake()
    assert ended.wait(10)
