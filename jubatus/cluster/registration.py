"""The nodes that a program keeps in ZooKeeper while it lives; a new session gets them again."""

import logging
import threading
import time
from collections.abc import Callable

from jubatus.cluster.coordinator import Coordinator, NodeExists, NoNode, Session
from jubatus.cluster.lock import Lock
from jubatus.cluster.threads import Chore
from jubatus.errors import ClusterError

log = logging.getLogger("jubatus")

POLL = 0.1
"""Seconds between two looks whether a node is gone."""

GRACE = 2.0
"""Seconds beyond a session's timeout after which its nodes must be gone."""


def create_if_missing(zk: Coordinator, path: str) -> None:
    """Create a lasting node that may exist."""
    try:
        zk.create(path)
    except NodeExists:
        pass


def create_ephemeral(zk: Coordinator, path: str, data: bytes) -> None:
    """Create a node that ends with the session, and those above it that are missing."""
    try:
        zk.create(path, data, ephemeral=True)
    except NoNode:
        create_above(zk, path)
        zk.create(path, data, ephemeral=True)


def create_above(zk: Coordinator, path: str) -> None:
    """Create the nodes above a path. They are missing at first, and after somebody has emptied ZooKeeper."""
    parts = path.split("/")
    for end in range(2, len(parts)):
        create_if_missing(zk, "/".join(parts[:end]))


def patience(zk: Coordinator) -> float:
    """Return the seconds after which nodes of an earlier process that was killed must be gone."""
    return zk.timeout + GRACE


class Kept:
    """What a registration brings about.

    Args:
        create: creates it in the present session.
        destroy: ends it.
        first: whether what follows needs it.

    Attributes:
        wanted: whether it shall be there.
        epoch: of the session that it is there in, or -1.
        blamed: whether the reason why it is not there was logged.
    """

    def __init__(self, create: Callable[[], None], destroy: Callable[[], None], first: bool = False) -> None:
        self.create = create
        self.destroy = destroy
        self.first = first
        self.wanted = True
        self.epoch = -1
        self.blamed = False


class Registration:
    """Nodes and locks of a program that are created again, in order, in each new session.

    Args:
        zk: where they are.
    """

    def __init__(self, zk: Coordinator) -> None:
        self._zk = zk
        self._lock = threading.RLock()
        self._kept: dict[str, Kept] = {}
        self._chore = Chore("zookeeper-registration", self._bring_about)
        zk.on_session(self._on_session)

    def add(self, path: str, data: bytes = b"", patience: float = 0.0) -> None:
        """Create a node that ends with the session, and keep it.

        Args:
            path: the node; those above it are created if they are missing.
            data: what it holds.
            patience: seconds to wait for the end of a node of another session, which an earlier process left behind.

        Raises:
            NodeExists: another session has it.
            ClusterError: it cannot be created.
        """
        end = time.monotonic() + patience
        kept = self._node(path, data)
        warned = False
        while True:
            try:
                with self._lock:
                    self._ensure(kept)
                    self._kept[path] = kept
                return
            except NodeExists:
                if time.monotonic() >= end:
                    raise
            if not warned:
                warned = True
                log.warning("%s is held by an earlier session, waiting up to %.1f s for its end", path, patience)
            time.sleep(POLL)

    def want(self, path: str, data: bytes = b"") -> None:
        """Create a node that ends with the session, and keep it: now if there is a connection, else later."""
        with self._lock:
            kept = self._kept.setdefault(path, self._node(path, data))
            if self._zk.session is not Session.CONNECTED:
                return  # the chore creates it when there is a connection
            try:
                self._ensure(kept)
            except ClusterError as error:
                log.warning("%s is not registered yet: %s", path, error)
                self._chore.wake()

    def hold(self, lock: Lock, again: Callable[[], None] = lambda: None) -> bool:
        """Take a lock for reading, and keep it; return whether it is held; raise ClusterError.

        Args:
            lock: to be taken.
            again: called whenever it was taken in a later session. What was added after it is created when this has
                succeeded; it raises ClusterError if it does not.
        """

        def create() -> None:
            create_above(self._zk, f"{lock.directory}/")
            if not lock.read():
                raise ClusterError("somebody holds it for writing")
            again()

        epoch = self._zk.epoch
        if not lock.read():
            return False
        kept = Kept(create, lock.release, first=True)
        kept.epoch = epoch
        with self._lock:
            self._kept[lock.directory] = kept
        return True

    def remove(self, path: str) -> None:
        """Delete a node and keep it no longer: now if there is a connection, else later; never raises."""
        with self._lock:
            kept = self._kept.pop(path, None)
            if kept is not None:
                kept.wanted = False
                kept.destroy()

    def epoch(self, path: str) -> int:
        """Return in which epoch a node was created last, or -1."""
        with self._lock:
            kept = self._kept.get(path)
            return kept.epoch if kept else -1

    def close(self) -> None:
        """Stop creating nodes. Those that exist stay until the end of the session."""
        self._chore.close()

    def _node(self, path: str, data: bytes) -> Kept:
        def create() -> None:
            try:
                create_ephemeral(self._zk, path, data)
            except NodeExists:
                if not self._zk.mine(path):
                    raise

        return Kept(create, lambda: self._zk.discard(path))

    def _ensure(self, kept: Kept) -> None:
        """Create one in the present session unless it is there."""
        epoch = self._zk.epoch
        if kept.epoch != epoch:
            kept.create()
            kept.epoch = epoch  # if the session ended meanwhile, the epoch differs and the node is created again

    def _on_session(self, session: Session) -> None:
        if session is Session.CONNECTED:
            self._chore.wake()

    def _bring_about(self) -> bool:
        """Create the missing nodes; return whether all of them exist now."""
        created = 0
        complete = True
        with self._lock:
            everything = list(self._kept.items())
        for path, kept in everything:
            with self._lock:  # for one node at a time: whoever removes a node waits no longer than that
                if self._chore.closed or self._zk.session is not Session.CONNECTED:
                    return True
                if not kept.wanted or kept.epoch == self._zk.epoch:
                    continue
                try:
                    self._ensure(kept)
                    created += 1
                    kept.blamed = False
                except ClusterError as error:
                    complete = False
                    if not kept.blamed:
                        kept.blamed = True
                        log.warning("%s is not registered yet: %s", path, error)
                    if kept.first:
                        break
        if created:
            log.info("registered in ZooKeeper again: %d of %d", created, len(everything))
        return complete
