"""Servers in one event loop that mix models which are lists of what was learned."""

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

from jubatus._core.wire import Reader, pack, unpack
from jubatus.cluster.membership import Member
from jubatus.cluster.memory import Memory
from jubatus.cluster.paths import Node
from jubatus.errors import ModelError
from jubatus.mixer import linear, push
from jubatus.mixer.runner import Mixer
from jubatus.rpc.client import RPCError, TimeoutError, TransportError

PATIENCE = 20.0
TIMEOUT = 0.3
"""Seconds that the servers give each other."""


def bounded(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test that is a coroutine, for a time."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE))

    return run


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    while not condition():
        await asyncio.sleep(0.005)


async def refuse() -> None:
    """Do this before a method that fails."""
    raise ModelError("not today")


async def hang() -> None:
    """Do this before a method that nobody hears of."""
    await asyncio.sleep(3600)


async def dawdle() -> None:
    """Do this before a method that takes too long."""
    await asyncio.sleep(2 * TIMEOUT)


class World:
    """A cluster."""

    def __init__(self) -> None:
        self.zookeeper = Memory()
        self.servers: dict[Node, Server] = {}

    async def call(self, address: tuple[str, int], method: bytes, params: bytes, timeout: float) -> Reader:
        """Call a server as Links does."""
        server = self.servers[Node(*address)]
        if server.dead:
            raise TransportError("connection refused")
        try:
            async with asyncio.timeout(timeout):
                return await server.call(method.decode(), params)
        except builtins.TimeoutError as error:
            raise TimeoutError("request timed out") from error
        except ModelError as error:
            raise RPCError(str(error).encode()) from error


class Server:
    """One of them; also its mixer's view of the model.

    Attributes:
        version: of the model.
        model: what all learned.
        diff: what was learned here and is not mixed yet.
        asked: version of the master that asked for the diff last.
        before: called before a method by its name.
        stopped: whether the mixer ended the process.
        dead: whether nobody answers.
    """

    def __init__(self, world: World, port: int, kind: str = "linear_mixer", **options: Any) -> None:
        self.world = world
        self.node = Node("127.0.0.1", port)
        self.session = world.zookeeper.connect()
        self.member = Member(self.session, "classifier", "tutorial", self.node, False)
        self.version = 0
        self.model: list[bytes] = []
        self.diff: list[bytes] = []
        self.model_version = 1
        self.handed: list[bytes] = []
        self.asked = -1
        self.before: dict[str, Callable[[], Awaitable[object]]] = {}
        self.called: list[str] = []
        self.stopped = False
        self.dead = False
        settings: dict[str, Any] = {"interval_sec": 16, "interval_count": 512, "timeout": TIMEOUT} | options
        settings.setdefault("links", world)
        self.mixer = Mixer(kind, member=self.member, local=self, me=self.node, stop=self._stop, **settings)
        world.servers[self.node] = self

    def _stop(self) -> None:
        self.stopped = True

    async def start(self) -> None:
        """Register and begin to mix."""
        await asyncio.to_thread(self.member.prepare)
        await asyncio.to_thread(self.member.join, lambda: None)
        await self.mixer.start()

    async def end(self) -> None:
        """End in order."""
        await self.mixer.stop()
        await asyncio.to_thread(self.session.close)

    def kill(self) -> None:
        """End at once, as if by signal 9; the session goes on until it expires."""
        self.dead = True
        self.session.suspend()
        assert self.mixer._task is not None
        self.mixer._task.cancel()

    def learn(self, *facts: bytes) -> None:
        """Update the model."""
        for fact in facts:
            self.diff.append(fact)
            self.mixer.updated()

    @property
    def knows(self) -> list[bytes]:
        """All that the server knows, sorted."""
        return sorted(self.model + self.diff)

    @property
    def active(self) -> bool:
        """Whether the server is registered as up to date."""
        return self.node in self.member.actives()

    def status(self, key: str) -> str:
        """Return an entry of the mixer's status."""
        return self.mixer.status()[key]

    async def call(self, method: str, params: bytes) -> Reader:
        """Answer a call."""
        self.called.append(method)
        if method in self.before:
            await self.before[method]()
        handler: Callable[..., Any] = {
            linear.GET_DIFF: self._get_diff,
            linear.PUT_DIFF: self._put_diff,
            linear.GET_MODEL: self._get_model,
            push.GET_PULL_ARGUMENT: self._get_pull_argument,
            push.PULL: self._pull,
            push.PUSH: self._push,
        }[method]
        return Reader(pack(await handler(*unpack(params))))

    async def _get_diff(self, asked: int, round: int) -> bytes:
        if not await asyncio.to_thread(self.mixer.is_master, round):
            raise ModelError("not the master")
        self.asked = asked
        self.handed = list(self.diff)
        self.mixer.handed_out()
        return pack([self.version, self.diff])

    async def _put_diff(self, raw: bytes, got: bool, round: int) -> int:
        version, facts = unpack(raw)
        fits = version == self.version
        if fits:
            self.model += facts
            self.version += 1
            if got:
                self.diff = self.diff[len(self.handed) :]
        await self.mixer.put_done(fits, got)
        return 0

    async def _get_model(self, _: int) -> list[Any]:
        return [self.model_version, pack([self.version, self.model])]

    async def _get_pull_argument(self, _: int) -> bytes:
        return pack(self.diff)

    async def _pull(self, known: bytes) -> bytes:
        have = unpack(known)
        return pack([fact for fact in self.diff if fact not in have])

    async def _push(self, rows: bytes) -> int:
        self.diff += [fact for fact in unpack(rows) if fact not in self.diff]
        await self.mixer.pushed()
        return 0

    async def mix(self, diffs: Sequence[bytes]) -> bytes:
        """Mix diffs as the models of 1.1 do."""
        if any(diff == b"torn" for diff in diffs):
            raise ModelError("bad diff_object")
        version, facts = unpack(diffs[0])
        for diff in diffs[1:]:
            other, more = unpack(diff)
            if other == version:
                facts = more + facts
            elif other > version:
                version, facts = other, more
        return pack([version, facts])

    async def catch_up(self, model: bytes) -> None:
        """Become another server's model."""
        self.version, self.model = unpack(model)

    def versions(self) -> list[int]:
        """Return the versions of the model's parts."""
        return [self.version]


@asynccontextmanager
async def cluster(count: int, kind: str = "linear_mixer", **options: Any) -> Any:
    """Start servers that are all active."""
    world = World()
    servers = [Server(world, 9199 + i, kind, **options) for i in range(count)]
    try:
        for server in servers:
            await server.start()
            await until(lambda server=server: server.active and not server.mixer._turn.locked())
        for server in servers:
            server.called.clear()
        yield servers
    finally:
        for server in world.servers.values():
            if server.dead:
                await asyncio.to_thread(server.session.close)
            else:
                await server.end()
