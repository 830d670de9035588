"""The connection to ZooKeeper; the only module that knows kazoo, which only distributed programs import."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kazoo.client import KazooClient  # type: ignore[import-untyped]
from kazoo.exceptions import (  # type: ignore[import-untyped]
    ConnectionClosedError,
    ConnectionLoss,
    KazooException,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    OperationTimeoutError,
    SessionExpiredError,
    SessionMovedError,
)
from kazoo.handlers.threading import KazooTimeoutError, SequentialThreadingHandler  # type: ignore[import-untyped]
from kazoo.protocol.states import EventType, KazooState, KeeperState, WatchedEvent  # type: ignore[import-untyped]
from kazoo.retry import KazooRetry  # type: ignore[import-untyped]
from kazoo.security import CREATOR_ALL_ACL  # type: ignore[import-untyped]

from jubatus.cluster.access import OPEN, Access
from jubatus.cluster.coordinator import Coordinator, NodeExists, NoNode, Session, check_data
from jubatus.cluster.threads import Events
from jubatus.errors import ClusterError

log = logging.getLogger("jubatus")

BACKOFF = 0.5
"""Seconds between two attempts to connect, at most; kazoo varies them by 40 %."""

AGAIN = 0.05
"""Seconds to wait before sending a request again that was interrupted by the loss of the connection."""

LOOK = 0.25
"""A call that waits for its answer checks every so many seconds whether the session was closed."""

FAREWELL = 3.0
"""Seconds that the end of a session may take."""

INTERRUPTED = (ConnectionLoss, SessionExpiredError, SessionMovedError, OperationTimeoutError)


class Interrupted(ClusterError):
    """The connection was lost during a request. ZooKeeper may have carried it out."""


class NoAnswer(ClusterError):
    """ZooKeeper did not answer in time; the request may be carried out later."""


class KazooLog:
    """What kazoo logs, of which only the negotiated timeout is of use, as kazoo tells it nowhere else.

    Attributes:
        negotiated: milliseconds, 0 before the first connection.
    """

    def __init__(self) -> None:
        self.negotiated = 0

    def log(self, level: int, message: str, *args: Any, **_: Any) -> None:
        """Pick the timeout out of a message, and make the rest a message for developers."""
        if message.startswith("Session created"):
            self.negotiated = int(args[2])
        elif level > logging.DEBUG:
            log.debug("kazoo: " + message, *args)

    def debug(self, message: str, *args: Any, **_: Any) -> None:
        """Drop a message."""

    def info(self, message: str, *args: Any, **_: Any) -> None:
        """Make a message one for developers, as all below do."""
        self.log(logging.INFO, message, *args)

    warn = warning = error = exception = info


class Handler(SequentialThreadingHandler):  # type: ignore[misc]
    """Threads and sockets of kazoo.

    Args:
        timeout: seconds that the session outlasts the connection.
        servers: how many there are.
        tls: ``ssl.SSLContext``, or None.

    Attributes:
        failure: why TLS failed last, or nothing.
        address: of the last attempt.
        greeting: whether a connection is open on which the server has not yet confirmed the session.
    """

    def __init__(self, timeout: float, servers: int, tls: Any = None) -> None:
        super().__init__()
        self._tls = tls
        self.failure = ""
        self._timeout = timeout / (servers + 1)  # so that another attempt is made within the session
        self._many = servers > 1
        self._lost: tuple[str, int] | None = None
        self.address = ("", 0)
        self.greeting = False

    def avoid(self) -> None:
        """Try the other servers first: the present one may be silent rather than dead."""
        self._lost = self.address if self._many else None

    def spawn(self, func: Callable[..., None], *args: Any, **options: Any) -> threading.Thread:
        """Start a thread that ends with one line in the log if it fails."""

        def run() -> None:
            try:
                func(*args, **options)
            except Exception as error:
                log.error("the connection to ZooKeeper ended: %s: %s", type(error).__name__, error)

        thread = threading.Thread(target=run, name="zookeeper", daemon=True)
        thread.start()
        return thread

    def create_connection(self, address: tuple[str, int], *args: Any, **options: Any) -> Any:
        """Connect, and remember where to."""
        if address == self._lost:
            self._lost = None
            raise ConnectionRefusedError("the connection was just lost")
        self.address = address
        options["timeout"] = self._timeout
        if self._tls is None:
            connection = super().create_connection(address, *args, **options)
        else:
            connection = self._secure(address, options["hostname"])
        self.greeting = True
        return connection

    def _secure(self, address: tuple[str, int], hostname: str) -> Any:
        """Connect with TLS. The server's certificate must be one of its name; kazoo would trust the system as well."""
        plain = socket.create_connection(address, self._timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._tls.wrap_socket(plain, server_hostname=hostname)
        except OSError as error:
            plain.close()
            self.failure = f": TLS: {error}"
            raise

    def select(self, *args: Any) -> Any:
        """Wait for sockets. With one server, kazoo would wait for a confirmation as long as the session lasts.

        What TLS has decrypted and nobody has read is not in the socket any more.
        """
        decrypted = [one for one in args[0] if hasattr(one, "pending") and one.pending()]
        if decrypted:
            return decrypted, [], []
        if self.greeting and len(args) > 3:
            args = (*args[:3], min(args[3], self._timeout))
        return super().select(*args)


class Watch:
    """Reports a change once.

    Args:
        owner: whose watch it is.
        changed: what to call.
    """

    def __init__(self, owner: "ZooKeeper", changed: Callable[[], None]) -> None:
        self._owner = owner
        self._changed = changed

    def __call__(self, event: WatchedEvent) -> None:
        """Take in an event of kazoo, whose watches end with a connection, while the owner's go on."""
        if event.type != EventType.NONE:
            self.fire()

    def fire(self) -> None:
        """Report the change, on the thread of the owner's events."""
        if self._owner.disarm(self):
            self._owner.post(self._changed)


class ZooKeeper:
    """A coordinator on the real ZooKeeper; see there.

    Args:
        hosts: servers, and what is put before every path, as ZooKeeper's own clients take them.
        timeout: seconds that the session outlasts the connection.
        access: how the connection is made.
    """

    def __init__(self, hosts: str, timeout: float, access: Access = OPEN) -> None:
        self._hosts = hosts
        self._access = access
        self._requested = timeout
        self._log = KazooLog()
        self._client = self._new_client()
        self._state = threading.Lock()
        self._connected = threading.Event()
        self._closed = False
        self._session = Session.LOST
        self._session_id = 0
        self._epoch = 0
        self._armed: set[Watch] = set()
        self._listeners: list[Callable[[Session], None]] = []
        self._sequences: set[str] = set()
        self._tidy = threading.Lock()
        self._numbering = threading.Lock()
        self._trash: set[str] = set()
        self._doubts: set[str] = set()
        self._events = Events("zookeeper-events")
        self._client.start_async()
        if not self._connected.wait(timeout):
            failure = self._client.handler.failure
            self.close()
            raise ClusterError(f"cannot connect zk in {timeout:g} sec: {hosts}{failure}")

    def _new_client(self) -> KazooClient:
        handler = Handler(self._requested, self._hosts.count(",") + 1, self._access.tls)
        credentials = self._access.credentials
        try:
            client = KazooClient(
                hosts=self._hosts,
                timeout=self._requested,
                handler=handler,
                connection_retry=KazooRetry(max_tries=-1, delay=0.05, max_delay=BACKOFF),
                logger=self._log,
                auth_data=[("digest", credentials)] if credentials else None,
                default_acl=CREATOR_ALL_ACL if credentials else None,
            )
        except Exception as error:
            raise ClusterError(f"failed to initialize zk: {self._hosts}") from error
        client.add_listener(self._changed)
        return client

    # The session

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
        """Seconds after which the server ends a session that it does not hear of."""
        return self._log.negotiated / 1000 or self._requested

    @property
    def server(self) -> str:
        """Address and port of the server."""
        if self._session is not Session.CONNECTED:
            raise ClusterError("cannot get connected host")
        host, port = self._client.handler.address[:2]
        return f"{host}:{port}"

    def on_session(self, listener: Callable[[Session], None]) -> None:
        """Call a listener with each new state."""
        self._listeners.append(listener)

    def close(self) -> None:
        """End the session, and with it its nodes."""
        with self._state:
            if self._closed:
                return
            self._closed = True
            self._epoch += 1
            self._session = Session.LOST
        self._connected.set()  # wakes all that wait for a connection, so that they see the end
        farewell = threading.Thread(target=self._leave, name="zookeeper-close", daemon=True)
        farewell.start()
        farewell.join(FAREWELL)
        self._events.close()

    def _leave(self) -> None:
        try:
            self._client.stop()
            self._client.close()
        except Exception as error:
            log.debug("kazoo: %s: %s", type(error).__name__, error)

    def _restart(self) -> None:
        """Begin again after kazoo has given up, which it does when it meets an error that it does not expect."""
        self._leave()
        time.sleep(BACKOFF)
        with self._state:
            if not self._closed:
                self._client = self._new_client()
                self._client.start_async()

    def _changed(self, state: str) -> None:
        """Take in a new state; runs on kazoo's own thread and must not wait."""
        with self._state:
            if self._closed:
                return
            before = self._session
            if state == KazooState.CONNECTED:
                self._client.handler.greeting = False
                self._session = Session.CONNECTED
                client_id = self._client.client_id
                self._session_id = client_id[0] if client_id else 0
                self._connected.set()
                self._events.post(lambda: self._established(before))
                for watch in list(self._armed):
                    watch.fire()  # changes during the interruption were not reported
                return
            self._connected.clear()
            if state == KazooState.SUSPENDED:
                self._session = Session.SUSPENDED
                self._client.handler.avoid()
                self._events.post(self._suspended)
            else:
                self._session = Session.LOST
                self._epoch += 1
                for what in (self._sequences, self._trash, self._doubts):
                    what.clear()
                self._events.post(self._lost)
                if self._client.client_state == KeeperState.CLOSED:
                    threading.Thread(target=self._restart, name="zookeeper-restart", daemon=True).start()

    def _established(self, before: Session) -> None:
        if before is Session.SUSPENDED:
            log.info("ZooKeeper session recovered before timeout")
        else:
            peer = "{}:{}".format(*self._client.handler.address[:2])
            timeout = self._log.negotiated
            log.info("ZooKeeper session established: connected to %s, negotiated timeout %d ms", peer, timeout)
        self._sweep()
        self._tell(Session.CONNECTED)

    def _suspended(self) -> None:
        log.warning("ZooKeeper session lost")
        self._tell(Session.SUSPENDED)

    def _lost(self) -> None:
        log.error("ZooKeeper session expired")
        self._tell(Session.LOST)

    def _tell(self, session: Session) -> None:
        for listener in self._listeners:
            listener(session)

    def post(self, function: Callable[[], None]) -> None:
        """Call a function on the thread of events."""
        self._events.post(function)

    def disarm(self, watch: Watch) -> bool:
        """Return whether a watch was armed, which it is no longer."""
        try:
            self._armed.remove(watch)
        except KeyError:
            return False
        return True

    # Requests

    def create(self, path: str, data: bytes = b"", *, ephemeral: bool = False, sequence: bool = False) -> str:
        """Create a node and return its path."""
        check_data(path, data)
        if sequence:
            return self._create_next(path, data, ephemeral)
        if path in self._trash:
            with self._tidy:  # it is wanted again
                self._trash.discard(path)
        deadline = self._deadline()
        unsure = False
        while True:
            try:
                return str(self._once(path, deadline, lambda: self._client.create_async(path, data, None, ephemeral)))
            except Interrupted:
                unsure = True
                time.sleep(AGAIN)
            except NodeExists:
                if unsure and (not ephemeral or self.mine(path)):
                    return path
                raise

    def _create_next(self, path: str, data: bytes, ephemeral: bool) -> str:
        """Create a sequential node. If the answer is lost, find the node: as a lock it would never be released."""

        def request() -> Any:
            return self._client.create_async(path, data, None, ephemeral, True)

        deadline = self._deadline()
        with self._numbering:
            try:
                created = None
                while created is None:
                    try:
                        created = str(self._once(path, deadline, request))
                    except Interrupted:
                        time.sleep(AGAIN)
                        created = self._stray(path, deadline)
            except NoAnswer:
                self._doubts.add(path)
                self._events.post(self._sweep)
                raise
            self._sequences.add(created)
            return created

    def set(self, path: str, data: bytes) -> int:
        """Set a node's data and return how often that was done."""
        check_data(path, data)
        return int(self._call(path, lambda: self._client.set_async(path, data)).version)

    def get(self, path: str) -> bytes | None:
        """Return a node's data, or None if there is no such node."""
        try:
            return bytes(self._call(path, lambda: self._client.get_async(path))[0])
        except NoNode:
            return None

    def exists(self, path: str) -> bool:
        """Return whether there is such a node."""
        return self._call(path, lambda: self._client.exists_async(path)) is not None

    def mine(self, path: str) -> bool:
        """Return whether there is such a node that ends with this session."""
        return self._mine(path, self._deadline())

    def _mine(self, path: str, deadline: float) -> bool:
        found = self._call(path, lambda: self._client.exists_async(path), deadline)
        return found is not None and found.ephemeralOwner == self._session_id

    def children(self, path: str) -> list[str]:
        """Return the sorted names of a node's children."""
        try:
            return sorted(self._call(path, lambda: self._client.get_children_async(path)))
        except NoNode:
            return []

    def delete(self, path: str) -> None:
        """Delete a node; it may be missing."""
        self._sequences.discard(path)
        with suppress(NoNode):
            self._call(path, lambda: self._client.delete_async(path))

    def discard(self, path: str) -> None:
        """Delete a node of this session, later if it cannot be done now."""
        self._sequences.discard(path)
        with self._state:
            if self._session is Session.LOST or self._closed:
                return
            self._trash.add(path)
            now = self._session is Session.CONNECTED
        if now:
            try:
                self._drop(path)
            except ClusterError as error:
                log.debug("%s is deleted later: %s", path, error)
                self._events.post(self._sweep)

    def watch_children(self, path: str, changed: Callable[[], None]) -> list[str] | None:
        """Return the children, and report the next change."""
        with self._watch(changed) as watch:
            while True:
                try:
                    return sorted(self._call(path, lambda: self._client.get_children_async(path, watch)))
                except NoNode:
                    if self._call(path, lambda: self._client.exists_async(path, watch)) is None:
                        return None

    def watch_node(self, path: str, changed: Callable[[], None]) -> bool:
        """Return whether there is such a node, and report the next change."""
        with self._watch(changed) as watch:
            return self._call(path, lambda: self._client.exists_async(path, watch)) is not None

    @contextmanager
    def _watch(self, changed: Callable[[], None]) -> Iterator[Watch]:
        watch = Watch(self, changed)
        self._armed.add(watch)
        try:
            yield watch
        except BaseException:
            self.disarm(watch)
            raise

    def _deadline(self) -> float:
        return time.monotonic() + self.timeout

    def _call(self, path: str, request: Callable[[], Any], deadline: float = 0.0) -> Any:
        """Send a request that may be carried out twice; send it again if the connection is lost."""
        deadline = deadline or self._deadline()
        while True:
            try:
                return self._once(path, deadline, request)
            except Interrupted:
                time.sleep(AGAIN)

    def _once(self, path: str, deadline: float, request: Callable[[], Any]) -> Any:
        # Without a connection kazoo would queue the request and send it later, when its caller has given up.
        left = deadline - time.monotonic()
        if left <= 0 or not self._connected.wait(left):
            raise NoAnswer(f"no connection to ZooKeeper: {self._hosts}")
        if self._closed:
            raise ClusterError(f"the connection to ZooKeeper is closed: {self._hosts}")
        try:
            return self._answer(request(), deadline)
        except NodeExistsError:
            raise NodeExists(path) from None
        except NoNodeError:
            raise NoNode(path) from None
        except NoAuthError:
            which = (
                "these are not the credentials of its owner" if self._access.credentials else "it asks for credentials"
            )
            raise ClusterError(f"no access to a ZooKeeper node: {path}: {which}") from None
        except INTERRUPTED:
            raise Interrupted(f"the connection to ZooKeeper was lost: {self._hosts}") from None
        except KazooTimeoutError:
            raise NoAnswer(f"ZooKeeper does not answer: {self._hosts}") from None
        except ConnectionClosedError:
            raise ClusterError(f"the connection to ZooKeeper is closed: {self._hosts}") from None
        except KazooException as error:
            raise ClusterError(f"ZooKeeper: {type(error).__name__} {error}: {path}") from error
        except (ValueError, TypeError) as error:
            raise ClusterError(f"ZooKeeper: {error}: {path!r}") from error

    def _answer(self, answer: Any, deadline: float) -> Any:
        """Wait for an answer until a time, or until the session is closed; kazoo does not wake waiting callers then."""
        while True:
            left = max(deadline - time.monotonic(), AGAIN)
            try:
                return answer.get(timeout=min(left, LOOK))
            except KazooTimeoutError:
                if self._closed:
                    raise ConnectionClosedError from None
                if left <= LOOK:
                    raise

    # Nodes that nobody wants

    def _drop(self, path: str) -> None:
        """Delete a discarded node while connected. In a later session somebody may need a node of its name."""
        if self._session is Session.CONNECTED:
            with suppress(NoNode):
                self._once(path, self._deadline(), lambda: self._client.delete_async(path))
            self._trash.discard(path)

    def _stray(self, path: str, deadline: float) -> str | None:
        """Return a sequential node of this session whose creation was not answered, or None."""
        directory, _, prefix = path.rpartition("/")
        for name in self._call(directory, lambda: self._client.get_children_async(directory), deadline):
            found = f"{directory}/{name}"
            if name.startswith(prefix) and found not in self._sequences and self._mine(found, deadline):
                return found
        return None

    def _sweep(self) -> None:
        """Delete discarded nodes that could not be deleted before, and nodes whose creation was not answered."""
        try:
            for path in list(self._trash):
                with self._tidy:
                    if path in self._trash:
                        self._drop(path)
            for path in list(self._doubts):
                with self._numbering:
                    while stray := self._stray(path, self._deadline()):
                        self.delete(stray)
                    self._doubts.discard(path)
        except ClusterError as error:
            log.debug("not everything is deleted: %s", error)


def connect(
    hosts: str, timeout: float, *, auth: str = "", tls_ca: str = "", tls_cert: str = "", tls_key: str = ""
) -> Coordinator:
    """Connect to ZooKeeper.

    Args:
        hosts: servers, comma separated, and optionally the node below which everything is.
        timeout: seconds to wait for the connection, and asked for as the session's timeout.
        auth: path of the credentials; this and the other files are those of ``Access.read``.
        tls_ca: path of the certificates to trust.
        tls_cert: path of the own certificate.
        tls_key: path of its key.

    Raises:
        ClusterError: there is no connection in time.
        ConfigError: a file cannot be used.
    """
    return ZooKeeper(hosts, timeout, Access.read(auth=auth, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key))
