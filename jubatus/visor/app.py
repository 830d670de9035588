"""The visor as a program. It answers ``start`` and ``stop``, and is registered in ZooKeeper while it runs."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from jubatus._core.wire import Frame, Reader, error_reply, pack, reply
from jubatus._core.wire.conversation import Conversation
from jubatus.cluster import paths
from jubatus.cluster.coordinator import Coordinator
from jubatus.cluster.registration import Registration, create_if_missing
from jubatus.cluster.zookeeper import connect
from jubatus.daemon import life
from jubatus.daemon.settings import words
from jubatus.errors import BadArguments, JubatusError
from jubatus.rpc.gate import Gate
from jubatus.rpc.server import Server
from jubatus.visor.argv import Argv, text
from jubatus.visor.children import Children
from jubatus.visor.plan import Target
from jubatus.visor.settings import Settings

log = logging.getLogger("jubatus")

MAX_SIZE = 1 << 20
"""Bytes that one message may have."""

FAILED = -1

SESSION = 10.0
"""Seconds after which ZooKeeper forgets a visor that is gone, and that a visor waits for ZooKeeper at its start."""

Action = Coroutine[Any, Any, int]
"""Carries out a request and returns its result."""


def run(settings: Settings) -> int:
    """Be a visor until a signal ends it; return the exit status."""
    hosts = settings.zookeeper

    def build(address: str) -> Visor:
        listen_addr = address if settings.listen_addr or settings.listen_if else ""
        # Servers let in the same others as their visor, but more of them.
        more = [*words(settings.guard, "max_connections", "max_buffers"), *words(settings.access)]
        children = Children(settings.port, hosts, address, listen_addr, settings.logdir, more)
        session = connect(hosts, SESSION, **vars(settings.access))
        gate = life.make_gate(settings)
        return Visor(session, f"{address}_{settings.port}", children, settings.timeout, gate)

    return life.run(settings, build, "daemon mode" if settings.daemon else "interactive mode")


class Visor:
    """Starts and stops servers as jubactl says.

    Args:
        zk: session with ZooKeeper.
        node: its name, ``<address>_<port>``.
        children: the servers.
        timeout: seconds after which an idle connection is closed; 0 is never.
        gate: decides who may connect.
    """

    def __init__(
        self, zk: Coordinator, node: str, children: Children, timeout: float, gate: Gate | None = None
    ) -> None:
        self._zk = zk
        self._path = f"{paths.supervisors()}/{node}"
        self._children = children
        self._timeout = timeout
        self._gate = gate
        self._registration = Registration(zk)
        self._methods: dict[bytes, Callable[[Reader], Action]] = {b"start": self._start, b"stop": self._stop}
        self._running: set[asyncio.Task[None]] = set()

    def server(self) -> Server:
        """Return what answers requests."""
        return Server(self.serve, timeout=self._timeout, max_size=MAX_SIZE, gate=self._gate)

    async def begin(self, stop: Callable[[str], None]) -> None:
        """Register, as soon as the registration of an earlier visor of this address is over."""
        for path in (paths.ROOT, paths.supervisors(), paths.actors()):
            await asyncio.to_thread(create_if_missing, self._zk, path)
        await asyncio.to_thread(self._registration.want, self._path)

    async def end(self) -> None:
        """End the session and stop all servers; neither waits for the other."""
        await asyncio.gather(asyncio.to_thread(self._zk.close), self._children.close())

    def close(self) -> None:
        """End the session."""
        self._registration.close()
        self._zk.close()

    def serve(self, frame: Frame, conversation: Conversation) -> bytes | None:
        """Answer a request; see rpc.server.Serve."""
        method = self._methods.get(frame.method)
        if method is None:
            return b"" if frame.kind else error_reply(frame.msgid, 1, frame.method)
        try:
            action = method(frame.params)
        except BadArguments:
            return b"" if frame.kind else error_reply(frame.msgid, 2, b"std::bad_cast")
        task = asyncio.get_running_loop().create_task(self._carry_out(action, frame, conversation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return None

    async def _carry_out(self, action: Action, frame: Frame, conversation: Conversation) -> None:
        try:
            result = await action
        except Exception as error:
            log.error("%s", error, exc_info=None if isinstance(error, JubatusError) else error)
            result = FAILED
        conversation.complete(b"" if frame.kind else reply(frame.msgid, pack(result)))

    def _start(self, params: Reader) -> Action:
        target, wanted = _arguments(params, 3)
        return self._do_start(target, wanted, Argv.read(params))

    async def _do_start(self, target: str, wanted: int, argv: Argv) -> int:
        await self._children.start(Target.parse(target), wanted, argv)
        return 0

    def _stop(self, params: Reader) -> Action:
        return self._do_stop(_arguments(params, 2)[0])

    async def _do_stop(self, target: str) -> int:
        return -await self._children.stop(Target.parse(target))


def _arguments(params: Reader, least: int) -> tuple[str, int]:
    """Take a target and a number from an array of at least some arguments; raise BadArguments."""
    if params.array() < least:
        raise BadArguments(f"{least} arguments are expected")
    target, number = text(params), params.integer()
    if not 0 <= number < 1 << 32:
        raise BadArguments("number out of range")
    return target, number
