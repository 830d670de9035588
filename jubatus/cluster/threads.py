"""Threads that call listeners one after another, and threads that repeat work until it succeeds."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from jubatus.errors import ClusterError

log = logging.getLogger("jubatus")

RETRY = 0.25
"""Seconds after which work that failed is tried again."""

LEAVE = 2.0
"""Seconds that a thread gets to finish its present work when it is told to end."""


class Events:
    """Calls functions one after another on a thread of its own.

    Args:
        name: name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def post(self, function: Callable[[], None]) -> None:
        """Call a function later."""
        self._queue.put(function)

    def close(self) -> None:
        """End; functions that wait are not called."""
        self._closed = True
        self._queue.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(LEAVE)

    def _run(self) -> None:
        while (function := self._queue.get()) and not self._closed:
            try:
                function()
            except Exception as error:
                log.error("a ZooKeeper event was not handled: %s: %s", type(error).__name__, error)


class Chore:
    """Does some work on a thread of its own whenever it is woken, and again after a while if the work failed.

    Args:
        name: name of the thread.
        work: what to do; returns whether all is done.
    """

    def __init__(self, name: str, work: Callable[[], bool]) -> None:
        self._work = work
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Wake the thread to do the work."""
        self._woken.set()

    @property
    def closed(self) -> bool:
        """Whether the thread was told to end."""
        return self._closed.is_set()

    def close(self) -> None:
        """End; the work is not done again."""
        self._closed.set()
        self._woken.set()
        if self._thread is not threading.current_thread():
            self._thread.join(LEAVE)

    def _run(self) -> None:
        patience: float | None = None
        while True:
            self._woken.wait(patience)
            self._woken.clear()
            if self._closed.is_set():
                return
            try:
                done = self._work()
            except ClusterError as error:
                log.debug("%s: %s", self._thread.name, error)
                done = False
            except Exception as error:
                log.error("%s: %s: %s", self._thread.name, type(error).__name__, error)
                done = False
            patience = None if done else RETRY
