"""From the rows of a declaration to handlers: which code answers a request, when it may run, and where.

The model has one reader-writer lock. It is no lock of the operating system but bookkeeping, and all of it is done on
the thread of the event loop. A short request runs on that thread too, so it need not take the lock if the model is
free. If its handler is compiled, the conversation answers it without asking the dispatcher (``shortcuts``). A call that
may take long runs on an executor thread and holds the lock meanwhile.

A call that cannot run at once waits in one queue. The queue keeps the order of arrival, so neither readers nor writers
starve. Two kinds of calls may overtake it: those without a lock, and short reads while only readers hold the lock. Such
a read ends before the readers do that a waiting writer waits for.

A call that would hold the lock too long is a generator. It yields the lock that its next step needs, and other calls
may run between two steps.
"""

import asyncio
import inspect
import logging
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol

from jubatus._core.model import Model
from jubatus._core.reserve import NOT_ENOUGH, begin_update
from jubatus._core.wire import Frame, Reader, error_reply, reply
from jubatus._core.wire.conversation import LEAST, ROOM, Conversation, DirectHandler, Shortcuts
from jubatus.errors import BadArguments, JubatusError, ModelError, OutOfMemory, UnknownMethod
from jubatus.idl import Host, Lock, Method, Route

log = logging.getLogger("jubatus")

INLINE_SIZE = 128 << 10
"""A longer request runs on a thread: at 100 MB/s it would hold up the event loop for more than a millisecond."""

Steps = Generator[Lock, None, bytes]
"""A long call in steps. Each runs on a thread under the lock that was yielded before it, the first under its row's."""

Handler = Callable[[Reader], bytes | Steps | Coroutine[Any, Any, bytes]]
"""Returns the packed result. If the row is marked long, it may return Steps. Without a lock it may be a coroutine.

The coroutine of a short row runs at once up to where it first waits. Up to there it is not in a task, so it cannot use
``asyncio.timeout`` or ``asyncio.TaskGroup``, which need one.
"""

CONTRACT = {
    "catch_up", "fresh", "get_diff", "longest", "mix", "pack", "pack_aside", "patch", "pull_argument", "pull_rows",
    "push_rows", "put_diff", "reassign", "snapshot", "status", "unpack", "unpack_aside", "version", "warm_up",
}  # fmt: skip
"""What a model offers besides the methods of its service."""


class BoundMethod:
    """A declared method, bound to its handler.

    Attributes:
        adds: whether a call may add to the model and its handler does not look whether there is memory for more.
        inline: whether a call may run on the event loop, if it is short and the model is free.
        locked: whether a call needs the lock of the model.
        update: whether it needs that lock to change the model.
        mixes: whether a call changes the model in a way that a MIX has to spread.
        tells: whether anything has to be noted after a call: that it counts, or that it mixes.
        remote: whether the handler is a coroutine, because it waits for other servers.
        recorded: whether a call changes the model of this server, so that a journal has it.
        between: whether only servers of the cluster call it, on each other.

    Args:
        method: the row.
        handler: what answers.
        lock: what a call holds: that of the row, or that of updates where a model does alone what calls other servers
            in a cluster.
        recorded: see the attribute.
    """

    __slots__ = ("adds", "arity", "between", "counts", "handler", "inline", "lock", "locked", "long", "mixes", "named",
                 "recorded", "remote", "tells", "update")  # fmt: skip

    def __init__(self, method: Method, handler: Handler, lock: Lock, recorded: bool = False) -> None:
        self.handler = handler
        self.recorded = recorded
        self.adds = method.adds
        if isinstance(handler, DirectHandler):
            handler.adds, self.adds = method.adds, False  # it looks itself
        self.arity = len(method.args)
        self.named = method.named
        self.between = method.route is Route.INTERNAL and (method.host is Host.SERVER or not method.named)
        self.counts = method.counts
        self.long = method.long
        self.lock = lock
        self.locked = lock is not Lock.NOLOCK
        self.update = lock is Lock.UPDATE
        self.remote = inspect.iscoroutinefunction(handler)
        changes_here = self.update or (self.remote and self.counts)
        self.mixes = changes_here and method.host is Host.SERVER
        self.tells = self.counts or self.mixes
        if self.remote and self.locked:
            raise TypeError(f"the handler of method {method.name} is a coroutine, which cannot hold a lock")
        self.inline = not (self.long or self.remote)

    def scans_long(self) -> bool:
        """Return whether a call takes long because of how large the model is now."""
        return isinstance(self.handler, DirectHandler) and self.handler.long

    def begin(self, params: Reader) -> Any:
        """Call the handler; raise BadArguments if there are too few arguments."""
        if self.named:
            params.arguments(self.arity)
        elif params.array() < self.arity:
            raise BadArguments(f"{self.arity} arguments are expected")
        if self.adds:
            begin_update()
        return self.handler(params)


Done = Callable[[bytes | None, BaseException | None], None]
"""Takes what a caller gets and None, or None and the error."""


class Job:
    """A call that does not run at once.

    Attributes:
        begin: starts it.
        lock: what its next step needs.
        size: bytes of the request.
        long: whether it runs on a thread.
        pack: turns the packed result into what the caller gets, which may be a whole reply.
        done: is called with that or the error, on the event loop.
        steps: those that are left, once it has begun.
    """

    __slots__ = ("begin", "done", "lock", "long", "pack", "size", "steps")

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
        self.steps: Steps | None = None

    def work(self) -> Lock | bytes:
        """Do the next step. Return the lock that the step after it needs, or at the end what the caller gets.

        Runs on a thread. What the caller gets is made here too, because copying a long result takes long.
        """
        steps = self.steps
        if steps is None:
            result: Any = self.begin()
            if not inspect.isgenerator(result):
                return self.pack(result)
            steps = self.steps = _steps(result)
        try:
            return next(steps)
        except StopIteration as end:
            return self.pack(end.value)


def _steps(result: Any) -> Steps:
    """Return a generator, with its type: ``inspect.isgenerator`` does not tell what it yields."""
    steps: Steps = result
    return steps


def bind(
    methods: Iterable[Method], model: Model, *others: object, instead: object | None = None
) -> dict[bytes, BoundMethod]:
    """Bind each method to its handler; return them by their names on the wire.

    A row without a lock that changes the model is one that calls other servers. Where the model answers it itself, as
    on a server alone, it runs under the lock of updates.

    Args:
        methods: all that the server has, each name once.
        model: handles the methods of the service. It never handles what servers call on each other (those calls have no
            cluster name), even if it has a method of that name.
        others: handle what every server has.
        instead: in a cluster, handles the methods of the service that call other servers, in place of the model.

    Raises:
        TypeError: a method has no handler or two, or a handler no method; one that shall take the model's place has
            none to replace; or a coroutine would have to hold a lock.
    """
    methods = tuple(methods)
    not_its_own = CONTRACT | {method.name for method in methods if not method.named}
    handlers = {name: found for name, found in _handlers(model).items() if name not in not_its_own}
    owners: dict[str, object] = dict.fromkeys(handlers, model)
    for name, handler in _handlers(instead).items() if instead is not None else ():
        if name not in handlers:
            raise TypeError(f"the model has no handler of method {name} to be replaced")
        handlers[name], owners[name] = handler, instead
    for owner in others:
        for name, handler in _handlers(owner).items():
            if name in handlers:
                first, second = (type(each).__name__ for each in (owners[name], owner))
                raise TypeError(f"method {name} has a handler of {first} and one of {second}")
            handlers[name], owners[name] = handler, owner
    bound = {}
    for method in methods:
        if method.name not in handlers:
            raise TypeError(f"no handler of method {method.name}")
        handler = handlers.pop(method.name)
        lock = method.lock
        if lock is Lock.NOLOCK and method.changes and owners[method.name] is model and not _has_own_way(handler):
            lock = Lock.UPDATE
        recorded = lock is Lock.UPDATE and owners[method.name] is model
        bound[method.name.encode()] = BoundMethod(method, handler, lock, recorded)
    if handlers:
        raise TypeError(f"no method has the handler {', '.join(sorted(handlers))}")
    return bound


def _has_own_way(handler: Handler) -> bool:
    """Return whether a handler waits for others, or names the locks of its steps itself."""
    return inspect.iscoroutinefunction(handler) or inspect.isgeneratorfunction(handler)


def _handlers(owner: object) -> dict[str, Handler]:
    names = [name for name in dir(owner) if not name.startswith("_")]
    return {name: value for name in names if callable(value := getattr(owner, name))}


def longest_inline(model: Model) -> int:
    """Return how long a request of a model may be that runs on the event loop."""
    return min(INLINE_SIZE, model.longest)


class Door(Protocol):
    """Knows which callers are servers of the cluster."""

    def lets(self, connection: Any) -> bool:
        """Return whether a caller is known to be one; never blocks."""

    async def check(self, method: str, connection: Any) -> None:
        """Look whether a caller is one; raise JubatusError if it is not, or if that cannot be seen."""


class Dispatcher:
    """Answers the requests of all connections.

    Args:
        methods: by name on the wire.
        executor: its threads run what takes long.
        door: knows who may call what servers call on each other; None lets everybody in.
        longest: bytes of the longest request that runs on the event loop.

    Attributes:
        shortcuts: answer short requests of compiled handlers, and know whether the model is free: ``busy`` while a
            thread holds the lock or requests wait for it, ``writing`` while that thread changes the model. Its
            ``mixed`` is called after each update of the model that a MIX has to spread.
        bugs: errors so far that no handler should raise.
        deferred: requests that now wait or run on a thread.
    """

    def __init__(
        self,
        methods: dict[bytes, BoundMethod],
        executor: Executor,
        door: Door | None = None,
        *,
        longest: int = INLINE_SIZE,
    ) -> None:
        self.bugs = 0
        self.deferred = 0
        self._door = door
        self.shortcuts = Shortcuts(self._refuse_frame, longest)
        for name, bound in methods.items():
            if bound.inline and isinstance(bound.handler, DirectHandler) and not (door and bound.between):
                self.shortcuts.add(
                    name, bound.handler, arity=bound.arity, update=bound.update, counts=bound.counts, mixes=bound.mixes
                )
        self._methods = methods
        self._executor = executor
        self._longest = longest
        self._waiting: deque[Job] = deque()
        self._readers = 0

    @property
    def updates(self) -> int:
        """Calls so far of the methods that count. Calls whose arguments were refused are not among them."""
        return self.shortcuts.updates

    def serve(self, frame: Frame, conversation: Conversation) -> bytes | None:
        """Answer a request now, or later by the conversation's ``complete``; see rpc.server.Serve."""
        bound = self._methods.get(frame.method)
        if bound is None:
            return b"" if frame.kind else error_reply(frame.msgid, 1, frame.method)
        door = self._door
        if door is not None and bound.between and not door.lets(conversation):
            self._wait_at_door(door, bound, frame, conversation)
            return None
        return self._answer(bound, frame, conversation)

    def _answer(self, bound: BoundMethod, frame: Frame, conversation: Conversation) -> bytes | None:
        """Answer a request now or later."""
        if bound.recorded and (refusal := self._refusal()):
            return self._refuse(bound, frame, ModelError(refusal))
        free = not self.shortcuts.busy or not (bound.update or self.shortcuts.writing)
        if not bound.inline or bound.scans_long() or (bound.locked and (frame.size > self._longest or not free)):
            return self._defer(bound, frame, conversation)
        return self._run(bound, frame, conversation)

    def _refusal(self) -> str:
        """Return why no update is accepted now, or nothing."""
        turn = self.shortcuts.turn
        return "" if turn is None else turn.refusing or ""

    def _wait_at_door(self, door: Door, bound: BoundMethod, frame: Frame, conversation: Conversation) -> None:
        """Answer a request when it is known whether its caller may send it."""
        self.deferred += 1

        def seen(task: asyncio.Task[None]) -> None:
            self.deferred -= 1
            error = asyncio.CancelledError("cancelled") if task.cancelled() else task.exception()
            if error is None:
                answer = self._answer(bound, frame, conversation)
            else:
                answer = b"" if frame.kind else error_reply(frame.msgid, str(error))
            if answer is not None:
                conversation.complete(answer)

        checking = door.check(frame.method.decode(), conversation)
        asyncio.get_running_loop().create_task(checking).add_done_callback(seen)

    def call(self, method: str, params: Reader) -> asyncio.Future[bytes]:
        """Return the packed result of a method that this process calls on itself.

        Args:
            method: its name.
            params: the arguments, as a peer would send them.
        """
        bound = self._methods.get(method.encode())
        if bound is None:
            raise UnknownMethod(method)
        return self._call(partial(bound.begin, params), bound.lock)

    def exclusive(self, work: Callable[[], bytes]) -> asyncio.Future[bytes]:
        """Run a function on a thread while nothing else reads or changes the model."""
        return self._call(work, Lock.UPDATE)

    def at_rest(self, work: Callable[[], bytes]) -> asyncio.Future[bytes]:
        """Run a short function on the event loop while nothing changes the model."""
        return self._call(work, Lock.ANALYSIS, long=False)

    def _call(self, begin: Callable[[], Any], lock: Lock, long: bool = True) -> asyncio.Future[bytes]:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(result: bytes | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if result is None:
                future.set_exception(error or AssertionError("neither result nor error"))
            else:
                future.set_result(result)

        self._admit(Job(begin, lock, done, long=long))
        return future

    def _run(self, bound: BoundMethod, frame: Frame, conversation: Conversation) -> bytes:
        """Answer a request on the event loop."""
        # Calls without a cluster name do not come here: their rows are marked long.
        try:
            result: Any = self._begin(bound, frame)
        except Exception as error:
            return self._refuse(bound, frame, error)
        finally:
            self._rouse(bound)
        if self._owes(bound, frame):
            conversation.owe(frame.msgid)
        if bound.tells:
            self._count(bound)
        return _reply(frame, result)

    def _begin(self, bound: BoundMethod, frame: Frame) -> Any:
        """Call the handler of a request; record an update that it does, or of which it does a part before it fails."""
        turn = self.shortcuts.turn
        if turn is None or not bound.recorded:
            return bound.begin(frame.params)
        if turn.refusing is not None:
            raise ModelError(turn.refusing)
        try:
            result = bound.begin(frame.params)
        except (BadArguments, MemoryError, OutOfMemory):
            raise
        except Exception:
            turn.append_frame(frame, False)
            raise
        turn.append_frame(frame, True)
        return result

    def _owes(self, bound: BoundMethod, frame: Frame) -> bool:
        """Return whether the reply to a request that succeeded has to wait until the journal has it."""
        return bound.recorded and self.shortcuts.turn is not None and frame.kind == 0

    def _rouse(self, bound: BoundMethod) -> None:
        """Have the record of a request written, if it has one."""
        if bound.recorded and self.shortcuts.turn is not None:
            self.shortcuts.turn.rouse()

    def _count(self, bound: BoundMethod) -> None:
        if bound.counts:
            self.shortcuts.updates += 1
        if bound.mixes and self.shortcuts.mixed is not None:
            self.shortcuts.mixed()

    def _refuse_frame(self, frame: Frame, error: BaseException) -> bytes:
        return self._refuse(self._methods[frame.method], frame, error)

    def _refuse(self, bound: BoundMethod, frame: Frame, error: BaseException) -> bytes:
        """Turn an error into its reply; the only place that does."""
        if isinstance(error, MemoryError):
            error = ModelError(NOT_ENOUGH)
        if isinstance(error, BadArguments):
            return b"" if frame.kind else error_reply(frame.msgid, 2, b"std::bad_cast")
        self._count(bound)
        if not isinstance(error, JubatusError):
            self.bugs += 1
            log.error("error in RPC %s: %s", frame.method.decode("utf-8", "replace"), error, exc_info=error)
        return b"" if frame.kind else error_reply(frame.msgid, str(error) or type(error).__name__)

    def _defer(self, bound: BoundMethod, frame: Frame, conversation: Conversation) -> bytes | None:
        """Answer a request that may take long, waits for others, or has to wait for the lock."""
        if bound.remote:
            return self._await(bound, frame, conversation)
        begin = partial(self._begin, bound, frame)
        long = bound.long or frame.size > self._longest or bound.scans_long()
        done = self._note_deferred(bound, frame, conversation)
        self._admit(Job(begin, bound.lock, done, size=frame.size, long=long, pack=partial(_reply, frame)))
        return None

    def _note_deferred(self, bound: BoundMethod, frame: Frame, conversation: Conversation) -> Done:
        """Note that a request is deferred; return the function that answers it."""
        self.deferred += 1

        def done(answer: bytes | None, error: BaseException | None) -> None:
            self.deferred -= 1
            update = None
            if error is not None:
                answer = self._refuse(bound, frame, error)
            else:
                self._count(bound)
                update = frame.msgid if self._owes(bound, frame) else None
            self._rouse(bound)
            assert answer is not None
            conversation.complete(answer, update)

        return done

    def _await(self, bound: BoundMethod, frame: Frame, conversation: Conversation) -> bytes | None:
        """Let a coroutine answer: at once if it is short and does not wait, else later."""

        async def answer() -> bytes:
            return _reply(frame, await bound.begin(frame.params))

        coroutine = answer()
        if not bound.long:
            try:
                waited = coroutine.send(None)
            except StopIteration as end:
                self._count(bound)
                packed: bytes = end.value
                return packed
            except (Exception, asyncio.CancelledError) as error:
                return self._refuse(bound, frame, error)
            coroutine = _resume(coroutine, waited)
        done = self._note_deferred(bound, frame, conversation)

        def ended(task: asyncio.Task[bytes]) -> None:
            error = asyncio.CancelledError("cancelled") if task.cancelled() else task.exception()
            done(None if error is not None else task.result(), error)

        asyncio.get_running_loop().create_task(coroutine).add_done_callback(ended)
        return None

    def _admit(self, job: Job) -> None:
        """Start a call or its next step, or let it wait for the lock."""
        if job.lock is not Lock.NOLOCK and (self._waiting or not self._free(job.lock)):
            self.shortcuts.busy = True
            self._waiting.append(job)
        elif job.long:
            self._start(job)
        else:
            asyncio.get_running_loop().call_soon(job.done, *_run_inline(job))

    def _free(self, lock: Lock) -> bool:
        return not (self.shortcuts.writing or (lock is Lock.UPDATE and self._readers))

    def _start(self, job: Job) -> None:
        """Take the lock for a call and run it, or its next step, on a thread."""
        if job.lock is Lock.UPDATE:
            self.shortcuts.writing = self.shortcuts.busy = True
        elif job.lock is Lock.ANALYSIS:
            self._readers += 1
            self.shortcuts.busy = True
        future = asyncio.get_running_loop().run_in_executor(self._executor, job.work)
        future.add_done_callback(partial(self._worked, job))

    def _worked(self, job: Job, future: asyncio.Future[Any]) -> None:
        """Release the lock of a call, and end it or let its next step wait behind the others."""
        if job.lock is Lock.UPDATE:
            self.shortcuts.writing = False
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
            self._run_waiting()

    def _run_waiting(self) -> None:
        """Run the calls that wait, in their order, until the lock stops one.

        Short ones run on the event loop. After some of them the rest is left to its next turn, as a connection does it.
        """
        loop = asyncio.get_running_loop()
        waiting = self._waiting
        room = ROOM
        while waiting and self._free(waiting[0].lock):
            if room <= 0:
                loop.call_soon(self._run_waiting)
                return
            job = waiting.popleft()
            if job.long:
                self._start(job)
            else:
                loop.call_soon(job.done, *_run_inline(job))
                room -= LEAST + job.size
        self.shortcuts.busy = bool(waiting or self._readers or self.shortcuts.writing)


async def _resume(coroutine: Coroutine[Any, Any, bytes], waited: Any) -> bytes:
    """Run the rest of a coroutine that has begun and waits for something; ``await`` takes none that has begun."""
    return await _rest(coroutine, waited)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, bytes], waited: Any) -> Generator[Any, Any, bytes]:
    while True:
        resume: Callable[[], Any]
        try:
            resume = partial(coroutine.send, (yield waited))
        except BaseException as error:
            resume = partial(coroutine.throw, error)
        try:
            waited = resume()
        except StopIteration as end:
            result: bytes = end.value
            return result


def _run_inline(job: Job) -> tuple[bytes | None, BaseException | None]:
    """Run a short call on the event loop; return what ``Job.done`` takes."""
    try:
        return job.work(), None  # type: ignore[return-value]  # short calls have one step
    except Exception as error:
        return None, error


def _reply(frame: Frame, result: bytes) -> bytes:
    return b"" if frame.kind else reply(frame.msgid, result)
