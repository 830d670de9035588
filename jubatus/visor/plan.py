"""What to do when servers are asked for: decisions about numbers, ports and names, without processes."""

import re
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from jubatus.cluster.paths import is_name
from jubatus.errors import ClusterError

MOST = 16
"""Servers that one visor runs, each on a port of its own above the visor's."""

LAST_PORT = 65535


class Refused(ClusterError):
    """A request that the visor does not carry out."""


class Target(NamedTuple):
    """Servers that belong together.

    Attributes:
        program: of the server.
        name: of the cluster.
    """

    program: str
    name: str

    def __str__(self) -> str:
        return f"{self.program}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read ``<program>/<name>``; raise Refused."""
        program, _, name = text.partition("/")
        if " " in text or not is_name(name):
            raise Refused(f"<server>/<name> without blanks is expected: {text!r}")
        if not re.fullmatch(r"juba[\w.-]+", program):
            raise Refused(f"not a server program: {program!r}")
        return cls(program, name)


class Ports:
    """The ports for servers. The one that has been free for the longest time is used first.

    Args:
        visor: port of the visor.
    """

    def __init__(self, visor: int) -> None:
        self._free = deque(range(visor + 1, min(visor + MOST, LAST_PORT) + 1))

    def __len__(self) -> int:
        return len(self._free)

    def take(self, usable: Callable[[int], bool]) -> int:
        """Return a port; raise Refused if there is none.

        Args:
            usable: returns whether no other program uses a port. A port that is in use stays here, as the last one.
        """
        for _ in range(len(self._free)):
            port = self._free.popleft()
            if usable(port):
                return port
            self._free.append(port)
        raise Refused("no port is left that no other program uses")

    def give(self, port: int) -> None:
        """Take a port back."""
        self._free.append(port)


def missing(target: Target, *, running: int, wanted: int, free: int) -> int:
    """Return how many servers have to be started.

    Args:
        target: which servers.
        running: how many run.
        wanted: how many shall run.
        free: ports that are left.

    Raises:
        Refused: too many run, or too few ports are left; nothing is to be started.
    """
    if running > wanted:
        raise Refused(f"{running} {target} already running at this machine.")
    if wanted - running > free:
        raise Refused(f"cannot spawn more than {MOST} processes.")
    return wanted - running


def shares(total: int, visors: int) -> list[int]:
    """Return how many servers each visor shall run; without a total, each runs one."""
    least, more = divmod(total or visors, visors)
    return [least + (visor < more) for visor in range(visors)]
