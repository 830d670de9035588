"""MessagePack-RPC on an event loop: sockets, timeouts and limits around the conversations of the core.

Replies to the requests of one received chunk are written at once. While a peer does not read its replies, its further
requests are neither read nor carried out. A connection that sends much, in one message or in many, lets the others have
their turn after every piece. A connection that breaks a rule is closed; the others are not touched.
"""

import asyncio
import logging
import socket
from ipaddress import ip_address
from time import monotonic
from typing import Any, Protocol

from jubatus._core.wire import Conversation, Frame, Shortcuts

log = logging.getLogger("jubatus")

BACKLOG = 4096
MAX_SIZE = 512 << 20
MAX_HELD = 2 << 30


class Serve(Protocol):
    """Answers messages."""

    def __call__(self, frame: Frame, conversation: Conversation, /) -> bytes | None:
        """Return the reply, or None to call the conversation's ``complete`` with it later.

        The reply to a notification is no bytes.
        """
        ...


class Server:
    """Accepts connections and answers their requests.

    Args:
        serve: answers each message.
        timeout: seconds without a request after which a connection is closed; 0 for never.
        max_size: bytes that one message may have.
        max_held: bytes of incomplete messages that all connections together may hold.
        limit: how many requests of a connection may be deferred at a time.
        shortcuts: methods that are answered without ``serve``.

    Attributes:
        held: bytes of incomplete messages that all connections now hold.
    """

    def __init__(
        self,
        serve: Serve,
        *,
        timeout: float = 0,
        max_size: int = MAX_SIZE,
        max_held: int = MAX_HELD,
        limit: int = 1,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.serve = serve
        self.timeout = timeout
        self.max_size = max_size
        self.max_held = max_held
        self.limit = limit
        self.shortcuts = shortcuts
        self.held = 0
        self._connections: set[Connection] = set()
        self._listener: asyncio.Server | None = None
        self._empty = asyncio.Event()

    async def start(self, listener: socket.socket) -> None:
        """Accept connections on a bound socket."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Connection(self), sock=listener, backlog=BACKLOG)

    async def stop(self, grace: float) -> bool:
        """Accept nothing more, answer what was received, and close all connections.

        Args:
            grace: seconds until connections that are not done are cut.

        Returns:
            whether all of them were done in time.
        """
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._connections):
            connection.finish()
        done = True
        if self._connections:
            try:
                await asyncio.wait_for(self._empty.wait(), grace)
            except TimeoutError:
                done = False
                for connection in tuple(self._connections):
                    connection.cut()
        return done

    def opened(self, connection: "Connection") -> None:
        """Note a new connection."""
        self._connections.add(connection)
        self._empty.clear()

    def closed(self, connection: "Connection") -> None:
        """Forget a connection that is lost and has carried out what was received."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()


class Connection(Conversation, asyncio.Protocol):
    """One accepted connection."""

    __slots__ = (
        "_blocked", "_finishing", "_held", "_open", "_output", "_paused", "_server", "_timer", "_transport",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        super().__init__(server.serve, self._ready, server.max_size, server.limit, server.shortcuts)
        self._server = server
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._held = 0
        self._output: list[bytes] = []  # replies that are written at the end of the loop's turn
        self._open = False  # what is written is sent
        self._blocked = False  # the peer does not read
        self._paused = False  # we do not read
        self._finishing = False

    @property
    def caller(self) -> str:
        """Address of the other end; nothing if it is on this machine, or gone."""
        transport = self._transport
        there = transport.get_extra_info("peername") if transport is not None else None
        if not there:
            return ""
        here = transport.get_extra_info("sockname")
        address = ip_address(there[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return "" if address.is_loopback or there[0] == here[0] else str(address)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the idle timer."""
        self._transport = transport
        self.send = self._transport.write
        self._open = self.steady = True
        self._server.opened(self)
        self.last = monotonic()
        if self._server.timeout:
            self._arm(self._server.timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Carry out what was received; nobody reads the replies."""
        self._open = self.steady = False
        self._transport = self.send = None
        if self._timer is not None:
            self._timer.cancel()
        self._hold(0)
        self._blocked = False
        self._write(b"")

    def eof_received(self) -> bool:
        """Answer what was received: the peer sends nothing more, but may read."""
        self.finish()
        return self._open

    def pause_writing(self) -> None:
        """Stop while the peer does not read its replies."""
        self._blocked = True
        self.steady = False

    def resume_writing(self) -> None:
        """Go on."""
        self._blocked = False
        self._write(b"")

    def finish(self) -> None:
        """Close the connection as soon as what was received is answered."""
        self._finishing = True
        self.steady = False
        self._write(b"")

    def cut(self) -> None:
        """Close the connection now."""
        self._open = self.steady = False
        if self._transport is not None:
            self._transport.abort()

    def _ready(self, data: bytes) -> None:
        if self.waiting or self._output:
            # More requests may be answered in this turn of the loop. All these replies are written together.
            if not self._output:
                asyncio.get_running_loop().call_soon(self._write, b"")
            self._output.append(data)
            self.steady = False
        else:
            self.last = monotonic()
            self._write(data)

    def settle(self, replies: bytes, full: bool) -> None:
        """Write replies; see the conversation. Note how many bytes of an incomplete message are held."""
        self._write(replies, full)
        pending = self.pending
        if pending or self._held:
            self._hold(pending)

    def _write(self, data: bytes, full: bool = False) -> None:
        """Write replies. Then go on after the other connections had their turn, or wait for the peer, or close.

        Args:
            data: the replies.
            full: whether more can be read at once.
        """
        transport = self._transport
        if self._output:
            data = b"".join((*self._output, data))
            self._output.clear()
        if data:
            self.last = monotonic()
            if self._open:
                transport.write(data)
        more = self.more
        if (more or full) and not self._blocked:
            asyncio.get_running_loop().call_soon(self._go_on)
        if not self._open:
            if transport is None and not (more or self.waiting):
                self._server.closed(self)
            return
        pause = more or full or self.full or self._blocked or self._finishing
        if pause is not self._paused:
            self._paused = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()
        if self.failure is not None:
            self._refuse(self.failure)
        elif self._finishing and not self.waiting and not more:
            self._close()
        else:
            self.steady = not (pause or self._held)

    def _go_on(self) -> None:
        if not self._blocked:
            self._write(self.resume())

    def _hold(self, pending: int) -> None:
        server = self._server
        server.held += pending - self._held
        self._held = pending
        if pending:
            self.steady = False
        if server.held > server.max_held and self._open:
            self._refuse(f"{server.held} bytes of unfinished messages are held, {server.max_held} are allowed")

    def _refuse(self, reason: str) -> None:
        log.warning("connection of %s closed: %s", _name(self._transport), reason)
        if self._blocked:
            self.cut()
        else:
            self._close()

    def _close(self) -> None:
        """Close the connection when the peer has read what is written."""
        self._open = self.steady = False
        self._transport.close()

    def _arm(self, delay: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self, last: float = -1.0) -> None:
        """Close an idle connection, or wait for the rest of its time.

        Args:
            last: time of the last use, if the connection was found idle a moment ago already. It is checked twice
                because input may have arrived that the loop has not read yet.
        """
        timeout = self._server.timeout
        left = timeout if self.waiting else self.last + timeout - monotonic()
        if left > 0:
            self._arm(left)
        elif last != self.last:
            self._timer = asyncio.get_running_loop().call_later(0, self._expire, self.last)
        else:
            self.cut()


def _name(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else "a peer that is gone"
