"""MessagePack-RPC on an event loop: sockets, timeouts and limits around the conversations of the core.

Replies to the requests of one received chunk are written at once. While a peer does not read its replies, its further
requests are neither read nor carried out. A connection that sends much, in one message or in many, lets the others have
their turn after every piece. A connection that breaks a rule is closed; the others are not touched.
"""

import asyncio
import fcntl
import logging
import socket
import sys
import termios
from ipaddress import ip_address
from time import monotonic
from typing import Any, Protocol, cast

from jubatus._core.wire import Conversation, Frame, Shortcuts
from jubatus.rpc.gate import Gate

log = logging.getLogger("jubatus")

BACKLOG = 4096
MAX_SIZE = 512 << 20

REPLIES = 64 << 20
"""Bytes that the replies to all deferred requests of a connection shall not exceed, if each is like the last one."""

FIRST = 16
"""Requests that a new connection may have deferred at a time; with every short reply it is one more."""

WINDOW = 64 << 10
"""Bytes of replies to a connection that wait to be sent, from which on its peer counts as one that does not read."""

HANDSHAKE = 10.0
"""Seconds that the beginning of TLS may take."""

AT_ONCE = 64
"""Connections that are accepted in one turn of the loop."""

LINGER = 0.5
"""Seconds that a peer gets at the end to see that nothing more comes: what it sends meanwhile is read, not reset."""

LATE = 0.5
"""Seconds that a timer may be late before the process counts as having stood still."""


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
        gate: decides who may connect, and how many bytes of incomplete messages, and as many of unread replies, all
            connections together may hold. One reply may be longer.
        limit: how many requests of a connection may be deferred at a time. They are fewer while replies are long.
        shortcuts: methods that are answered without ``serve``.

    Attributes:
        held: bytes of incomplete messages that all connections now hold.
        unsent: bytes of replies that are held for peers that do not read, as far as they were noted.
    """

    def __init__(
        self,
        serve: Serve,
        *,
        timeout: float = 0,
        max_size: int = MAX_SIZE,
        gate: Gate | None = None,
        limit: int = 1,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.serve = serve
        self.timeout = timeout
        self.max_size = max_size
        self.gate = gate or Gate()
        self.max_held = self.max_unsent = self.gate.max_buffers
        self.limit = limit
        self.shortcuts = shortcuts
        self.held = 0
        self.unsent = 0
        self._deaf: dict[Connection, int] = {}  # bytes of replies that wait for the peers that do not read
        self._connections: set[Connection] = set()
        self._listener: asyncio.Server | Doorkeeper | None = None
        self._empty = asyncio.Event()

    async def start(self, listener: socket.socket) -> None:
        """Accept connections on a bound socket."""
        loop = asyncio.get_running_loop()
        if self.gate.inward is None:
            self._listener = await loop.create_server(lambda: Connection(self), sock=listener, backlog=BACKLOG)
        else:
            self._listener = Doorkeeper(self, listener)

    @property
    def answered(self) -> bool:
        """Whether all that was received is answered; connections may still wait for the end of their peers."""
        return not any(connection.is_open for connection in self._connections)

    async def stop(self, grace: float) -> bool:
        """Accept nothing more, answer what was received, and close all connections.

        What was received is what the system has of each connection now.

        Args:
            grace: seconds until connections that are not done are cut.

        Returns:
            whether all of them were done in time.
        """
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._connections):
            connection.finish_with_input()
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

    def note_unsent(self, connection: "Connection", size: int) -> None:
        """Note how many bytes of replies wait for a peer that does not read; close connections if all have too many."""
        self.unsent += size - self._deaf.pop(connection, 0)
        if not size:
            return
        self._deaf[connection] = size
        if self.unsent > self.max_unsent:
            self._relieve()

    def _relieve(self) -> None:
        """Close the connections with the most unsent bytes, until the others are within the limit.

        One that holds nothing but the longest reply of all is left out of it: a model may be longer than the limit.
        """
        for connection in self._deaf:
            self._deaf[connection] = connection.unsent
        self.unsent = sum(self._deaf.values())
        order = sorted(self._deaf, key=self._deaf.__getitem__)
        spared = self._deaf[order.pop()] if order[-1].single else 0
        while self.unsent - spared > self.max_unsent:
            worst = order.pop()
            size = self._deaf[worst]
            worst.refuse(f"{size} bytes of replies are not read; all have {self.unsent}, {self.max_unsent} are allowed")
            self.note_unsent(worst, 0)


class Connection(Conversation, asyncio.Protocol):
    """One accepted connection.

    Attributes:
        single: whether nothing but one long reply waits to be sent.

    Args:
        server: it belongs to.
        admitted: whether the gate has let it in already.
    """

    __slots__ = (
        "_admitted", "_blocked", "_due", "_finishing", "_held", "_limit", "_open", "_output", "_paused", "_rest",
        "_server", "_timer", "_transport", "single",
    )  # fmt: skip

    def __init__(self, server: Server, admitted: bool = False) -> None:
        self._admitted = admitted
        self._limit = min(server.limit, FIRST)
        super().__init__(server.serve, self._ready, server.max_size, self._limit, server.shortcuts)
        self._server = server
        self.single = False
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # when the timer rings
        self._held = 0
        self._output: list[bytes] = []  # replies that are written at the end of the loop's turn
        self._open = False  # what is written is sent
        self._blocked = False  # the peer does not read
        self._paused = False  # we do not read
        self._finishing = False
        self._rest: _Rest | None = None  # takes the input once the server ends

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
        """Start the idle timer, if the peer may connect."""
        self._admitted = self._admitted or self._server.gate.admit(transport.get_extra_info("peername"))
        if not self._admitted:
            cast(asyncio.Transport, transport).abort()
            return
        self._transport = transport
        self._transport.set_write_buffer_limits(WINDOW)
        self.send = self._transport.write
        self._open = self.steady = True
        self._server.opened(self)
        self.last = monotonic()
        if self._server.timeout:
            self._arm(self._server.timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Carry out what was received; nobody reads the replies."""
        if self._transport is None:
            return  # it was turned away
        self.leave()
        self._open = self.steady = False
        self._transport = self.send = None
        if self._timer is not None:
            self._timer.cancel()
        self._hold(0)
        if self._blocked:
            self._blocked = False
            self._server.note_unsent(self, 0)
        self._write(b"")

    def leave(self) -> None:
        """Give back the place that the gate gave."""
        if self._admitted:
            self._admitted = False
            self._server.gate.leave()

    def eof_received(self) -> bool:
        """Answer what was received: the peer sends nothing more, but may read."""
        self.finish()
        return self._open

    def pause_writing(self) -> None:
        """Stop while the peer does not read its replies."""
        self._blocked = True
        self.steady = False
        self._server.note_unsent(self, self.unsent)

    def resume_writing(self) -> None:
        """Go on."""
        self._blocked = False
        self._server.note_unsent(self, 0)
        self._write(b"")

    @property
    def is_open(self) -> bool:
        """Whether replies are sent."""
        return self._open

    @property
    def unsent(self) -> int:
        """Bytes of replies that wait to be sent."""
        return 0 if self._transport is None else int(self._transport.get_write_buffer_size())

    def finish(self) -> None:
        """Close the connection as soon as what was received is answered."""
        self._finishing = True
        self.steady = False
        self._write(b"")

    def finish_with_input(self) -> None:
        """Close the connection as soon as what it has sent is answered, also what waits to be read.

        A socket that is closed while there is input resets the connection, and the peer loses replies. So a connection
        that was just in use is only closed for writing, and read until the peer closes it.
        """
        if not self._open:
            return
        waiting = _unread(self._transport)
        if waiting or self.waiting or self.more or monotonic() - self.last < LINGER:
            self._rest = _Rest(self, waiting)
            self._transport.set_protocol(self._rest)
        self.finish()

    def cut(self) -> None:
        """Close the connection now."""
        self._open = self.steady = False
        if self._transport is not None:
            self._transport.abort()

    def _ready(self, data: bytes) -> None:
        limit, size = self._limit, len(data)
        if size * limit > REPLIES or limit < self._server.limit:
            self._adapt(size)
        if self.waiting or self._output:
            # More requests may be answered in this turn of the loop. All these replies are written together.
            if not self._output:
                asyncio.get_running_loop().call_soon(self._write, b"")
            self._output.append(data)
            self.steady = False
        else:
            self.last = monotonic()
            self._write(data)

    def _adapt(self, size: int) -> None:
        """Let fewer requests be deferred after a long reply, and one more after a short one.

        Their replies have to be held if the peer does not read them.
        """
        most = max(1, REPLIES // max(size, 1))
        self._limit = min(self._limit + 1, most, self._server.limit)
        self.set_limit(self._limit)

    def settle(self, replies: bytes, full: bool) -> None:
        """Write replies; see the conversation. Note how many bytes of an incomplete message are held."""
        self._write(replies, full)
        pending = self.pending
        if pending or self._held:
            self._hold(pending)

    def released(self, replies: bytes) -> None:
        """Write replies that waited for the journal; see the conversation."""
        if self._open:
            self.last = monotonic()
            self._send(replies, False)
        self._write(b"")

    def _send(self, data: bytes, single: bool) -> None:
        """Give replies to the system; note what waits if the peer does not read. `single` says that it is one reply."""
        self.single = single and not self._transport.get_write_buffer_size()
        self._transport.write(data)
        if self._blocked:
            self._server.note_unsent(self, self.unsent)

    def _write(self, data: bytes, full: bool = False) -> None:
        """Write replies. Then go on after the other connections had their turn, or wait for the peer, or close.

        Args:
            data: the replies.
            full: whether more can be read at once.
        """
        transport = self._transport
        single = not self._output or (len(self._output) == 1 and not data)
        if self._output:
            data = b"".join((*self._output, data))
            self._output.clear()
        if data:
            self.last = monotonic()
            if self._open and not self.withhold(data):
                self._send(data, single)
        more = self.more
        if (more or full) and not self._blocked:
            asyncio.get_running_loop().call_soon(self._go_on)
        if not self._open:
            if transport is None and not (more or self.waiting):
                self._server.closed(self)
            return
        last = self._finishing and not (self._rest is not None and self._rest.left > 0 and _unread(transport))
        pause = more or full or self.full or self._blocked or last
        if pause is not self._paused:
            self._paused = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()
        if self.failure is not None and not self.withheld:
            self.refuse(self.failure)
        elif last and not (self.waiting or more or self.withheld):
            self._close()
        else:
            self.steady = not (pause or self._held or self._finishing)

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
            self.refuse(f"{server.held} bytes of unfinished messages are held, {server.max_held} are allowed")

    def refuse(self, reason: str) -> None:
        """Close the connection, and say why in the log."""
        log.warning("connection of %s closed: %s", _name(self._transport), reason)
        if self._blocked:
            self.cut()
        else:
            self._close()

    def _close(self) -> None:
        """Close the connection when the peer has read what is written."""
        self._open = self.steady = False
        if self._rest is None or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._rest.left = 0
        self._transport.write_eof()
        self._transport.resume_reading()
        self._linger()

    def _linger(self) -> None:
        """Wait for the peer's end for a while, once it has read what is written."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(LINGER, self._leave)

    def _leave(self) -> None:
        if self._transport.get_write_buffer_size():
            self._linger()
        else:
            self._transport.abort()

    def _arm(self, delay: float) -> None:
        self._due = monotonic() + delay
        self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        """Close an idle connection, or wait for the rest of its time.

        Timers ring before sockets are looked at, so input that waits is read first. After the process stood still, the
        time begins anew: it is not known for how long a peer could not be heard.
        """
        now = monotonic()
        if now - self._due > LATE:
            self.last = now
        timeout = self._server.timeout
        left = timeout if self.waiting or self.withheld else self.last + timeout - now
        if left > 0:
            self._arm(left)
        elif not self._blocked and _unread(self._transport):
            self._arm(0.001)
        else:
            self.cut()


class Doorkeeper:
    """Accepts connections with TLS. Who may not connect is turned away before the handshake.

    Args:
        server: gets the connections.
        listener: where they come in.
    """

    def __init__(self, server: Server, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._greeting: set[asyncio.Task[None]] = set()
        listener.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accept nothing more."""
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for task in self._greeting:
            task.cancel()

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        """Accept some connections; the others have their turn too."""
        for _ in range(AT_ONCE):
            try:
                accepted, peer = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._server.gate.complain(None, str(error.strerror))
                self._loop.remove_reader(self._listener)
                self._loop.call_later(1, self._listen)
                return
            if not self._server.gate.admit(peer):
                accepted.close()
                continue
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._greet(accepted, peer))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, accepted: socket.socket, peer: Any) -> None:
        connection = Connection(self._server, admitted=True)
        gate = self._server.gate
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=gate.inward,
                ssl_handshake_timeout=HANDSHAKE,
                ssl_shutdown_timeout=LINGER,
            )
        except OSError as error:
            from jubatus.rpc.tls import reason

            accepted.close()
            connection.leave()
            gate.complain(peer, reason(error))


class _Rest(asyncio.Protocol):
    """Takes the input of a connection at the end of its server.

    Args:
        connection: gets what was there already.
        left: how many bytes that is; nobody looks at what comes later.
    """

    def __init__(self, connection: Connection, left: int) -> None:
        self.left = left
        self._connection = connection
        self.connection_lost = connection.connection_lost  # type: ignore[method-assign]
        self.eof_received = connection.eof_received  # type: ignore[method-assign]
        self.pause_writing = connection.pause_writing  # type: ignore[method-assign]
        self.resume_writing = connection.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        """Hand over what was there already."""
        if self.left > 0:
            self.left -= len(data)
            self._connection.data_received(data)


def _unread(transport: asyncio.BaseTransport) -> int:
    """Return how many bytes of a connection the system has that were not read yet."""
    connected = transport.get_extra_info("socket")
    try:
        waiting = fcntl.ioctl(connected.fileno(), termios.FIONREAD, bytes(4)) if connected is not None else b""
    except OSError:
        return 0  # the system does not tell
    return int.from_bytes(waiting, sys.byteorder)


def _name(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else "a peer that is gone"
