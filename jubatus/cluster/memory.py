"""A coordinator that keeps its nodes in memory, for tests and for programs of one process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jubatus.cluster.coordinator import NodeExists, NoNode, Session, check_data
from jubatus.cluster.threads import Events
from jubatus.errors import ClusterError

ADDRESS = "127.0.0.1:2181"


@dataclass
class Entry:
    """A node.

    Args:
        data: what it holds.
        owner: number of the session that it ends with, or 0.
        version: how often the data was set.
        sequence: number of children that came so far.
        children: their names.
    """

    data: bytes = b""
    owner: int = 0
    version: int = 0
    sequence: int = 0
    children: set[str] = field(default_factory=set)


class Memory:
    """A tree that several sessions share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.entries: dict[str, Entry] = {"": Entry()}
        self.child_watches: dict[str, list[Watch]] = {}
        self.node_watches: dict[str, list[Watch]] = {}
        self._sessions = 0

    def connect(self, timeout: float = 1.0) -> "MemorySession":
        """Return a new connection."""
        return MemorySession(self, timeout)

    def session(self) -> int:
        """Return the number of a new session."""
        with self.lock:
            self._sessions += 1
            return self._sessions

    def create(self, path: str, data: bytes, owner: int, sequence: bool) -> str:
        """Create a node."""
        parent, _, name = path.rpartition("/")
        above = self.entries.get(parent)
        if above is None:
            raise NoNode(path)
        if sequence:
            path += f"{above.sequence:010d}"
            name = path.rpartition("/")[2]
        if path in self.entries:
            raise NodeExists(path)
        if above.owner:
            raise ClusterError(f"ZooKeeper: an ephemeral node has no children: {path}")
        above.sequence += 1
        above.children.add(name)
        self.entries[path] = Entry(data, owner)
        self._changed(path, parent)
        return path

    def delete(self, path: str) -> None:
        """Delete a node that may be missing."""
        entry = self.entries.get(path)
        if entry is None:
            return
        if entry.children:
            raise ClusterError(f"ZooKeeper: not empty: {path}")
        parent, _, name = path.rpartition("/")
        del self.entries[path]
        self.entries[parent].children.discard(name)
        self._changed(path, parent)
        self._fire(self.child_watches, path)

    def end(self, owner: int) -> None:
        """Delete the nodes of a session."""
        for path in [path for path, entry in self.entries.items() if entry.owner == owner]:
            self.delete(path)

    def _changed(self, path: str, parent: str) -> None:
        self._fire(self.node_watches, path)
        self._fire(self.child_watches, parent)

    def set(self, path: str, data: bytes) -> int:
        """Set the data of a node."""
        entry = self.entries.get(path)
        if entry is None:
            raise NoNode(path)
        entry.data = data
        entry.version += 1
        self._fire(self.node_watches, path)
        return entry.version

    @staticmethod
    def _fire(watches: "dict[str, list[Watch]]", path: str) -> None:
        for watch in watches.pop(path, ()):
            watch.fire()


class Watch:
    """Reports a change once.

    Args:
        owner: whose watch it is.
        changed: what to call.

    Attributes:
        done: whether it was reported.
    """

    def __init__(self, owner: "MemorySession", changed: Callable[[], None]) -> None:
        self._owner = owner
        self._changed = changed
        self.done = False

    def fire(self) -> None:
        """Report the change, unless the owner's connection is interrupted."""
        if not self.done and self._owner.session is Session.CONNECTED:
            self.done = True
            self._owner.post(self._changed)


class MemorySession:
    """A coordinator on a tree in memory, whose requests fail at once while it is suspended; see there.

    Args:
        memory: the tree.
        timeout: seconds that a session is said to outlast a connection.
    """

    def __init__(self, memory: Memory, timeout: float) -> None:
        self._memory = memory
        self._timeout = timeout
        self._number = memory.session()
        self._session = Session.CONNECTED
        self._epoch = 0
        self._expired = False
        self._closed = False
        self._listeners: list[Callable[[Session], None]] = []
        self._watches: list[Watch] = []
        self._trash: list[str] = []
        self._events = Events("memory-events")

    # What happens to a session

    def suspend(self) -> None:
        """Interrupt the connection."""
        with self._memory.lock:
            self._become(Session.SUSPENDED)

    def expire(self) -> None:
        """End the session on the server's side; a new one follows, after `resume` if the session is suspended."""
        with self._memory.lock:
            self._memory.end(self._number)
            if self._session is Session.SUSPENDED:
                self._expired = True
            else:
                self._become(Session.SUSPENDED)
                self._renew()

    def resume(self) -> None:
        """End an interruption."""
        with self._memory.lock:
            if self._expired:
                self._renew()
            else:
                self._reconnect()

    def _renew(self) -> None:
        self._expired = False
        self._epoch += 1
        self._trash.clear()
        self._number = self._memory.session()
        self._become(Session.LOST)
        self._reconnect()

    def _reconnect(self) -> None:
        self._become(Session.CONNECTED)
        for path in self._trash:
            self._memory.delete(path)
        self._trash.clear()
        watches, self._watches = self._watches, []
        for watch in watches:
            watch.fire()

    def _become(self, session: Session) -> None:
        self._session = session
        self.post(lambda: self._tell(session))

    def _tell(self, session: Session) -> None:
        for listener in self._listeners:
            listener(session)

    def post(self, function: Callable[[], None]) -> None:
        """Call a function on the thread of events."""
        self._events.post(function)

    # A coordinator

    @property
    def session(self) -> Session:
        """State of the session."""
        return self._session

    @property
    def epoch(self) -> int:
        """How many sessions were lost."""
        return self._epoch

    @property
    def timeout(self) -> float:
        """Seconds that a session is said to outlast a connection."""
        return self._timeout

    @property
    def server(self) -> str:
        """Where a server would be."""
        if self._session is not Session.CONNECTED:
            raise ClusterError("cannot get connected host")
        return ADDRESS

    def on_session(self, listener: Callable[[Session], None]) -> None:
        """Call a listener with each new state."""
        self._listeners.append(listener)

    def close(self) -> None:
        """End the session, and with it its nodes."""
        with self._memory.lock:
            if self._closed:
                return
            self._closed = True
            self._epoch += 1
            if self._session is Session.CONNECTED:
                self._memory.end(self._number)
            self._session = Session.LOST
        self._events.close()

    def create(self, path: str, data: bytes = b"", *, ephemeral: bool = False, sequence: bool = False) -> str:
        """Create a node and return its path."""
        check_data(path, data)
        with self._tree() as tree:
            self._trash = [other for other in self._trash if other != path]
            return tree.create(path, data, self._number if ephemeral else 0, sequence)

    def set(self, path: str, data: bytes) -> int:
        """Set a node's data and return how often that was done."""
        check_data(path, data)
        with self._tree() as tree:
            return tree.set(path, data)

    def get(self, path: str) -> bytes | None:
        """Return a node's data, or None if there is no such node."""
        with self._tree() as tree:
            entry = tree.entries.get(path)
            return entry.data if entry else None

    def exists(self, path: str) -> bool:
        """Return whether there is such a node."""
        with self._tree() as tree:
            return path in tree.entries

    def mine(self, path: str) -> bool:
        """Return whether there is such a node that ends with this session."""
        with self._tree() as tree:
            entry = tree.entries.get(path)
            return entry is not None and entry.owner == self._number

    def children(self, path: str) -> list[str]:
        """Return the sorted names of a node's children."""
        with self._tree() as tree:
            entry = tree.entries.get(path)
            return sorted(entry.children) if entry else []

    def delete(self, path: str) -> None:
        """Delete a node; it may be missing."""
        with self._tree() as tree:
            tree.delete(path)

    def discard(self, path: str) -> None:
        """Delete a node of this session, later if it cannot be done now."""
        with self._memory.lock:
            if self._session is Session.SUSPENDED:
                self._trash.append(path)
            elif not self._closed:
                self._memory.delete(path)

    def watch_children(self, path: str, changed: Callable[[], None]) -> list[str] | None:
        """Return the children, and report the next change."""
        with self._tree() as tree:
            entry = tree.entries.get(path)
            watches = tree.node_watches if entry is None else tree.child_watches
            self._watch(watches, path, changed)
            return sorted(entry.children) if entry else None

    def watch_node(self, path: str, changed: Callable[[], None]) -> bool:
        """Return whether there is such a node, and report the next change."""
        with self._tree() as tree:
            self._watch(tree.node_watches, path, changed)
            return path in tree.entries

    def _watch(self, watches: dict[str, list[Watch]], path: str, changed: Callable[[], None]) -> None:
        watch = Watch(self, changed)
        watches.setdefault(path, []).append(watch)
        self._watches = [*(other for other in self._watches if not other.done), watch]

    @contextmanager
    def _tree(self) -> Iterator[Memory]:
        with self._memory.lock:
            if self._closed:
                raise ClusterError("the connection to ZooKeeper is closed")
            if self._session is not Session.CONNECTED:
                raise ClusterError("no connection to ZooKeeper")
            yield self._memory
