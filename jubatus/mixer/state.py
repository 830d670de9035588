"""What a mixer remembers, and what it can ask for.

A procedure of a mixer (a round, a recovery, a step of its loop) is a generator: it yields instructions and is sent what
came of each, or has the error thrown in. It neither waits nor looks at a clock nor draws a number by itself, so that
a test can play any course of events. The runner performs the instructions.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

from jubatus._core.wire import Reader
from jubatus.cluster.paths import Node

MODEL_VERSION = 1
"""Version of the models of all services, which ``get_model`` sends along."""

Pieces: TypeAlias = tuple[bytes, ...]
"""Pieces of packed arguments, not joined yet: a diff may have 100 MB."""

Draw: TypeAlias = Callable[[int], int]
"""Returns a random number from 0 to below its argument."""


@dataclass
class State:
    """What a mixer remembers.

    Args:
        interval_sec: seconds after which updates are mixed; 0 is never.
        interval_count: number of updates that are mixed at once; 0 is none.
        ticktime: when the last round began or the last mixed diff came.

    Attributes:
        count: updates since the last MIX.
        tried: how many of them were there when a round began; they trigger no other one by their number.
        handed: how many of them are in the diff that was handed out last to a master.
        loose: how many of them are in the diff that was handed out last to somebody else.
        obsolete: whether a full model must be fetched.
        running: False at the end of the server.
        failed: members that were asked for their model in vain.
    """

    interval_sec: int
    interval_count: int
    ticktime: float
    count: int = 0
    tried: int = 0
    handed: int = 0
    loose: int = 0
    obsolete: bool = True
    running: bool = False
    failed: set[Node] = field(default_factory=set)

    def updated(self) -> bool:
        """Count an update; return whether it is the one that makes a round due."""
        self.count += 1
        return self.count - self.tried == self.interval_count

    def due(self, now: float) -> bool:
        """Return whether a round is due by the number of updates or by time."""
        if 0 < self.interval_count <= self.count - self.tried:
            return True
        return 0 < self.interval_sec < now - self.ticktime

    def begin(self, now: float) -> None:
        """Note the start of a round. The next one waits for the whole interval, even if this one fails."""
        self.tried = self.count
        self.ticktime = now

    def hand_out(self, loose: bool = False) -> None:
        """Note that a diff with all updates so far is handed out.

        Args:
            loose: whether to somebody who is no master.
        """
        if loose:
            self.loose = self.count
        else:
            self.handed = self.count

    def put(self, fits: bool, got: bool, now: float, loose: bool = False) -> None:
        """Note that a mixed diff came.

        Args:
            fits: whether it was of this model's version.
            got: whether the diff that was handed out is in it.
            now: time.
            loose: whether that was handed out to somebody who was no master.
        """
        if fits and got:
            self.count -= self.loose if loose else self.handed
            self.tried = 0
        else:
            self.tried = self.count
        self.handed = self.loose = 0
        self.obsolete = not fits
        self.ticktime = now

    def forget(self, now: float) -> None:
        """Start counting updates and time again."""
        self.count = self.tried = self.handed = self.loose = 0
        self.ticktime = now


class Answer(NamedTuple):
    """The outcome of a call.

    Args:
        node: that was called.
        value: what was read of its reply, if it did not fail.
        failure: why there is none, or nothing.
    """

    node: Node
    value: Any
    failure: str = ""


@dataclass(frozen=True)
class TakeLock:
    """Try to get the master's lock, which is released at the end of the procedure. Result: whether it is held."""


@dataclass(frozen=True)
class HoldsLock:
    """See whether the lock is still held. Result: bool."""


@dataclass(frozen=True)
class Round:
    """Look at the number of the lock, which is held. Result: int, another one each time the lock was taken."""


@dataclass(frozen=True)
class ListMembers:
    """List the registered servers. Result: list[Node], sorted."""


@dataclass(frozen=True)
class ListActives:
    """List the servers that are up to date. Result: list[Node], sorted."""


@dataclass(frozen=True)
class Activate:
    """Register as up to date."""


@dataclass(frozen=True)
class Deactivate:
    """Register as not up to date."""


@dataclass(frozen=True)
class Call:
    """Call servers at the same time. Result: list[Answer], in the order of ``to``.

    Args:
        method: name.
        to: each server with its arguments, a packed array.
        read: takes the value out of a reply; runs on a thread.
        late: servers whose replies are taken if they are there when all others are, and not waited for after that.
    """

    method: str
    to: tuple[tuple[Node, Pieces], ...]
    read: Callable[[Reader], Any]
    late: frozenset[Node] = frozenset()


@dataclass(frozen=True)
class Merge:
    """Mix diffs, the first with the second and so on. Result: bytes."""

    diffs: tuple[bytes, ...]


@dataclass(frozen=True)
class CatchUp:
    """Become another server's model."""

    model: bytes


@dataclass(frozen=True)
class Versions:
    """Look at the versions of the own model's parts. Result: Sequence[int]."""


@dataclass(frozen=True)
class Now:
    """Look at the clock. Result: seconds as float."""


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Log:
    """Write a line to the log.

    Args:
        level: of module logging.
        text: the line.
    """

    level: int
    text: str


@dataclass(frozen=True)
class EndProcess:
    """End the server."""


Instruction: TypeAlias = (
    TakeLock
    | HoldsLock
    | Round
    | ListMembers
    | ListActives
    | Activate
    | Deactivate
    | Call
    | Merge
    | CatchUp
    | Versions
    | Now
    | Pause
    | Log
    | EndProcess
)

T = TypeVar("T")

Procedure: TypeAlias = Generator[Instruction, Any, T]


def names(nodes: Sequence[Node]) -> str:
    """Return the nodes as text for the log."""
    return "[" + ", ".join(name(node) for node in nodes) + "]"


def name(node: Node) -> str:
    """Return a node as text for the log."""
    return f"{node.host}:{node.port}"
