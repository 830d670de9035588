"""The interface to ZooKeeper: a tree of nodes, watches, and a session that can be lost."""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from jubatus.errors import ClusterError

MAX_DATA = 1_000_000
"""Most bytes that a node may hold. ZooKeeper, as it is configured by default, drops a connection that sends more."""


class Session(Enum):
    """State of a session.

    CONNECTED: requests are answered. SUSPENDED: the connection is interrupted; nodes and locks of the session last
    until its timeout. LOST: they are gone; a new session follows by itself.
    """

    CONNECTED = "connected"
    SUSPENDED = "suspended"
    LOST = "lost"


class NodeExists(ClusterError):
    """A node that was to be created exists; the argument is its path."""

    def __str__(self) -> str:
        return f"ZooKeeper node exists: {self.args[0]}"


class NoNode(ClusterError):
    """A node does not exist; the argument is its path."""

    def __str__(self) -> str:
        return f"ZooKeeper node does not exist: {self.args[0]}"


def check_data(path: str, data: bytes) -> None:
    """Raise ClusterError if a node cannot hold this much."""
    if len(data) > MAX_DATA:
        raise ClusterError(f"too large for ZooKeeper: {len(data)} bytes, of at most {MAX_DATA}: {path}")


class Coordinator(Protocol):
    """A connection to ZooKeeper. When its session is lost, it opens a new one.

    May be used from any thread. Whatever asks the server blocks for as long as a session's timeout at most, and raises
    ClusterError if there was no answer. Callbacks run one after another on one thread of the connection.
    """

    @property
    def session(self) -> Session:
        """State of the session."""

    @property
    def epoch(self) -> int:
        """How many sessions were lost. While this number stays the same, the nodes of the session exist."""

    @property
    def timeout(self) -> float:
        """Seconds of silence after which ZooKeeper ends the session."""

    @property
    def server(self) -> str:
        """Address and port of the server; raises ClusterError while there is no connection."""

    def create(self, path: str, data: bytes = b"", *, ephemeral: bool = False, sequence: bool = False) -> str:
        """Create a node and return its path, which has a number at its end if it is one of a sequence.

        Raises:
            NodeExists: it exists.
            NoNode: its parent does not exist.
        """

    def set(self, path: str, data: bytes) -> int:
        """Set a node's data and return its version: how often the data were set, this time included; raise NoNode."""

    def get(self, path: str) -> bytes | None:
        """Return a node's data, or None if there is no such node."""

    def exists(self, path: str) -> bool:
        """Return whether there is such a node."""

    def mine(self, path: str) -> bool:
        """Return whether there is such a node and it belongs to this session."""

    def children(self, path: str) -> list[str]:
        """Return the sorted names of a node's children; there are none if there is no such node."""

    def delete(self, path: str) -> None:
        """Delete a node; do nothing if there is none."""

    def discard(self, path: str) -> None:
        """Delete a node of this session. If there is no connection, delete it later. Never raises."""

    def watch_children(self, path: str, changed: Callable[[], None]) -> list[str] | None:
        """Return what `children` returns, and report the next change once.

        Args:
            path: the node.
            changed: called when children come or go, and after an interruption, during which they may have.

        Returns:
            None if there is no such node; its coming is a change.
        """

    def watch_node(self, path: str, changed: Callable[[], None]) -> bool:
        """Return whether there is such a node, and report the next change of that or of its data once.

        It is reported as `watch_children` does.
        """

    def on_session(self, listener: Callable[[Session], None]) -> None:
        """Call a listener with each new state."""

    def close(self) -> None:
        """End the session, which deletes its nodes. No listener or watch is called any more."""
