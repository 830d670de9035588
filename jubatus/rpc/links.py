"""The calling side of MessagePack-RPC on an event loop: pipelined connections, shared by all calls to an address.

A call is written onto a connection that exists already, with a message id of its own, and its reply is given to a
callback. All calls of one turn of the event loop leave in one write. A server answers the requests of a connection
one after the other. So a connection whose oldest call has waited for long is passed over, and further ones are made, up
to a limit.

A call fails when its time is over, and at once when its connection breaks. A server closes idle connections, so a call
may be written onto a connection that is closed already. If the peer's kernel had not confirmed the call's bytes when it
closed, the server cannot have read them: the call is written once more, on another connection. Whether to repeat any
other call is up to the caller.
"""

import asyncio
import errno
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from jubatus._core.wire import Frame, FrameSplitter, Reader, pack
from jubatus.rpc.client import RPCError, TimeoutError, TransportError

if TYPE_CHECKING:
    from ssl import SSLContext

SLOW = 0.002
"""Seconds without a reply after which new calls take another connection."""

CONNECT = 3.0
"""Seconds that connecting may take: enough for the kernel's second attempt after 1 s, not for its third after 3 s."""

LARGE = 64 << 10
"""Arguments longer than this are not copied to be written together with the head of their request."""

_HEAD = struct.Struct(">HBI")
_IDS = (1 << 32) - 1

HostPort = tuple[str, int]


class Cause(Enum):
    """Why there is no reply."""

    REFUSED = "connection refused"
    """Nobody listens there; the call has not left."""
    UNREACHED = "cannot connect"
    """No connection in any other way; the peer has not read the call."""
    BROKEN = "connection broken"
    """The peer may have carried the call out."""
    TIMEOUT = "request timed out"
    """The peer may have carried the call out."""
    FULL = "too many connections"
    """All connections that are allowed are in use; the call has not left."""


class Failure(NamedTuple):
    """What a call gets instead of a reply.

    Attributes:
        error: the text, which is never empty.
        cause: its kind.
    """

    error: str
    cause: Cause


Outcome = Frame | Failure
"""How a call ended: a reply, whose ``error`` is None or the server's, or a failure."""

Callback = Callable[[Outcome], None]

PendingCall = tuple[Callback, float, int, bytes, bytes, bool]
"""A call without a reply: callback, deadline, where its request ends, method, arguments, whether it is sent again.

The end of the request is counted in bytes from the start of the connection's output. This is a plain tuple because
one is made for every call.
"""


class Links:
    """Calls methods of any number of servers; to be used on the thread of one event loop.

    Args:
        expire: seconds after which a connection without calls is closed.
        size: how many connections there may be; 0 is no limit.
        width: how many connections one address may have.
        max_reply: bytes that one reply may have; a connection is closed where one has more.
        tls: how the certificates of servers are checked, and which one is shown to them; None is no TLS.
    """

    def __init__(
        self,
        *,
        expire: float = 60,
        size: int = 0,
        width: int = 4,
        max_reply: int = 1 << 32,
        tls: "SSLContext | None" = None,
    ) -> None:
        self.width = width
        self.size = size
        self.max_reply = max_reply
        self.tls = tls
        self.connecting = 0
        self.closing = False
        self._expire = max(expire, 1)
        self._peers: dict[HostPort, _Peer] = {}
        self._links: set[_Link] = set()
        self._methods: dict[bytes, bytes] = {}
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        self._next = float("inf")
        self._sweeper: asyncio.TimerHandle | None = None

    def send(self, address: HostPort, method: bytes, params: bytes, timeout: float, done: Callback) -> None:
        """Send a call.

        Args:
            address: of the server.
            method: name.
            params: packed array of the arguments, sent as it is.
            timeout: seconds until the call fails.
            done: is called with the outcome, once, and never by this method itself.
        """
        now = self._loop.time()
        deadline = now + timeout
        if deadline < self._next:
            self._arm(deadline)
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = _Peer(self, address)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(1, self._sweep)
        peer.send(now, done, deadline, method, params, False)

    async def call(self, address: HostPort, method: bytes, params: bytes, timeout: float) -> Reader:
        """Send a call and return a reader that stands on the result.

        Raises:
            TimeoutError: the time is over.
            TransportError: the connection could not be made or broke.
            RPCError: the server sent an error, which is ``args[0]``.
        """
        future: asyncio.Future[Outcome] = self._loop.create_future()

        def done(outcome: Outcome) -> None:
            if not future.done():
                future.set_result(outcome)

        self.send(address, method, params, timeout, done)
        outcome = await future
        if isinstance(outcome, Failure):
            raise (TimeoutError if outcome.cause is Cause.TIMEOUT else TransportError)(outcome.error)
        if outcome.error is not None:
            raise RPCError(outcome.error)
        return outcome.result

    async def reach(self, address: HostPort, method: bytes, params: bytes) -> bool:
        """Return whether a server answers a call; the connection that is made for this is closed again.

        A process that stands still takes connections all the same: its kernel does that.
        """
        probe = _Probe()
        transport: Any = None
        try:
            async with asyncio.timeout(CONNECT):
                transport, _ = await self._loop.create_connection(lambda: probe, *address, ssl=self.tls)
                transport.write(_HEAD.pack(0x9400, 0xCE, 0) + self.pack_name(method) + params)
                return await probe.answered
        except (OSError, OverflowError, ValueError):
            return False
        finally:
            if transport is not None:
                transport.abort()

    def close(self) -> None:
        """Close all connections; their calls fail."""
        self.closing = True
        for peer in tuple(self._peers.values()):
            peer.close()
        for link in tuple(self._links):
            link.drop("connection closed")
        for timer in (self._alarm, self._sweeper):
            if timer is not None:
                timer.cancel()
        self._alarm = self._sweeper = None

    def pack_name(self, method: bytes) -> bytes:
        """Return the name of a method as it stands in a request."""
        packed = self._methods.get(method)
        if packed is None:
            packed = self._methods[method] = pack(method)
        return packed

    def make_room(self) -> bool:
        """Return whether one more connection may be made. If there are too many, close one that has no calls."""
        if not self.size or len(self._links) + self.connecting < self.size:
            return True
        for link in self._links:
            if not link.calls:
                link.drop("")
                return True
        return False

    def opened(self, link: "_Link") -> None:
        """Note a new connection."""
        self._links.add(link)

    def closed(self, link: "_Link") -> None:
        """Forget a connection."""
        self._links.discard(link)

    def _arm(self, deadline: float) -> None:
        """Wake up at the earliest deadline. One timer for all calls: the next deadline is looked for when it rings."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._next = deadline
        self._alarm = self._loop.call_at(deadline, self._fail_late)

    def _fail_late(self) -> None:
        """Fail the calls whose time is over."""
        self._alarm = None
        self._next = float("inf")
        # The loop's clock has coarse ticks. A call that is due within one fails now, which saves another wake-up.
        now = self._loop.time() + 0.001
        late: list[Callback] = []
        following = [peer.expire(now, late) for peer in self._peers.values()]
        following += [link.expire(now, late) for link in tuple(self._links)]
        if (deadline := min(following, default=float("inf"))) != float("inf"):
            self._arm(deadline)
        failure = Failure("request timed out", Cause.TIMEOUT)
        for done in late:
            done(failure)

    def _sweep(self) -> None:
        """Close the connections that have been idle for long, and forget addresses without connections."""
        self._sweeper = None
        limit = self._loop.time() - self._expire
        for link in tuple(self._links):
            if not link.calls and link.since < limit:
                link.drop("")
        used = {link.peer for link in self._links}
        self._peers = {
            address: peer for address, peer in self._peers.items() if peer in used or peer.connecting is not None
        }
        if self._peers:
            self._sweeper = self._loop.call_later(1, self._sweep)


class _Peer:
    """The connections to one address, and the calls that wait for the next.

    Attributes:
        links: the connections that take calls, the preferred ones first.
        connecting: makes the next one.
    """

    def __init__(self, links: Links, address: HostPort) -> None:
        self.address = address
        self.links: list[_Link] = []
        self._all = links
        self._loop = asyncio.get_running_loop()
        self._waiting: list[PendingCall] = []
        self.connecting: asyncio.Task[None] | None = None

    def send(self, now: float, done: Callback, deadline: float, method: bytes, params: bytes, again: bool) -> None:
        """Write a call onto a connection, or let it wait for a new one."""
        links = self.links
        for link in links:
            if not link.calls or now - link.since < SLOW:
                link.send(now, done, deadline, method, params, again)
                return
        if self.connecting is None:
            if len(links) < self._all.width and self._all.make_room():
                self._all.connecting += 1
                self.connecting = self._loop.create_task(self._connect())
            elif links:
                link = min(links, key=lambda link: len(link.calls))
                link.send(now, done, deadline, method, params, again)
                return
            else:
                self._loop.call_soon(done, Failure("too many connections", Cause.FULL))
                return
        self._waiting.append((done, deadline, 0, method, params, again))

    def expire(self, now: float, late: list[Callback]) -> float:
        """Remove the waiting calls whose time is over; arguments and result are those of ``_Link.expire``."""
        late += [call[0] for call in self._waiting if call[1] <= now]
        self._waiting = [call for call in self._waiting if call[1] > now]
        return min((call[1] for call in self._waiting), default=float("inf"))

    def close(self) -> None:
        """Give up connecting."""
        if self.connecting is not None:
            self.connecting.cancel()
        self._fail(Failure("connection closed", Cause.UNREACHED))

    def remove(self, link: "_Link") -> None:
        """Give a connection no more calls."""
        if link in self.links:
            self.links.remove(link)

    async def _connect(self) -> None:
        link = _Link(self._all, self)
        failure = None
        try:
            async with asyncio.timeout(CONNECT):
                await self._loop.create_connection(lambda: link, *self.address, ssl=self._all.tls)
        except ConnectionRefusedError as error:
            failure = Failure(_reason(error), Cause.REFUSED)
        except (OSError, OverflowError, ValueError) as error:
            failure = Failure(_reason(error), Cause.UNREACHED)
        finally:
            self.connecting = None
            self._all.connecting -= 1
        if failure is not None:
            self._fail(failure)
            return
        lost = link not in self.links  # the peer has closed it already
        waiting, self._waiting = self._waiting, []
        now = self._loop.time()
        for done, deadline, _, method, params, again in waiting:
            if lost and again:
                done(Failure("connection closed", Cause.UNREACHED))
            else:
                self.send(now, done, deadline, method, params, again or lost)

    def _fail(self, failure: Failure) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call[0](failure)


class _Link(asyncio.Protocol):
    """One connection.

    Attributes:
        peer: where it leads.
        calls: those without a reply, by message id, in the order of their sending.
        since: when the last reply came, or the first call was sent after a time without calls.
    """

    __slots__ = (
        "_all", "_loop", "_msgid", "_output", "_reason", "_retired", "_splitter", "_transport", "_unread", "_written",
        "calls", "peer", "since",
    )  # fmt: skip

    def __init__(self, links: Links, peer: _Peer) -> None:
        self._all = links
        self.peer = peer
        self._loop = asyncio.get_running_loop()
        self._splitter = FrameSplitter(links.max_reply, responses=True)
        self._transport: Any = None
        self._msgid = 0
        self._output: list[bytes] = []
        self._written = 0
        self._unread = 0
        self._reason = ""
        self._retired = False
        self.calls: dict[int, PendingCall] = {}
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take calls from now on."""
        self._transport = transport
        self.since = self._loop.time()
        self._all.opened(self)
        self.peer.links.append(self)

    def send(self, now: float, done: Callback, deadline: float, method: bytes, params: bytes, again: bool) -> None:
        """Write a call."""
        calls = self.calls
        if not calls:
            self.since = now
        msgid = self._msgid = (self._msgid + 1) & _IDS
        head = _HEAD.pack(0x9400, 0xCE, msgid) + self._all.pack_name(method)
        if not self._output:
            self._loop.call_soon(self._flush)
        self._output.append(head)
        self._output.append(params)
        self._written = end = self._written + len(head) + len(params)
        calls[msgid] = (done, deadline, end, method, params, again)

    def _flush(self) -> None:
        """Write the calls of this turn."""
        transport = self._transport
        if not self._output or transport.is_closing():
            return
        output, self._output = self._output, []
        if len(output) == 2 and len(output[1]) > LARGE:
            transport.writelines(output)
        else:
            transport.write(b"".join(output))
        if transport.is_closing():
            # The connection was broken already: the kernel took nothing.
            self._output = output

    def data_received(self, data: bytes) -> None:
        """Give the replies that the chunk completes to their callbacks. Drop those that nobody waits for."""
        calls = self.calls
        frames = self._splitter.feed(data)
        if frames:
            self.since = self._loop.time()
        for frame in frames:
            call = calls.pop(frame.msgid, None)
            if call is not None:
                call[0](frame)
        if self._splitter.failure is not None:
            self.drop(f"reply that is not MessagePack-RPC: {self._splitter.failure}")
        elif self._retired and not calls:
            self.drop("")

    def eof_received(self) -> None:
        """Note how many bytes the peer's kernel had not confirmed when it closed; then close the connection here."""
        self._forget()
        if self._all.tls is None:  # else the kernel's bytes are not those of the calls
            self._unread += self._transport.get_write_buffer_size()
            try:
                descriptor = self._transport.get_extra_info("socket").fileno()
                waiting = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
                self._unread += int.from_bytes(waiting, sys.byteorder)
            except OSError:
                pass  # the system does not tell
        self._reason = "connection closed"
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Send again what the peer cannot have read, and fail the other calls."""
        self._forget()
        if isinstance(exc, OSError):
            self._reason = self._reason or _reason(exc)
        self._fail(Failure(self._reason or "connection closed", Cause.BROKEN), self._written - self._unread)

    def drop(self, reason: str) -> None:
        """Close the connection now; its calls fail."""
        self._reason = reason
        self._forget()
        self._transport.abort()

    def expire(self, now: float, late: list[Callback]) -> float:
        """Remove the calls whose time is over.

        Args:
            now: the time.
            late: gets their callbacks.

        Returns:
            the earliest deadline of the others.
        """
        over = [msgid for msgid, call in self.calls.items() if call[1] <= now]
        late += [self.calls.pop(msgid)[0] for msgid in over]
        if over:
            # Whatever holds up these calls would hold up others too.
            self._retired = True
            self.peer.remove(self)
            if not self.calls:
                self.drop("")
        return min((call[1] for call in self.calls.values()), default=float("inf"))

    def _forget(self) -> None:
        """Take no more calls, and write nothing more."""
        self._unread += sum(map(len, self._output))
        self._output = []
        self.peer.remove(self)
        self._all.closed(self)

    def _fail(self, failure: Failure, read: int) -> None:
        """Fail the calls that the peer may have read; send the others again.

        Args:
            failure: what the callers get.
            read: bytes of the output that the peer's kernel confirmed.
        """
        calls, self.calls = self.calls, {}
        now = self._loop.time()
        for done, deadline, end, method, params, again in calls.values():
            if end <= read:
                done(failure)
            elif again or self._all.closing:
                done(Failure(failure.error, Cause.UNREACHED))
            else:
                self.peer.send(now, done, deadline, method, params, True)


class _Probe(asyncio.Protocol):
    """A connection of one call, whose reply is not looked at.

    Attributes:
        answered: whether something came before the connection ended.
    """

    def __init__(self) -> None:
        self.answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Take the reply as an answer."""
        self._end(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that there is no answer."""
        self._end(False)

    def _end(self, answered: bool) -> None:
        if not self.answered.done():
            self.answered.set_result(answered)


def _reason(error: Exception) -> str:
    if hasattr(error, "library"):  # an error of TLS, whose number is none of the system
        from jubatus.rpc import tls

        return tls.reason(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or os.strerror(errno.ETIMEDOUT)
