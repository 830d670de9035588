"""From the rows of a declaration to handlers: which code answers a request, when it may run, and where.

The model has one reader-writer lock. It is bookkeeping of the event loop, on whose thread alone this module runs, and
no lock of the operating system: a short request of a free model is one call and takes nothing. What may take long
holds the lock on an executor thread. What cannot run at once waits in one queue in order of arrival, so that neither
readers nor writers starve. While it waits, nothing overtakes it but rows without a lock, and short reads while only
readers hold the lock: they end before the readers that a writer waits for.

Work that would hold the lock too long is a generator: it yields the lock that its next part needs, and others have
their turn between two parts.
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from jubatus._core.model import Model
from jubatus._core.wire import Frame, Reader, error_reply, reply
from jubatus.errors import BadArguments, JubatusError, UnknownMethod
from jubatus.idl import Host, Lock, Method
from jubatus.rpc.protocol import LEAST, ROOM, Session

log = logging.getLogger("jubatus")

INLINE_SIZE = 128 << 10
"""A longer request runs on a thread: at 100 MB/s it would hold up the event loop for more than a millisecond."""

Parts = Generator[Lock, None, bytes]
"""A long call in parts: each runs on a thread under the lock that was yielded before it, the first under its row's."""

Handler = Callable[[Reader], bytes | Parts | Coroutine[Any, Any, bytes]]
"""Returns the packed result. That of a row marked long may return Parts; that of one without a lock, a coroutine."""

CONTRACT = {
    "catch_up", "fresh", "get_diff", "mix", "pack", "patch", "pull_argument", "pull_rows", "push_rows", "put_diff",
    "snapshot", "status", "unpack", "version",
}  # fmt: skip
"""What a model offers besides the methods of its service."""


class Row:
    """A declared method, bound to its handler."""

    __slots__ = ("arity", "counts", "handler", "lock", "locked", "long", "mixes", "named", "remote", "tells", "update")

    def __init__(self, method: Method, handler: Handler) -> None:
        self.handler = handler
        self.arity = len(method.args)
        self.named = method.named
        self.counts = method.counts
        self.long = method.long
        self.lock = method.lock
        self.locked = method.lock is not Lock.NOLOCK
        self.update = method.lock is Lock.UPDATE
        self.mixes = self.update and method.host is Host.SERVER
        self.tells = self.counts or self.mixes
        self.remote = inspect.iscoroutinefunction(handler)

    def begin(self, params: Reader) -> Any:
        """Call the handler; raise BadArguments if there are too few arguments."""
        if self.named:
            params.arguments(self.arity)
        elif params.array() < self.arity:
            raise BadArguments(f"{self.arity} arguments are expected")
        return self.handler(params)


Done = Callable[[bytes | None, BaseException | None], None]
"""Takes what a caller gets, or the error."""


class Job:
    """A call that does not run at once.

    Attributes:
        begin: starts it.
        lock: what its next part needs.
        size: bytes of the request.
        long: whether it runs on a thread.
        pack: makes what the caller gets of the packed result.
        done: is called with that or the error, on the event loop.
        parts: the rest of it.
    """

    __slots__ = ("begin", "done", "lock", "long", "pack", "parts", "size")

    def __init__(
        self,
        begin: Callable[[], Any],
        lock: Lock,
        done: Done,
        *,
        size: int = 0,
        long: bool = True,
        pack: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.begin = begin
        self.lock = lock
        self.size = size
        self.long = long
        self.pack = pack
        self.done = done
        self.parts: Parts | None = None

    def work(self) -> Lock | bytes:
        """Do the next part and return the lock that the one behind it needs, or at the end what the caller gets.

        Runs on a thread; what the caller gets is made here because a long result is copied long.
        """
        parts = self.parts
        if parts is None:
            result: Any = self.begin()
            if not inspect.isgenerator(result):
                return self.pack(result)
            parts = self.parts = _parts(result)
        try:
            return next(parts)
        except StopIteration as end:
            return self.pack(end.value)


def _parts(result: Any) -> Parts:
    """Return a generator as what it is; `isgenerator` tells no types."""
    parts: Parts = result
    return parts


def bind(methods: Iterable[Method], model: Model, *others: object) -> dict[bytes, Row]:
    """Return the row of each method by its name on the wire.

    Args:
        methods: all that the server has.
        model: handles the methods of the service.
        others: handle those that every service has.

    Raises:
        TypeError: a method has no handler, or a handler no method.
    """
    rows = {}
    handlers = {name: handler for name, handler in _handlers(model).items() if name not in CONTRACT}
    for owner in others:
        handlers |= _handlers(owner)
    for method in methods:
        if method.name not in handlers:
            raise TypeError(f"no handler of method {method.name}")
        rows[method.name.encode()] = Row(method, handlers.pop(method.name))
    if handlers:
        raise TypeError(f"no method has the handler {', '.join(sorted(handlers))}")
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
        mixed: is called after each update of the model that a MIX has to spread.
    """

    def __init__(self, rows: dict[bytes, Row], executor: Executor) -> None:
        self.updates = 0
        self.bugs = 0
        self.deferred = 0
        self.mixed: Callable[[], None] | None = None
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
        if row.long or (row.locked and (frame.size > INLINE_SIZE or (self._busy and (row.update or self._writing)))):
            return self._defer(row, frame, session)
        return self._run(row, frame)

    def call(self, method: str, params: Reader) -> asyncio.Future[bytes]:
        """Return the packed result of a method that this process calls on itself.

        Args:
            method: its name.
            params: the arguments, as a peer would send them.
        """
        row = self._rows.get(method.encode())
        if row is None:
            raise UnknownMethod(method)
        return self._call(partial(row.begin, params), row.lock)

    def exclusive(self, work: Callable[[], bytes]) -> asyncio.Future[bytes]:
        """Run a function on a thread while nothing else reads or changes the model."""
        return self._call(work, Lock.UPDATE)

    def _call(self, begin: Callable[[], Any], lock: Lock) -> asyncio.Future[bytes]:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(result: bytes | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if result is None:
                future.set_exception(error or AssertionError("neither result nor error"))
            else:
                future.set_result(result)

        self._admit(Job(begin, lock, done))
        return future

    def _run(self, row: Row, frame: Frame) -> bytes:
        """Answer a request on the event loop."""
        params = frame.params
        try:
            params.arguments(row.arity)  # a row whose calls have no name is long
            result: Any = row.handler(params)
        except Exception as error:
            return self._refused(row, frame, error)
        if row.tells:
            self._count(row)
        return _reply(frame, result)

    def _count(self, row: Row) -> None:
        if row.counts:
            self.updates += 1
        if row.mixes and self.mixed is not None:
            self.mixed()

    def _refused(self, row: Row, frame: Frame, error: BaseException) -> bytes:
        """Turn an error into its reply; the only place that does."""
        if isinstance(error, BadArguments):
            return b"" if frame.kind else error_reply(frame.msgid, 2, b"std::bad_cast")
        self._count(row)
        if not isinstance(error, JubatusError):
            self.bugs += 1
            log.error("error in RPC %s: %s", frame.method.decode("utf-8", "replace"), error, exc_info=error)
        return b"" if frame.kind else error_reply(frame.msgid, str(error) or type(error).__name__)

    def _defer(self, row: Row, frame: Frame, session: Session) -> bytes | None:
        """Answer a request at once if the lock allows it, else later."""
        self.deferred += 1

        def done(answer: bytes | None, error: BaseException | None) -> None:
            self.deferred -= 1
            if error is not None:
                answer = self._refused(row, frame, error)
            else:
                self._count(row)
            assert answer is not None
            session.complete(answer)

        if row.remote:
            self._await(row, frame, done)
        else:
            long = row.long or frame.size > INLINE_SIZE
            begin = partial(row.begin, frame.params)
            self._admit(Job(begin, row.lock, done, size=frame.size, long=long, pack=partial(_reply, frame)))
        return None

    def _await(self, row: Row, frame: Frame, done: Done) -> None:
        """Let a coroutine answer."""

        async def run() -> bytes:
            return _reply(frame, await row.begin(frame.params))

        def ended(task: asyncio.Task[bytes]) -> None:
            error = asyncio.CancelledError("cancelled") if task.cancelled() else task.exception()
            done(None if error is not None else task.result(), error)

        asyncio.get_running_loop().create_task(run()).add_done_callback(ended)

    def _admit(self, job: Job) -> None:
        """Start a call or its next part on a thread, or let it wait for the lock."""
        if job.lock is not Lock.NOLOCK and (self._waiting or not self._free(job.lock)):
            self._busy = True
            self._waiting.append(job)
        else:
            self._start(job)

    def _free(self, lock: Lock) -> bool:
        return not (self._writing or (lock is Lock.UPDATE and self._readers))

    def _start(self, job: Job) -> None:
        """Take the lock for a call and run it, or its next part, on a thread."""
        if job.lock is Lock.UPDATE:
            self._writing = self._busy = True
        elif job.lock is Lock.ANALYSIS:
            self._readers += 1
            self._busy = True
        future = asyncio.get_running_loop().run_in_executor(self._executor, job.work)
        future.add_done_callback(partial(self._worked, job))

    def _worked(self, job: Job, future: asyncio.Future[Any]) -> None:
        """Release the lock of a call, and end it or let its next part wait behind the others."""
        if job.lock is Lock.UPDATE:
            self._writing = False
        elif job.lock is Lock.ANALYSIS:
            self._readers -= 1
        try:
            error = future.exception()
            if error is not None:
                job.done(None, error)
            elif isinstance(future.result(), Lock):
                job.lock = future.result()
                self._admit(job)
            else:
                job.done(future.result(), None)
        finally:
            self._pump()

    def _pump(self) -> None:
        """Let those run that wait first, as far as the lock allows."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting
        room = ROOM
        while waiting and self._free(waiting[0].lock):
            if room <= 0:
                loop.call_soon(self._pump)
                return
            job = waiting.popleft()
            if job.long:
                self._start(job)
            else:
                loop.call_soon(job.done, *_outcome(job))
                room -= LEAST + job.size
        self._busy = bool(waiting or self._readers or self._writing)


def _outcome(job: Job) -> tuple[bytes | None, BaseException | None]:
    """Do a short call on the event loop; return what the caller gets, or the error."""
    try:
        return job.work(), None  # type: ignore[return-value]  # short calls have one part
    except Exception as error:
        return None, error


def _reply(frame: Frame, result: bytes) -> bytes:
    return b"" if frame.kind else reply(frame.msgid, result)
