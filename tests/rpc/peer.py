"""A server for the tests of clients: a function plays its part on each connection."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import msgpack


class Connection:
    """What a part has in hand: the socket, and requests as lists."""

    def __init__(self, sock: socket.socket, requests: list[Any]) -> None:
        self.sock = sock
        self.requests = requests
        self._unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogateescape")

    def request(self) -> list[Any]:
        """Return the next request; raise EOFError when the client closed."""
        while True:
            for request in self._unpacker:
                self.requests.append(request)
                return list(request)
            data = self.sock.recv(1 << 16)
            if not data:
                raise EOFError
            self._unpacker.feed(data)

    def send(self, *message: Any) -> None:
        """Send a message."""
        self.sock.sendall(msgpack.packb(message, use_bin_type=False, unicode_errors="surrogateescape"))


class Peer:
    """Listens on a loopback port.

    Attributes:
        requests: all that came, over all connections.
        connections: how many were accepted.
    """

    def __init__(self, part: Callable[[Connection], None], port: int = 0) -> None:
        self._part = part
        self.requests: list[Any] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._threads.append(threading.Thread(target=self._accept))
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        for sock in (self._listener, *self._open):
            with quiet():
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        with quiet():
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                self._threads.append(threading.Thread(target=self._serve, args=[sock]))
                self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with quiet():
            self._part(Connection(sock, self.requests))
        sock.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Let a connection end in any way."""
    try:
        yield
    except (OSError, EOFError):
        pass


def echo(connection: Connection) -> None:
    """Answer every request with its params."""
    while True:
        _, msgid, _, params = connection.request()
        connection.send(1, msgid, None, params)


def replies(*answers: Any) -> Callable[[Connection], None]:
    """Return a part that gives (error, result) to one request after the other, then keeps silent."""

    def part(connection: Connection) -> None:
        for error, result in answers:
            connection.send(1, connection.request()[1], error, result)
        while True:
            connection.request()

    return part
