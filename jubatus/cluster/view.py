"""What a keeper knows of all clusters of a type, and a server of its own one. Watches tell what to read again."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jubatus.cluster import paths
from jubatus.cluster.coordinator import Coordinator
from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring
from jubatus.cluster.threads import Chore
from jubatus.errors import ClusterError

log = logging.getLogger("jubatus")

CLUSTERS = 1000
"""How many clusters are remembered that do not exist. Clients send the names, so the number needs a limit."""


@dataclass(frozen=True)
class Members:
    """The servers of a cluster.

    Args:
        actives: those whose model is up to date, in the order of their names.
        ring: all of them by key; empty if the service has none.
    """

    actives: tuple[Node, ...]
    ring: Ring


NOBODY = Members((), Ring({}))


class Directory:
    """Children of a node.

    Args:
        zk: where it is.
        path: the node.
        changed: called when they have to be read again.

    Attributes:
        armed: whether the children are known, and a watch tells when they change.
    """

    def __init__(self, zk: Coordinator, path: str, changed: Callable[[], None]) -> None:
        self._zk = zk
        self.path = path
        self._changed = changed
        self._names: Sequence[str] = ()
        self.armed = False

    def names(self) -> Sequence[str]:
        """Return the children. If they may have changed, read them again. Raise ClusterError."""
        if not self.armed:
            self.armed = True  # before the request: a change may be reported before the answer arrives
            try:
                self._names = self._zk.watch_children(self.path, self._fire) or ()
            except BaseException:
                self.armed = False
                raise
        return self._names

    def _fire(self) -> None:
        self.armed = False
        self._changed()


class Cluster:
    """What is known of a cluster.

    Args:
        zk: where it is.
        type: of the service.
        name: of the cluster.
        uses_cht: whether its servers form a ring.
        changed: called when it has to be read again.

    Attributes:
        lock: held by who reads.
        members: the picture, or None before the first reading.
    """

    def __init__(self, zk: Coordinator, type: str, name: str, uses_cht: bool, changed: Callable[[], None]) -> None:
        self._zk = zk
        self._actives = Directory(zk, paths.actives(type, name), changed)
        self._ring = Directory(zk, paths.cht(type, name), changed) if uses_cht else None
        self.lock = threading.RLock()  # a listener may load again
        self.members: Members | None = None

    @property
    def stale(self) -> bool:
        """Whether something has to be read."""
        return not (self._actives.armed and (self._ring is None or self._ring.armed))

    def read(self) -> Members:
        """Return the present members; raise ClusterError."""
        ring = NOBODY.ring
        if self._ring is not None:
            ring = Ring(self._entries(self._ring))
        actives = tuple(Node.parse(name) for name in self._actives.names())
        return Members(actives, ring)

    def _entries(self, directory: Directory) -> dict[str, Node]:
        # An entry's name is the hash of what it holds, so one that is known is not read again.
        known = self.members.ring.entries() if self.members else {}
        entries = {}
        for name in directory.names():
            node = known.get(name)
            if node is None:
                data = self._zk.get(f"{directory.path}/{name}")
                if data is None:
                    continue  # deleted meanwhile: the watch reports it
                node = Node.parse(data.decode(errors="replace"))
            entries[name] = node
        return entries


class View:
    """The servers of all clusters of a type. While ZooKeeper cannot be reached, the last picture stays.

    Args:
        zk: where the clusters are.
        type: of the service.
        uses_cht: whether its servers may form rings.
    """

    def __init__(self, zk: Coordinator, type: str, uses_cht: bool = True) -> None:
        self._zk = zk
        self._type = type
        self._uses_cht = uses_cht
        self._lock = threading.Lock()
        self._clusters: dict[str, Cluster] = {}
        self._pictures: dict[str, Members] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._chore = Chore("zookeeper-view", self._refresh)

    def members(self, name: str) -> Members | None:
        """Return the picture of a cluster, or None if it was not loaded; never blocks."""
        return self._pictures.get(name)

    def load(self, name: str) -> Members:
        """Return the picture of a cluster, read from ZooKeeper if there is none; raise ClusterError.

        From then on, also after an error, it follows all changes; a cluster that does not exist has no members, until
        it comes.
        """
        if not paths.is_name(name):
            return NOBODY
        cluster = self._cluster(name)
        if cluster is None:
            return NOBODY
        with cluster.lock:
            try:
                return cluster.members or self._read(name, cluster)
            except ClusterError:
                self._chore.wake()
                raise

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call a listener, on any thread, with the name of each cluster whose picture has changed."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Stop following changes."""
        self._chore.close()

    def _cluster(self, name: str) -> Cluster | None:
        """Return what is known of a cluster, or None if it does not exist and too many of these are kept."""
        if name not in self._clusters and len(self._clusters) >= CLUSTERS:
            if not self._zk.exists(paths.cluster(self._type, name)):
                return None
        with self._lock:
            if name not in self._clusters:
                self._clusters[name] = Cluster(self._zk, self._type, name, self._uses_cht, self._chore.wake)
            return self._clusters[name]

    def _read(self, name: str, cluster: Cluster) -> Members:
        members = cluster.read()
        if members != cluster.members:
            cluster.members = self._pictures[name] = members
            for listener in self._listeners:
                listener(name)
        return members

    def _refresh(self) -> bool:
        """Read what has changed; return whether everything is read."""
        with self._lock:
            stale = [(name, cluster) for name, cluster in self._clusters.items() if cluster.stale]
        # Clusters with active servers come first.
        stale.sort(key=lambda entry: not (entry[1].members and entry[1].members.actives))
        complete = True
        for name, cluster in stale:
            if self._chore.closed:
                break
            try:
                with cluster.lock:
                    self._read(name, cluster)
            except ClusterError as error:
                log.debug("the members of %s are not read: %s", name, error)
                complete = False
        return complete
