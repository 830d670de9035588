"""A loop that stands is told once, and so is that it turns again; what the whole process sleeps is no reason."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from jubatus.server import watchdog
from jubatus.server.watchdog import Watchdog
from tests.conftest import PATIENCE


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "PERIOD", 0.05)


class Told:
    """What the watchdog says."""

    def __init__(self) -> None:
        self.stands = threading.Event()
        self.turns = threading.Event()
        self.words: list[str] = []

    def watch(self) -> Watchdog:
        def say(word: str, event: threading.Event) -> None:
            self.words.append(word)
            event.set()

        loop = asyncio.get_running_loop()
        return Watchdog(loop, lambda: say("stands", self.stands), lambda: say("turns", self.turns))


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await work()

    asyncio.run(bounded())


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE)


def test_a_loop_that_stands_and_turns_again() -> None:
    told = Told()

    async def work() -> None:
        watched = told.watch()
        for _ in range(2):
            told.stands.clear()
            told.turns.clear()
            assert told.stands.wait(PATIENCE)  # holds up the loop
            await until(told.turns)
        watched.close()

    run(work)
    assert told.words == ["stands", "turns"] * 2


def test_a_loop_that_stands_for_a_moment_or_is_busy_is_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "MISSED", 1000)
    told = Told()

    async def work() -> None:
        watched = told.watch()
        for _ in range(3):
            threading.Event().wait(0.2)
            await asyncio.sleep(0.1)
        watched.close()

    run(work)
    assert told.words == []


def test_work_on_a_thread_does_not_make_the_loop_stand() -> None:
    told = Told()

    async def work() -> None:
        watched = told.watch()
        await asyncio.to_thread(threading.Event().wait, 1.0)
        watched.close()

    run(work)
    assert told.words == []


def test_it_ends_with_its_loop() -> None:
    told = Told()

    async def work() -> None:
        told.watch()

    run(work)
    for thread in threading.enumerate():
        if thread.name == "watchdog":
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert told.words == []
