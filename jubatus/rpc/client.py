"""A blocking MessagePack-RPC client.

One connection, made by the first call and made again by any call that finds it closed: a server that drops idle
connections or is restarted costs the caller nothing. A call whose bytes may have left is never sent twice. Replies are
matched by message id, so that requests may be pipelined, keepers may answer out of order, and the reply that comes
after its call timed out is dropped. A client may be used from several threads, which take turns, and after a fork.
"""

import builtins
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import msgpack  # type: ignore[import-untyped]

from jubatus._core.wire import Frame, FrameSplitter, Reader, pack
from jubatus.errors import JubatusError

if TYPE_CHECKING:
    from ssl import SSLContext

    from jubatus.rpc.tls import SealedSocket

CHUNK = 1 << 16
_LONGEST = 1 << 30
"""Milliseconds that one poll may wait: about as many as the system takes."""


class RPCError(JubatusError):
    """A call that failed.

    Args:
        *args: the error of the server, or what went wrong on this side. Bytes become text, where a byte that is not of
            UTF-8 is written like ``\\xff``, so that the text can always be printed.

    ``args[0]`` is the error of the server: 1 for an unknown method, 2 for wrong arguments, else its text.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(arg.decode("utf-8", "backslashreplace") if isinstance(arg, bytes) else arg for arg in args))


class TimeoutError(RPCError):
    """A call that was not answered in time; the server may have carried it out."""


class TransportError(RPCError):
    """A connection that could not be made or broke; if it broke, the server may have carried the call out."""


class Address:
    """Where a server listens.

    Args:
        host: name or IP address.
        port: TCP port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def unpack(self) -> tuple[str, int]:
        """Return host and port."""
        return self.host, self.port

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Future:
    """The reply to a call that was sent.

    Attributes:
        error: what failed, or None: an RPCError of this side, or the error that the server sent.
        method: name of the method.
        result: what the server sent, once ``get`` has returned it.
    """

    def __init__(self, client: "Client", method: str, deadline: float | None) -> None:
        self.error: Any = None
        self.method = method
        self.result: Any = None
        self._client = client
        self._deadline = deadline
        self._msgid = -1
        self._frame: Frame | None = None
        self._answered = False
        self._handler: Callable[[Any], object] | None = None

    @property
    def call(self) -> str:
        """Method, host and port, as the texts of errors have them."""
        return f"{self.method} at {self._client.address}"

    def attach_error_handler(self, handler: Callable[[Any], object]) -> None:
        """Have ``get`` call this with the error, to raise what it likes."""
        self._handler = handler

    def get(self, read: Callable[[Reader], Any] | None = None) -> Any:
        """Wait for the reply and return the result.

        Args:
            read: takes the result from a reader that stands on it, if this is to be done in another way than usual.

        Raises:
            TimeoutError: the time of the call is over.
            TransportError: the connection could not be made or broke.
            RPCError: the server sent an error.

            The text of the first two says cause, method, host and port.
        """
        if self._pending():
            self._client._wait(self, self._deadline)
        if self.error is not None:
            if self._handler is not None:
                self._handler(self.error)
            raise self.error if isinstance(self.error, RPCError) else RPCError(self.error)
        if self._frame is not None:
            self.result = self._client._decode(self._frame) if read is None else read(self._frame.result)
            self._frame = None
        return self.result

    def _pending(self) -> bool:
        return not self._answered and self.error is None

    def _fail(self, error: RPCError) -> None:
        """Keep what went wrong on this side; one failure may be that of many calls."""
        self.error = type(error)(f"{error} ({self.call})")
        self.error.__cause__ = error.__cause__

    def _answer(self, frame: Frame) -> None:
        self._frame = frame
        self.error = frame.error
        self._answered = True


class Client:
    """Calls methods of one server.

    Args:
        address: of the server; it is contacted by the first call.
        timeout: seconds that a call may take, from connecting to the last byte of the reply; 0 is no limit.
        reconnect_limit: how often a call tries to connect.
        unpack_encoding: decode raw strings of results as text in this encoding; they are bytes otherwise.
        max_reply: bytes that one reply may have; the connection is closed where one has more.
        tls: how the server's certificate is checked, and which one is shown to it; without it there is no TLS.
    """

    def __init__(
        self,
        address: Address,
        timeout: float = 10,
        *,
        reconnect_limit: int = 5,
        unpack_encoding: str | None = None,
        max_reply: int = 1 << 32,
        tls: "SSLContext | None" = None,
    ) -> None:
        self.tls = tls
        self.address = address
        self.timeout = timeout
        self.reconnect_limit = reconnect_limit
        self.unpack_encoding = unpack_encoding
        self.max_reply = max_reply
        self._socket: socket.socket | SealedSocket | None = None
        self._lock = threading.Lock()
        self._futures: dict[int, Future] = {}
        self._msgid = 0
        self._pid = 0

    def call(self, method: str, *args: Any) -> Any:
        """Call a method and return its result; raise as ``Future.get`` does."""
        return self.call_async(method, *args).get()

    def call_async(self, method: str, *args: Any) -> Future:
        """Send a call and return the future of its reply, which also keeps the error if it cannot be sent."""
        return self.call_packed(method, pack(args))

    def call_packed(self, method: str, args: bytes) -> Future:
        """Send a call whose arguments are a packed array, as ``call_async`` does."""
        deadline = time.monotonic() + self.timeout if self.timeout else None
        future = Future(self, method, deadline)
        try:
            self._acquire(deadline)
            try:
                self._send(future, method, args, deadline)
            finally:
                self._lock.release()
        except RPCError as error:
            future._fail(error)
        return future

    def close(self) -> None:
        """Close the connection; calls that wait for replies fail, and the next call connects again."""
        if self._socket is not None and self._pid == os.getpid():
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the server was faster
        with self._lock:
            self._drop(TransportError("connection closed"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        # Programs leave clients to the collector; that is no leak.
        if getattr(self, "_socket", None) is not None:
            self._socket.close()  # type: ignore[union-attr]

    @property
    def _loop(self) -> SimpleNamespace:
        """What programs reach through to close the event loop that other clients have."""
        return SimpleNamespace(_ioloop=self)

    def _acquire(self, deadline: float | None) -> None:
        left = _left(deadline)
        if not self._lock.acquire(timeout=-1 if left is None else left):
            raise TimeoutError("Request timed out")

    def _send(self, future: Future, method: str, args: bytes, deadline: float | None) -> None:
        msgid = self._msgid
        request = b"".join((b"\x94\x00", pack(msgid), pack(method), args))
        self._msgid = (msgid + 1) % (1 << 30)
        connection = self._connection(deadline)
        self._futures[msgid] = future
        future._msgid = msgid
        try:
            self._send_all(connection, request, deadline)
        except BaseException as error:
            # Part of the request may have left: nothing else can be sent on this connection.
            self._drop(TransportError(f"connection lost: {error!r}"))
            if isinstance(error, OSError):
                raise TransportError(f"connection lost: {error}") from error
            raise

    def _send_all(self, connection: "socket.socket | SealedSocket", request: bytes, deadline: float | None) -> None:
        rest = memoryview(request)
        while rest:
            try:
                rest = rest[connection.send(rest) :]
            except BlockingIOError:
                # The server may be waiting too, until its replies are read.
                for _, event in _poll(self._any_event, deadline):
                    if event != select.POLLOUT:
                        self._receive(deadline)

    def _connection(self, deadline: float | None) -> "socket.socket | SealedSocket":
        """Return a connection that the server has not closed; drop replies that came late."""
        if self._socket is not None and self._pid != os.getpid():
            # The parent process still uses this connection: leave it and send nothing on it.
            self._drop(TransportError("connection of the parent process"))
        while self._socket is not None and self._readable.poll(0):
            try:
                self._receive(deadline)
            except TransportError:
                break
        return self._connect(deadline) if self._socket is None else self._socket

    def _connect(self, deadline: float | None) -> "socket.socket | SealedSocket":
        connected = self._reach(deadline)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = connected if self.tls is None else self._seal(connected, self.tls)
        self._socket = connection
        self._pid = os.getpid()
        self._splitter = FrameSplitter(self.max_reply, responses=True)
        connection.setblocking(False)
        self._readable = select.poll()
        self._readable.register(connection, select.POLLIN)
        self._any_event = select.poll()
        self._any_event.register(connection, select.POLLIN | select.POLLOUT)
        return connection

    def _seal(self, connected: socket.socket, tls: "SSLContext") -> "SealedSocket":
        from jubatus.rpc.tls import SealedSocket, reason

        try:
            return SealedSocket(connected, tls, self.address.host)
        except builtins.TimeoutError:
            connected.close()
            raise TimeoutError("Request timed out") from None
        except OSError as error:
            connected.close()
            raise TransportError(f"no TLS with the server: {reason(error)}") from error

    def _reach(self, deadline: float | None) -> socket.socket:
        cause: Exception | None = None
        for _ in range(self.reconnect_limit):
            try:
                for *_, where in socket.getaddrinfo(*self.address.unpack(), type=socket.SOCK_STREAM):
                    try:
                        return socket.create_connection((str(where[0]), int(where[1])), _left(deadline))
                    except OSError as error:
                        cause = error
            except (socket.gaierror, OverflowError, UnicodeError) as error:
                cause = error  # the last two: a port or a host that is no valid one
        reason = getattr(cause, "strerror", None) or cause
        raise TransportError(f"Retry connection over the limit: {reason}") from cause

    def _wait(self, future: Future, deadline: float | None) -> None:
        try:
            self._acquire(deadline)
            try:
                while future._pending():
                    self._receive(deadline)
            finally:
                self._lock.release()
        except RPCError as error:
            if future._pending():
                self._futures.pop(future._msgid, None)
                future._fail(error)

    def _receive(self, deadline: float | None) -> None:
        """Read once. Give the replies that are complete to their futures, and drop those that nobody waits for."""
        connection = self._socket
        if connection is None:
            raise TransportError("connection closed")
        _poll(self._readable, deadline)
        try:
            data = connection.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(f"connection lost: {error}")
        if not data:
            self._fail("connection closed by the server")
        for frame in self._splitter.feed(data):
            future = self._futures.pop(frame.msgid, None)
            if future is not None:
                future._answer(frame)
        if self._splitter.failure is not None:
            self._fail(f"reply that is not MessagePack-RPC: {self._splitter.failure}")

    def _fail(self, message: str) -> NoReturn:
        error = TransportError(message)
        self._drop(error)
        raise error

    def _drop(self, error: RPCError) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        for future in self._futures.values():
            future._fail(error)
        self._futures.clear()

    def _decode(self, frame: Frame) -> Any:
        if self.unpack_encoding is None:
            return frame.result.unpack()
        return msgpack.unpackb(frame.result.raw(), raw=False, strict_map_key=False)


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("Request timed out")
    return left


def _poll(poll: "select.poll", deadline: float | None) -> list[tuple[int, int]]:
    """Wait and return (descriptor, event) pairs."""
    left = _left(deadline)
    events = poll.poll(None if left is None else min(left * 1000, _LONGEST))
    if not events:
        raise TimeoutError("Request timed out")
    return events
