"""How programs take part in a cluster: what a server, and who is like one, has in ZooKeeper.

Nothing here ends with a session: what a program has is created again in the next one, in the same order.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from jubatus.cluster import paths
from jubatus.cluster.coordinator import Coordinator, NoNode
from jubatus.cluster.lock import Lock
from jubatus.cluster.paths import Node
from jubatus.cluster.registration import Registration, create_if_missing, patience
from jubatus.cluster.ring import ring_entries
from jubatus.cluster.threads import Chore
from jubatus.cluster.view import Members, View
from jubatus.errors import ClusterError

__all__ = ["Ids", "Lock", "Member", "Members", "Registration", "Replaced", "View", "patience", "prepare"]

log = logging.getLogger("jubatus")

ATTEMPTS = 4
"""How often locking the configuration is tried, once a second."""

LAGS = 5
LAG = 0.1
"""A ZooKeeper server may be behind that of the master: the lock is looked for so often, so many seconds apart."""

ID_DATA = b"dummy\0"


class Replaced(ClusterError):
    """The cluster has another configuration than the server; the argument is the path of the former."""

    def __str__(self) -> str:
        return f"the configuration of the cluster was replaced, this server has another one: {self.args[0]}"


def prepare(zk: Coordinator, type: str, name: str = "") -> None:
    """Create the nodes that are always there for a type, and with a name those for a cluster; raise ClusterError."""
    wanted = [paths.ROOT, paths.supervisors(), paths.all_proxies(), paths.actors(), paths.configs()]
    wanted += [paths.clusters(type), paths.configs(type)]
    if name:
        paths.check_name(name)
        wanted += [paths.cluster(type, name), paths.config_lock(type, name)]
    try:
        for path in wanted:
            create_if_missing(zk, path)
    except ClusterError as error:
        raise ClusterError(f"Failed to prepare lock_service: {error}") from error


class Member:
    """A server of a cluster.

    Args:
        zk: where the cluster is.
        type: of the service.
        name: of the cluster.
        node: the server's address.
        uses_cht: whether the servers form a ring.
        mark: returns what stands for a configuration: equal for those that are equal. It is what the server's node
            holds, by which servers with different ones pass over each other. Without it none is looked at.

    Attributes:
        config_path: where the configuration is.
        replaced: whether the cluster had another configuration than the server when it was looked at last.
    """

    def __init__(
        self,
        zk: Coordinator,
        type: str,
        name: str,
        node: Node,
        uses_cht: bool,
        mark: Callable[[bytes], bytes] = lambda config: b"",
    ) -> None:
        self._zk = zk
        self._type = type
        self._name = name
        self._node = node
        self._uses_cht = uses_cht
        self._registration = Registration(zk)
        self._config_lock = Lock(zk, paths.config_lock(type, name))
        self._path = f"{paths.nodes(type, name)}/{node.name}"
        self._active = f"{paths.actives(type, name)}/{node.name}"
        self._up_to_date = self._hung = False
        self._turn = threading.Lock()
        self.config_path = paths.config(type, name)
        self._mark = mark
        self._own_mark = b""
        self.replaced = False
        self._removed: Callable[[], None] | None = None
        self._ended: Callable[[str], None] = lambda reason: None
        self._watcher = Chore("zookeeper-watch", self._watch)
        self._follower = Chore("zookeeper-config", self._follow)

    def prepare(self) -> None:
        """Create what is above the cluster and its lock; raise ClusterError."""
        prepare(self._zk, self._type, self._name)

    def lock_config(self) -> None:
        """Lock the configuration for reading as long as this server lives; raise ClusterError."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(1)
            if self._registration.hold(self._config_lock, self._see_again):
                return
        raise ClusterError("any user is writing config?")

    def config(self) -> bytes:
        """Return the configuration, which is the server's from now on; raise ClusterError."""
        path = self.config_path
        try:
            data = self._zk.get(path)
        except ClusterError as error:
            raise ClusterError(f"failed to get config from zookeeper: {path}: {error}") from error
        if data is None:
            raise ClusterError(f"config does not exist: {path}")
        self._own_mark = self._mark(data)
        return data

    def agree(self) -> None:
        """Ask ZooKeeper whether the cluster has the server's configuration.

        A configuration that was deleted is no other one: nobody can start with it.

        Raises:
            Replaced: it has another one.
            ClusterError: ZooKeeper does not answer.
        """
        data = self._zk.get(self.config_path)
        replaced = data is not None and self._mark(data) != self._own_mark
        with self._turn:
            before, self.replaced = self.replaced, replaced
        error = Replaced(self.config_path)
        if replaced and not before:
            log.warning("%s; nothing is mixed until it is started again", error)
        if before and not replaced:
            log.info("the configuration of the cluster is that of this server again")
        if replaced:
            raise error

    def _see_again(self) -> None:
        """Compare the configuration when the server is about to register in a new session."""
        try:
            self.agree()
        except Replaced as error:
            self._ended(str(error))
            raise

    def _follow(self) -> bool:
        """Compare the configuration whenever it changes."""
        self._zk.watch_node(self.config_path, self._follower.wake)
        with suppress(Replaced):
            self.agree()
        return True

    def join(self, removed: Callable[[], None], ended: Callable[[str], None] = lambda reason: None) -> None:
        """Register the server.

        Args:
            removed: called when somebody deletes the server's node.
            ended: called with the reason when the server cannot register in a later session.

        Raises:
            ClusterError: it cannot be registered; perhaps there is another one at its address.
        """
        self._ended = ended
        self.agree()
        end = time.monotonic() + patience(self._zk)
        try:
            if self._uses_cht:
                ring = paths.cht(self._type, self._name)
                create_if_missing(self._zk, ring)
                for entry in ring_entries(self._node):
                    self._add(f"{ring}/{entry}", end, self._node.name.encode())
        except ClusterError as error:
            raise ClusterError(f"Failed to register cht node: {error}") from error
        try:
            create_if_missing(self._zk, paths.cluster(self._type, self._name))
            create_if_missing(self._zk, paths.master_lock(self._type, self._name))
            create_if_missing(self._zk, paths.nodes(self._type, self._name))
            self._add(self._path, end, self._own_mark)
        except ClusterError as error:
            raise ClusterError(f"Failed to register_actor: {error}") from error
        self._removed = removed
        self._watcher.wake()
        self._follower.wake()
        log.info("registered group membership")

    def _add(self, path: str, end: float, data: bytes = b"") -> None:
        self._registration.add(path, data, max(end - time.monotonic(), 0))

    def activate(self) -> None:
        """Register the model as up to date. If there is no session, do it in the next one. Never raises."""
        with self._turn:
            self._up_to_date = True
            self._show()

    def deactivate(self) -> None:
        """Register the model as not up to date. If there is no session, do it in the next one. Never raises."""
        with self._turn:
            self._up_to_date = False
            self._show()

    def hang(self, hung: bool) -> None:
        """Note whether the server hangs: while it does, it is not active, whatever its model is. Never raises."""
        with self._turn:
            self._hung = hung
            self._show()

    def _show(self) -> None:
        if self._up_to_date and not self._hung:
            self._registration.want(self._active)
        else:
            self._registration.remove(self._active)

    def members(self) -> list[Node]:
        """Ask ZooKeeper for all servers that do not have another configuration, in the order of their names.

        Raises:
            Replaced: the cluster has another one itself.
            ClusterError: ZooKeeper does not answer.
        """
        self.agree()
        directory = paths.nodes(self._type, self._name)
        return [Node.parse(name) for name in self._zk.children(directory) if self._fits(f"{directory}/{name}")]

    def _fits(self, path: str) -> bool:
        """Return whether the server of a node may be mixed with: one of 1.1 does not say what it has."""
        return not self._own_mark or path == self._path or self._zk.get(path) in (self._own_mark, b"")

    def actives(self) -> list[Node]:
        """Ask ZooKeeper for all servers whose model is up to date; raise ClusterError."""
        return [Node.parse(name) for name in self._zk.children(paths.actives(self._type, self._name))]

    def master_lock(self) -> Lock:
        """Return the lock of the master of a MIX; it is not held yet."""
        return Lock(self._zk, paths.master_lock(self._type, self._name), self._node.name)

    def is_master(self, round: int | None) -> bool:
        """Ask ZooKeeper whether who calls holds the master's lock; raise ClusterError.

        Args:
            round: the number of the lock that the caller says; None from a master of Jubatus 1.1, which says nothing,
                and is believed while no server of this package holds the lock, but somebody does.
        """
        lock = self.master_lock()
        for attempt in range(LAGS):
            if attempt:
                time.sleep(LAG)
            first = lock.first()
            if round is None:
                return first is not None and not first[1]
            if first is not None and first[0] == round:
                return True
        return False

    def leave(self) -> None:
        """End the session, so that all nodes and locks of the server vanish at once; never raises."""
        self._removed = None
        self._zk.close()
        self._registration.close()
        self._watcher.close()
        self._follower.close()

    def _watch(self) -> bool:
        """Watch the server's node. If it is gone, find out why."""
        created = self._registration.epoch(self._path)
        if self._zk.watch_node(self._path, self._watcher.wake):
            return True
        try:
            # The node is also missing when its session has just ended. Only a live session may change nodes.
            self._zk.set(self._path, self._own_mark)
        except NoNode:
            if created == self._zk.epoch and (removed := self._removed):
                self._removed = None
                log.info("My actor [%s] was deleted, preparing for finish", self._path)
                removed()
        return True


class Ids:
    """Numbers that no two servers of a cluster get.

    Args:
        zk: where the cluster is.
        type: of the service.
        name: of the cluster, which exists.
    """

    def __init__(self, zk: Coordinator, type: str, name: str) -> None:
        self._zk = zk
        self._path = paths.id_generator(type, name)
        create_if_missing(zk, self._path)

    def next(self) -> int:
        """Return the next number, from 1; raise ClusterError."""
        try:
            return self._zk.set(self._path, ID_DATA) & 0xFFFFFFFF
        except ClusterError as error:
            raise ClusterError(f"Failed to create id: {error}") from error
