"""The server processes of a visor."""

import asyncio
import logging
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from jubatus.daemon import life
from jubatus.errors import JubatusError
from jubatus.visor.argv import Argv
from jubatus.visor.plan import Ports, Refused, Target, missing

log = logging.getLogger("jubatus")

GRACE = 9.0
"""Seconds that a server gets to end by itself: more than it takes for its last requests, less than jubactl waits."""

KILLED = 0.5
"""Seconds after which a server that was killed must be gone."""


class Child:
    """A server that was started.

    Attributes:
        target: what it belongs to.
        port: where it listens.
        stopping: whether it was told to end.
        ended: task that is done when the process has ended.
    """

    def __init__(self, target: Target, port: int, process: Process) -> None:
        self.target = target
        self.port = port
        self.stopping = False
        self.ended: asyncio.Task[None]
        self._process = process

    def __str__(self) -> str:
        return f"{self.target.program} with port {self.port}"

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    async def wait(self) -> int:
        """Return the exit status, or less than 0 for a signal."""
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


class Children:
    """All servers of a visor.

    Args:
        port: of the visor.
        zookeeper: locations of ZooKeeper.
        address: of the visor, in the names of files.
        listen_addr: address that servers listen on unless told otherwise; nothing for their own choice.
        folder: gets what each server writes to standard output and error; without it these are the visor's own.
        access: words of the command line of each server that say how it connects to ZooKeeper.
    """

    def __init__(
        self, port: int, zookeeper: str, address: str, listen_addr: str, folder: str, access: Sequence[str] = ()
    ) -> None:
        self._ports = Ports(port)
        self._zookeeper = zookeeper
        self._address = address
        self._listen_addr = listen_addr
        self._folder = folder
        self._access = access
        self._children: list[Child] = []
        self._changing = asyncio.Lock()
        self._closed = False

    async def start(self, target: Target, wanted: int, argv: Argv) -> None:
        """Start as many servers as are missing.

        Args:
            target: which servers.
            wanted: how many shall run.
            argv: how they are started.

        Raises:
            JubatusError: too many run, or one cannot be started.
        """
        async with self._changing:
            if self._closed:
                raise Refused("the visor ends")
            running = sum(child.target == target and not child.stopping for child in self._children)
            count = missing(target, running=running, wanted=wanted, free=len(self._ports))
            program = find(target.program) if count else ""
            for _ in range(count):
                await self._spawn(program, target, argv)

    async def stop(self, target: Target) -> int:
        """Stop all servers of a target and wait for their end; return how many are still there."""
        async with self._changing:
            children = [child for child in self._children if child.target == target]
            self._terminate(children)
        return await self._end(children)

    async def close(self) -> None:
        """Stop all servers and start no others."""
        async with self._changing:
            self._closed = True
            children = self._children[:]
            self._terminate(children)
        await self._end(children)

    async def _spawn(self, program: str, target: Target, argv: Argv) -> None:
        if any("\0" in word for word in argv.options(zookeeper="", name="", port=0)):
            raise Refused(f"cannot start {target}: an option has a NUL")
        listen_addr = "" if argv.bind_if else self._listen_addr
        address, _ = life.addresses(listen_addr, argv.bind_if)
        port = self._ports.take(lambda port: usable(address, port))
        words = argv.options(zookeeper=self._zookeeper, name=target.name, port=port)
        if listen_addr:
            words += ["-b", listen_addr]
        words += self._access
        try:
            with ExitStack() as files:
                output, errors = None, None
                if self._folder:
                    path = os.path.join(self._folder, f"{target.program}.{self._address}_{port}.out")
                    output, errors = files.enter_context(open(path, "ab")), STDOUT
                process = await asyncio.create_subprocess_exec(
                    program, *words, stdin=DEVNULL, stdout=output, stderr=errors, start_new_session=True
                )
        except OSError as error:
            self._ports.give(port)
            raise Refused(f"cannot start {target} with port {port}: {error}") from error
        child = Child(target, port, process)
        child.ended = asyncio.create_task(self._watch(child))
        self._children.append(child)
        log.info("%s started for %s pid: %d", child, target.name, child.pid)

    async def _watch(self, child: Child) -> None:
        """Note the end of a server."""
        status = await child.wait()
        self._children.remove(child)
        self._ports.give(child.port)
        how = f"status {status}" if status >= 0 else f"signal {-status}"
        level = logging.INFO if child.stopping or not status else logging.WARNING
        log.log(level, "%s exited pid: %d, %s", child, child.pid, how)

    def _terminate(self, children: list[Child]) -> None:
        for child in children:
            if not child.stopping:
                child.stopping = True
                child.send(signal.SIGTERM)

    async def _end(self, children: list[Child]) -> int:
        """Wait for the end of servers, and kill those that take too long; return how many are still there."""
        if not children:
            return 0
        _, late = await asyncio.wait([child.ended for child in children], timeout=GRACE)
        if late:
            for child in children:
                if child.ended in late:
                    log.warning("%s does not end within %g s, kill it", child, GRACE)
                    child.send(signal.SIGKILL)
            _, late = await asyncio.wait(late, timeout=KILLED)
        return len(late)


def find(program: str) -> str:
    """Return the path of a server's program: beside the visor's own or by PATH; raise Refused."""
    beside = os.path.dirname(os.path.realpath(sys.argv[0]))
    path = shutil.which(program, path=os.pathsep.join((beside, os.environ.get("PATH", os.defpath))))
    if path is None:
        raise Refused(f"no such program: {program}")
    return path


def usable(address: str, port: int) -> bool:
    """Return whether a server could listen on a port."""
    try:
        life.listen(address, port).close()
    except JubatusError as error:
        log.warning("port %d is passed over: %s", port, error)
        return False
    return True
