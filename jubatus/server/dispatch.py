"""From the rows of a declaration to handlers: which code answers a request, when it may run, and where.

The model has one reader-writer lock. It is bookkeeping of the event loop, on whose thread alone this module runs, and
no lock of the operating system: a short request of a free model is one call and takes nothing. What may take long
holds the lock on an executor thread. What cannot run at once waits in one queue in order of arrival, so that neither
readers nor writers starve; while it waits, nothing overtakes it but rows without a lock.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

from jubatus._core.model import Model
from jubatus._core.wire import Frame, Reader, error_reply, reply
from jubatus.errors import BadArguments, JubatusError
from jubatus.idl import Lock, Method
from jubatus.rpc.protocol import LEAST, ROOM, Session

log = logging.getLogger("jubatus")

INLINE_SIZE = 128 << 10
"""A longer request runs on a thread: at 100 MB/s it would hold up the event loop for more than a millisecond."""

Handler = Callable[[Reader], Any]
"""Returns the packed result as bytes. That of a row marked long may return a function instead, which returns them:
it runs on a thread after the lock is released."""


CONTRACT = {"status", "pack", "unpack", "get_diff", "mix", "put_diff"}
"""What a model offers besides the methods of its service."""


class Row:
    """A declared method, bound to its handler."""

    __slots__ = ("arity", "counts", "handler", "locked", "long", "update")

    def __init__(self, method: Method, handler: Handler) -> None:
        self.handler = handler
        self.arity = len(method.args)
        self.counts = method.counts
        self.long = method.long
        self.locked = method.lock is not Lock.NOLOCK
        self.update = method.lock is Lock.UPDATE


class Job(NamedTuple):
    """A request that does not run at once."""

    row: Row
    frame: Frame
    session: Session

    @property
    def long(self) -> bool:
        """Whether it runs on a thread."""
        return self.row.long or self.frame.size > INLINE_SIZE


def bind(methods: Iterable[Method], model: Model, common: object) -> dict[bytes, Row]:
    """Return the row of each method by its name on the wire.

    Args:
        methods: all that the server has.
        model: handles the methods of the service.
        common: handles those that every service has.

    Raises:
        TypeError: a method has no handler, or a handler no method.
    """
    rows = {}
    handlers = _handlers(model) | _handlers(common)
    for method in methods:
        if method.name not in handlers:
            raise TypeError(f"no handler of method {method.name}")
        rows[method.name.encode()] = Row(method, handlers.pop(method.name))
    if unused := handlers.keys() - CONTRACT:
        raise TypeError(f"no method has the handler {', '.join(sorted(unused))}")
    return rows


def _handlers(owner: object) -> dict[str, Handler]:
    names = [name for name in dir(owner) if not name.startswith("_")]
    return {name: value for name in names if callable(value := getattr(owner, name))}


class Dispatcher:
    """Answers the requests of all connections.

    Args:
        rows: by name on the wire.
        executor: its threads run what takes long.

    Attributes:
        updates: calls so far of the rows that count, but those whose arguments were refused.
        bugs: errors so far that no handler should raise.
        deferred: requests that wait or run on a thread.
    """

    def __init__(self, rows: dict[bytes, Row], executor: Executor) -> None:
        self.updates = 0
        self.bugs = 0
        self.deferred = 0
        self._rows = rows
        self._executor = executor
        self._waiting: deque[Job] = deque()
        self._readers = 0
        self._writing = False
        self._busy = False  # a thread holds the lock, or requests wait for it

    def serve(self, frame: Frame, session: Session) -> bytes | None:
        """Answer a request now, or later by the session's ``complete``; see protocol.Serve."""
        row = self._rows.get(frame.method)
        if row is None:
            return b"" if frame.kind else error_reply(frame.msgid, 1, frame.method)
        if row.long or (row.locked and (self._busy or frame.size > INLINE_SIZE)):
            return self._admit(Job(row, frame, session))
        return self._run(row, frame)

    def _run(self, row: Row, frame: Frame) -> bytes:
        """Answer a request on the event loop."""
        params = frame.params
        try:
            params.arguments(row.arity)
            result = row.handler(params)
        except Exception as error:
            return self._refused(row, frame, error)
        if row.counts:
            self.updates += 1
        return _reply(frame, result)

    def _refused(self, row: Row, frame: Frame, error: BaseException) -> bytes:
        """Turn an error into its reply; the only place that does."""
        if isinstance(error, BadArguments):
            return b"" if frame.kind else error_reply(frame.msgid, 2, b"std::bad_cast")
        if row.counts:
            self.updates += 1
        if not isinstance(error, JubatusError):
            self.bugs += 1
            log.error("error in RPC %s: %s", frame.method.decode("utf-8", "replace"), error, exc_info=error)
        return b"" if frame.kind else error_reply(frame.msgid, str(error) or type(error).__name__)

    def _admit(self, job: Job) -> bytes | None:
        """Answer at once what the lock allows, start it on a thread, or let it wait."""
        if job.row.locked and (self._waiting or not self._free(job.row)):
            self._busy = True
            self._waiting.append(job)
        elif job.long:
            self._start(job)
        else:
            return self._run(job.row, job.frame)
        self.deferred += 1
        return None

    def _free(self, row: Row) -> bool:
        return not (self._writing or (row.update and self._readers))

    def _start(self, job: Job) -> None:
        """Take the lock for a job and run it on a thread."""
        if job.row.update:
            self._writing = self._busy = True
        elif job.row.locked:
            self._readers += 1
            self._busy = True
        self._submit(partial(_work, job.row.handler, job.row.arity, job.frame), partial(self._worked, job))

    def _submit(self, work: Callable[[], Any], then: Callable[[asyncio.Future[Any]], None]) -> None:
        asyncio.get_running_loop().run_in_executor(self._executor, work).add_done_callback(then)

    def _worked(self, job: Job, future: asyncio.Future[Any]) -> None:
        """Release the lock of a job, and answer it or let it go on without."""
        if job.row.update:
            self._writing = False
        elif job.row.locked:
            self._readers -= 1
        try:
            if future.exception() is None and callable(future.result()):
                self._submit(future.result(), partial(self._ended, job))
            else:
                self._ended(job, future)
        finally:
            self._pump()

    def _ended(self, job: Job, future: asyncio.Future[Any]) -> None:
        error = future.exception()
        if error is not None:
            answer = self._refused(job.row, job.frame, error)
        else:
            self.updates += job.row.counts
            answer = future.result()
        self._complete(job, answer)

    def _complete(self, job: Job, answer: bytes) -> None:
        self.deferred -= 1
        job.session.complete(answer)

    def _pump(self) -> None:
        """Let those run that wait first, as far as the lock allows."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting
        room = ROOM
        while waiting and self._free(waiting[0].row):
            if room <= 0:
                loop.call_soon(self._pump)
                return
            job = waiting.popleft()
            if job.long:
                self._start(job)
            else:
                loop.call_soon(self._complete, job, self._run(job.row, job.frame))
                room -= LEAST + job.frame.size
        self._busy = bool(waiting or self._readers or self._writing)


def _work(handler: Handler, arity: int, frame: Frame) -> Any:
    """Return the reply, or a function that returns it; the reply is made here because a long one is copied long."""
    frame.params.arguments(arity)
    result = handler(frame.params)
    return (lambda: _reply(frame, result())) if callable(result) else _reply(frame, result)


def _reply(frame: Frame, result: bytes) -> bytes:
    return b"" if frame.kind else reply(frame.msgid, result)
