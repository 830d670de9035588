"""The mixer of a server: performs the instructions of its procedures on the event loop.

One procedure at a time has a turn. ZooKeeper is asked on threads, since it may keep its caller waiting; so are large
payloads put together and taken apart.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar, assert_never

from jubatus._core.wire import Reader
from jubatus.cluster.lock import Lock
from jubatus.cluster.membership import Member, Replaced
from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError, ConfigError, JubatusError
from jubatus.mixer import linear, payload, push
from jubatus.mixer.state import (
    Activate,
    Answer,
    Call,
    CatchUp,
    Deactivate,
    EndProcess,
    HoldsLock,
    Instruction,
    ListActives,
    ListMembers,
    Log,
    Merge,
    Now,
    Pause,
    Procedure,
    Round,
    State,
    TakeLock,
    Versions,
)
from jubatus.rpc.links import Links

log = logging.getLogger("jubatus")

T = TypeVar("T")

LINEAR = "linear_mixer"

KINDS = (LINEAR, *push.CHOICES)
"""Names of the mixers, as options have them."""

TICK = 0.5
"""Seconds between two looks at what is due."""

LAST = 2.0
"""Seconds that a server which leaves waits for the lock."""

THREADS = 4
"""Threads for requests to ZooKeeper, more than are ever under way at the same time."""


class Local(Protocol):
    """The own model."""

    async def call(self, method: str, params: bytes) -> Reader:
        """Run a handler of this server as if another one had called it; return a reader that stands on the result."""

    async def mix(self, diffs: Sequence[bytes]) -> bytes:
        """Mix diffs, on a thread."""

    async def catch_up(self, model: bytes) -> None:
        """Become another server's model, but keep what was learned here and is not mixed yet."""

    def versions(self) -> Sequence[int]:
        """Return the versions of the model's parts; 0 for one that has none."""


def check(kind: str) -> None:
    """Raise ConfigError if there is no such mixer."""
    if kind not in KINDS:
        raise ConfigError(f"unsupported mix type ({kind})")


class Mixer:
    """The mixer of a server.

    Args:
        kind: one of ``KINDS``.
        member: the server's place in the cluster.
        links: to the other servers.
        local: the own model.
        me: name of this server.
        interval_sec: seconds after which updates are mixed; 0 is never.
        interval_count: number of updates that are mixed at once; 0 is none.
        timeout: seconds that a call to a server may take.
        stop: ends the server.
    """

    def __init__(
        self,
        kind: str,
        *,
        member: Member,
        links: Links,
        local: Local,
        me: Node,
        interval_sec: int,
        interval_count: int,
        timeout: float,
        stop: Callable[[], None],
    ) -> None:
        check(kind)
        self._state = state = State(interval_sec, interval_count, time.monotonic())
        self._epoch = time.time() - state.ticktime
        self._linear = kind == LINEAR
        self._step: Callable[[], Procedure[None]]
        self._forced: Callable[[float], Procedure[bool]]
        draw = random.Random().randrange
        if self._linear:
            self._step = partial(linear.step, state, me, draw)
            self._forced = partial(linear.forced, state)
        else:
            choose = push.CHOICES[kind]
            self._step = partial(push.step, state, me, choose, draw)
            self._forced = lambda _until: push.forced(state, me, choose, draw)
        self._member = member
        self._links = links
        self._local = local
        self._me = me
        self._timeout = timeout
        self._stop = stop
        self._executor = ThreadPoolExecutor(THREADS, "mixer")
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._putting = asyncio.Lock()
        self._lock: Lock | None = None
        self._task: asyncio.Task[None] | None = None
        self._cut_off = False

    def updated(self) -> None:
        """Count an update of the model."""
        if self._state.updated():
            self._wake.set()

    def handed_out(self, loose: bool = False) -> None:
        """Note that a snapshot of the model's diff was taken for a ``get_diff``, with all updates so far.

        Args:
            loose: whether for somebody who is no master.
        """
        self._state.hand_out(loose)

    async def put_done(self, fits: bool, got: bool = True, loose: bool = False) -> None:
        """Note that a mixed diff was applied here.

        Args:
            fits: whether it was of the model's version.
            got: whether the own diff was in it.
            loose: whether that was taken for somebody who was no master.
        """
        async with self._putting:
            await self._perform(linear.put_done(self._state, fits, got, loose))

    async def pushed(self) -> None:
        """Note that rows which another server pushed were applied here."""
        self._state.forget(time.monotonic())

    def status(self) -> dict[str, str]:
        """Return the mixer's entries of the server's status."""
        state = self._state
        name = LINEAR if self._linear else "push_mixer"
        entries = {f"{name}.count": str(state.count), f"{name}.ticktime": str(int(state.ticktime + self._epoch))}
        if self._linear:
            entries[f"{name}.is_obsolete"] = str(int(state.obsolete))
            entries[f"{name}.is_running"] = str(int(state.running))
            entries[f"{name}.version"] = str(max(self._local.versions()))
        return entries

    async def start(self) -> None:
        """Begin; the server is registered and answers calls."""
        self._state.running = True
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; a procedure that runs is finished first, and what was learned is mixed for the last time."""
        self._state.running = False
        self._wake.set()
        if self._task is not None:
            await self._task
        async with self._turn:  # a round that a client wanted is finished too
            if self._linear and self._task is not None:
                await self._guarded(linear.last(self._state, self._me, time.monotonic() + LAST))

    async def do_mix(self) -> bool:
        """Mix now; return whether it succeeded."""
        until = time.monotonic() + self._timeout
        try:
            async with asyncio.timeout(self._timeout):
                await self._turn.acquire()
        except TimeoutError:
            log.warning("another mix takes too long, not mixed")
            return False
        try:
            return bool(self._state.running and await self._guarded(self._forced(until)))
        finally:
            self._turn.release()

    async def _run(self) -> None:
        while self._state.running:
            async with self._turn:
                await self._guarded(self._step())
            if self._state.running:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(TICK):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _guarded(self, procedure: Procedure[T]) -> T | None:
        """Perform a procedure while no other one runs. Log an error instead of raising it. Release the lock."""
        try:
            return await self._perform(procedure)
        except Replaced:
            pass  # the member tells it once
        except ClusterError as error:
            if not self._cut_off:
                log.warning("MIX has to wait for ZooKeeper: %s", error)
            self._cut_off = True
        except JubatusError as error:
            log.error("exception in mix thread: %s", error)
        except Exception as error:
            log.error("error in mix thread: %s", error, exc_info=error)
        finally:
            await self._release()
        return None

    async def _perform(self, procedure: Procedure[T]) -> T:
        result: Any = None
        error: Exception | None = None
        while True:
            try:
                instruction = procedure.send(result) if error is None else procedure.throw(error)
            except StopIteration as end:
                value: T = end.value
                return value
            result = error = None
            try:
                result = await self._do(instruction)
            except Exception as caught:
                error = caught

    async def _do(self, instruction: Instruction) -> Any:
        """Perform an instruction and return its result."""
        match instruction:
            case TakeLock():
                return await self._take_lock()
            case HoldsLock():
                return await self._holds_lock()
            case Round():
                return self._lock.number if self._lock is not None else 0
            case ListMembers():
                return await self._zookeeper(self._member.members)
            case ListActives():
                return await self._zookeeper(self._member.actives)
            case Activate():
                await self._on_thread(self._member.activate)
            case Deactivate():
                await self._on_thread(self._member.deactivate)
            case Call():
                return await self._call(instruction)
            case Merge(diffs):
                return await self._local.mix(diffs)
            case CatchUp(model):
                await self._local.catch_up(model)
            case Versions():
                return self._local.versions()
            case Now():
                return time.monotonic()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Log(level, text):
                log.log(level, "%s", text)
            case EndProcess():
                self._stop()
            case _:
                assert_never(instruction)

    def is_master(self, round: int | None) -> bool:
        """Return whether who asks for the diff holds the master's lock; see Member. Blocks, and raises ClusterError."""
        return self._member.is_master(round)

    def check(self) -> None:
        """Raise Replaced if this server's configuration is not that of the cluster, so that it must not be mixed."""
        if self._member.replaced:
            raise Replaced(self._member.config_path)

    async def _take_lock(self) -> bool:
        await self._zookeeper(self._member.agree)
        lock = self._lock
        if lock is None:
            lock = self._lock = self._member.master_lock()
        return await self._zookeeper(lock.write)

    async def _holds_lock(self) -> bool:
        lock = self._lock
        if lock is None:
            return False
        try:
            # If ZooKeeper answers, the session is alive.
            await self._zookeeper(self._member.agree)
        except ClusterError:
            return False
        return lock.held

    async def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            await self._on_thread(lock.release)

    async def _zookeeper(self, ask: Callable[[], T]) -> T:
        """Ask ZooKeeper on a thread, and note that it answers."""
        result = await self._on_thread(ask)
        if self._cut_off:
            self._cut_off = False
            log.info("ZooKeeper answers again, MIX goes on")
        return result

    async def _call(self, call: Call) -> list[Answer]:
        """Call servers at the same time; a failure is an answer too."""
        pieces = {id(parts): parts for _, parts in call.to}
        joined = {key: await self._on_thread(partial(b"".join, parts)) for key, parts in pieces.items()}
        tasks = [(node, asyncio.ensure_future(self._ask(call, node, joined[id(parts)]))) for node, parts in call.to]
        for node, task in tasks:
            if node not in call.late:
                await task
        for _, task in tasks:
            task.cancel()  # stops waiting for the answers; the requests were sent
        return [task.result() if task.done() else Answer(node, None, payload.TIMED_OUT) for node, task in tasks]

    async def _ask(self, call: Call, node: Node, params: bytes) -> Answer:
        try:
            reply = await self._reply(call.method, node, params)
            return Answer(node, await self._on_thread(partial(call.read, reply)))
        except Exception as error:
            if not isinstance(error, JubatusError | TimeoutError):
                log.error("error in a call of %s: %s", call.method, error, exc_info=error)
            return Answer(node, None, payload.failure(error))

    async def _reply(self, method: str, node: Node, params: bytes) -> Reader:
        if node != self._me:
            return await self._links.call(node, method.encode(), params, self._timeout)
        task = asyncio.ensure_future(self._local.call(method, params))
        task.add_done_callback(_drop)
        # Work on the model runs on a thread, which cannot be interrupted.
        await asyncio.wait((task,), timeout=self._timeout)
        if task.done():
            return task.result()
        raise TimeoutError

    async def _on_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)


def _drop(late: "asyncio.Future[Reader]") -> None:
    """Retrieve the outcome of a call: asyncio warns of exceptions that nobody retrieves."""
    if not late.cancelled():
        late.exception()
