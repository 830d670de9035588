"""One connection's conversation, without I/O: chunks of requests in, replies out.

Requests of a connection are answered one after the other, and their replies leave in that order. A request may be
deferred: those behind it wait, those of other connections do not. A session may allow more than one deferred request
at a time; their replies leave as they come.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from jubatus._core.wire import Frame, FrameSplitter

ROOM = 64 << 10
"""Bytes of requests and replies that are worked on before the replies are given out: a peer can say that it does not
read them, and other connections get their turn."""

LEAST = 512
"""What the shortest request counts with its reply."""

HELD = 16 << 20
"""Bytes of deferred requests after which all of them must be answered before others are taken."""


class Serve(Protocol):
    """Answers messages."""

    def __call__(self, frame: Frame, session: "Session", /) -> bytes | None:
        """Return the reply (no bytes for a notification), or None to call the session's ``complete`` with it later."""
        ...


class Session:
    """The server's side of one connection.

    Args:
        serve: answers each message; called for the next one when the one before is answered.
        ready: is called with what can be written after a deferred request is answered.
        max_size: bytes that one message may have.
        limit: how many requests may be deferred at a time.

    Attributes:
        waiting: how many requests are deferred.
    """

    __slots__ = ("_held", "_limit", "_queue", "_ready", "_serve", "_splitter", "waiting")

    def __init__(self, serve: Serve, ready: Callable[[bytes], None], max_size: int, limit: int = 1) -> None:
        self._serve = serve
        self._ready = ready
        self._splitter = FrameSplitter(max_size)
        self._queue: deque[Frame] = deque()
        self._limit = limit
        self._held = 0
        self.waiting = 0

    @property
    def failure(self) -> str | None:
        """Why the connection must be closed, once everything before that was answered."""
        return None if self._queue or self.waiting else self._splitter.failure

    @property
    def more(self) -> bool:
        """Whether ``resume`` would answer something."""
        return bool(self._queue) and not self.full

    @property
    def full(self) -> bool:
        """Whether nothing more is taken until a deferred request is answered."""
        return self.waiting >= self._limit or self._held > HELD

    @property
    def pending(self) -> int:
        """Bytes held of a message that is not whole."""
        return self._splitter.pending

    def receive(self, data: bytes) -> bytes:
        """Take a chunk and return the replies that can be written now."""
        self._queue.extend(self._splitter.feed(data))
        return self.resume()

    def resume(self) -> bytes:
        """Return the next replies, as far as ROOM goes; ``more`` tells whether there are others."""
        queue = self._queue
        if not queue or self.full:
            return b""
        serve = self._serve
        replies = []
        room = ROOM
        while queue and room > 0:
            frame = queue.popleft()
            reply = serve(frame, self)
            room -= LEAST + frame.size
            if reply is None:
                self.waiting += 1
                self._held += frame.size
                if self.full:
                    break
            else:
                replies.append(reply)
                room -= len(reply)
        return b"".join(replies)

    def complete(self, reply: bytes) -> None:
        """Answer a deferred request."""
        self.waiting -= 1
        if not self.waiting:
            self._held = 0
        self._ready(reply)
