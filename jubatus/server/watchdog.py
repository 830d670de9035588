"""Sees that the event loop of a server stands, which nobody else would: ZooKeeper hears of another thread."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger("jubatus")

PERIOD = 0.5
"""Seconds between two looks at the loop."""

MISSED = 6
"""Looks in a row at which the loop has not turned, after which it stands.

That is 3 s. What runs on the loop takes milliseconds, so a healthy one never waits so long, even on a busy machine. It
is less than the 10 s after which callers give up. Looks are counted, and no time is measured: where the whole process
was stopped, nobody has looked.
"""


class Watchdog:
    """Watches an event loop from a thread.

    Args:
        loop: what is watched.
        stands: called, on the thread, when the loop stands.
        turns: called, on the thread, when it turns again.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stands: Callable[[], None], turns: Callable[[], None]) -> None:
        self._loop = loop
        self._stands = stands
        self._turns = turns
        self._turned = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; may be called on the loop."""
        self._closed.set()

    def _beat(self) -> None:
        self._turned = True

    def _watch(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._beat)
            missed = 0
            while not self._closed.wait(PERIOD):
                if not self._turned:
                    missed += 1
                    if missed == MISSED:
                        log.warning("the event loop stands for %g s, keepers are told to pass over", MISSED * PERIOD)
                        self._stands()
                    continue
                if missed >= MISSED:
                    log.info("the event loop turns again")
                    self._turns()
                missed = 0
                self._turned = False
                self._loop.call_soon_threadsafe(self._beat)
