"""Handlers of the methods that servers of a cluster call on each other, and the mixer's view of the own model.

Long work is done in slices. Between two of them the model's lock is free, so that a MIX holds up no request for long.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from jubatus._core.mix.snapshot import Snapshot
from jubatus._core.model import Model
from jubatus._core.wire import Reader, pack
from jubatus.errors import BadArguments, ClusterError
from jubatus.idl import Lock
from jubatus.mixer.runner import Mixer
from jubatus.mixer.state import MODEL_VERSION
from jubatus.server.dispatch import Dispatcher, Steps

SLICE = 10_000
"""Features that are copied or prepared in one slice, which takes about a millisecond."""


class Handed:
    """Knows which part of the own diff was handed out to a master since the last MIX.

    When the mixed diff comes back, that part is in it, and what was learned later is not. The first must not be mixed
    a second time, and the second must not be lost. So each part belongs to a round, and only to the diff that the round
    brings.

    A master whose model is newer leaves the diff of this server out. So a snapshot for such a master does not replace
    the one before, which may be in a mixed diff that never came here.

    Somebody who is no master may ask too. What it gets is no part of any round: only a mixed diff that names no round
    can be of it.

    Attributes:
        snapshot: the part that the others have by now, as far as this server can know; None if there is none.
    """

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self._before: Snapshot | None = None
        self._round: int | None = None
        self._round_before: int | None = None
        self._loose: Snapshot | None = None

    def give(self, snapshot: Snapshot, asked: int, version: int, round: int | None = None) -> None:
        """Note a snapshot that a master asked for.

        Args:
            snapshot: of the diff.
            asked: version of the master's model.
            version: of the own model.
            round: of the master; None for one of Jubatus 1.1.
        """
        self._round_before, self._round = self._round, round
        self._loose = None
        if asked <= version:
            self._before, self.snapshot = self.snapshot, snapshot
        else:
            self._before = self.snapshot

    def give_loosely(self, snapshot: Snapshot) -> None:
        """Note a snapshot that somebody asked for who is no master."""
        self._loose = snapshot

    def part(self, round: int | None) -> tuple[Snapshot | None, bool]:
        """Return which part is in the mixed diff of a round, and whether it was given loosely."""
        if round is None and self._loose is not None:
            return self._loose, True
        if round == self._round:
            return self.snapshot, False
        return (self._before if round == self._round_before else None), False

    def done(self, fits: bool, got: bool) -> None:
        """Note that a mixed diff came.

        Args:
            fits: whether it was of this model's version.
            got: whether the diff of this server is in it.
        """
        self._loose = None
        if fits:
            self.snapshot = self._before = None
        elif got:
            self.snapshot = self._before


class MixHandlers:
    """What every mixer offers.

    Args:
        mixer: the mixer.
    """

    def __init__(self, mixer: Mixer) -> None:
        self._mixer = mixer

    async def do_mix(self, args: Reader) -> bytes:
        """Mix now."""
        return pack(await self._mixer.do_mix())


class LinearHandlers(MixHandlers):
    """Answers for a server with the linear mixer, as long as the cluster has the server's configuration.

    Args:
        mixer: the mixer.
        model: the model.
        loop: the event loop that the mixer is on.
        handed: the part of the diff that was handed out.
    """

    def __init__(self, mixer: Mixer, model: Model, loop: asyncio.AbstractEventLoop, handed: Handed) -> None:
        super().__init__(mixer)
        self._model = model
        self._loop = loop
        self._handed = handed

    def get_diff(self, args: Reader) -> Steps:
        """Copy the diff in slices and pack it without the lock."""
        self._mixer.check()
        asked = _version(args)
        round = None if args.at_end else _version(args)
        yield Lock.NOLOCK
        master = self._mixer.is_master(round)
        if round is not None and not master:
            raise ClusterError(f"round {round} is not that of the master")
        yield Lock.ANALYSIS
        snapshot = self._model.snapshot()
        while not snapshot.take(SLICE):
            yield Lock.ANALYSIS
        if master:
            self._handed.give(snapshot, asked, self._model.version, round)
        else:
            self._handed.give_loosely(snapshot)
        self._loop.call_soon_threadsafe(self._mixer.handed_out, not master)
        yield Lock.NOLOCK
        return snapshot.pack(raw=True)

    def put_diff(self, args: Reader) -> Steps:
        """Prepare a mixed diff in slices, and take it in at once."""
        self._mixer.check()
        diff = args.string()
        got = args.at_end or args.boolean()
        round = None if args.at_end else _version(args)
        patch = self._model.patch(diff)
        yield Lock.UPDATE
        while not patch.prepare(SLICE):
            yield Lock.UPDATE
        part, loose = self._handed.part(round)
        fits = patch.apply(part if got else None)
        self._handed.done(fits, got)
        yield Lock.NOLOCK
        asyncio.run_coroutine_threadsafe(self._mixer.put_done(fits, got, loose), self._loop).result()
        return pack(0)

    def get_model(self, args: Reader) -> Steps:
        """Pack the model under the lock, and the reply without it."""
        self._mixer.check()
        _version(args)
        driver = self._model.pack()
        yield Lock.NOLOCK
        return pack([MODEL_VERSION, driver])


class PushHandlers(MixHandlers):
    """Answers for a server with a mixer that pushes, as long as the cluster has the server's configuration.

    Args:
        mixer: the mixer.
        model: the model.
        loop: the event loop that the mixer is on.
    """

    def __init__(self, mixer: Mixer, model: Model, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(mixer)
        self._model = model
        self._loop = loop

    def get_pull_argument(self, args: Reader) -> bytes:
        """Return the versions up to which the rows of each other server are known here."""
        self._mixer.check()
        _version(args)
        return pack(self._model.pull_argument())

    def pull(self, args: Reader) -> bytes:
        """Return the rows that a peer does not know."""
        self._mixer.check()
        return pack(self._model.pull_rows(args.string()))

    def push(self, args: Reader) -> Steps:
        """Take in rows of a peer."""
        self._mixer.check()
        self._model.push_rows(args.string())
        yield Lock.NOLOCK
        asyncio.run_coroutine_threadsafe(self._mixer.pushed(), self._loop).result()
        return pack(0)


def _version(args: Reader) -> int:
    """Take a version, or the number of a round; raise BadArguments."""
    version: int = args.integer()
    if version < 0:
        raise BadArguments("a version is not negative")
    return version


class OwnModel:
    """The model as the mixer of its server sees it.

    Args:
        model: the model.
        executor: its threads run what takes long.
        handed: the part of the diff that was handed out.

    Attributes:
        dispatcher: gives calls their turn; set before the first call.
    """

    dispatcher: Dispatcher

    def __init__(self, model: Model, executor: Executor, handed: Handed) -> None:
        self._model = model
        self._executor = executor
        self._handed = handed

    async def call(self, method: str, params: bytes) -> Reader:
        """Call an own method as a peer would; return a reader of the result."""
        return Reader(await self.dispatcher.call(method, Reader(params)))

    async def mix(self, diffs: Sequence[bytes]) -> bytes:
        """Join diffs."""
        mixed: bytes = await self._run(lambda: self._model.mix(diffs))
        return mixed

    async def catch_up(self, model: bytes) -> None:
        """Become the packed model of a peer, but keep what no MIX has seen yet."""
        fresh = self._model.fresh()
        await self._run(lambda: fresh.unpack(model))

        def become() -> bytes:
            self._model.catch_up(fresh, self._handed.snapshot)
            self._handed.done(True, True)
            return b""

        await self.dispatcher.exclusive(become)

    def versions(self) -> Sequence[int]:
        """Return the version of the model, which rises with every MIX."""
        return [self._model.version]

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
