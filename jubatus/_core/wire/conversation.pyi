"""The server's side of one connection, without I/O."""

from collections.abc import Callable
from typing import Any, final

from jubatus._core.wire.splitter import Frame
from jubatus._core.wire.turn import Turn

ROOM: int
LEAST: int
HELD: int
WITHHELD: int
FULL: int

class DirectHandler:
    """A method that can be answered without a Python object."""

    adds: bool

    @property
    def long(self) -> bool:
        """Whether a call would take long now, even with short arguments."""

@final
class Shortcuts:
    """The methods of a server that are answered without its dispatcher, and whether its model is free."""

    busy: bool
    writing: bool
    updates: int
    mixed: Callable[[], None] | None
    turn: Turn | None
    def __init__(self, refuse: Callable[[Frame, Exception], bytes], longest: int) -> None: ...
    def add(self, name: bytes, handler: DirectHandler, *, arity: int, update: bool, counts: bool, mixes: bool) -> None:
        """Answer a method directly."""

class Conversation:
    """The server's side of one connection."""

    send: Any
    steady: bool
    last: float
    def __init__(
        self,
        serve: Callable[[Frame, Any], bytes | None],
        ready: Callable[[bytes], None],
        max_size: int,
        limit: int = 1,
        shortcuts: Shortcuts | None = None,
    ) -> None: ...
    @property
    def waiting(self) -> int:
        """How many requests are deferred."""
    @property
    def withheld(self) -> int:
        """How many pieces of replies wait until the updates before them are written."""
    @property
    def failure(self) -> str | None:
        """Why the connection must be closed, once everything before that was answered."""
    @property
    def more(self) -> bool:
        """Whether ``resume`` would answer something."""
    @property
    def full(self) -> bool:
        """Whether nothing more is taken until a deferred request is answered."""
    @property
    def pending(self) -> int:
        """Bytes held of a message that is not whole."""
    def data_received(self, data: bytes) -> None:
        """Take a chunk; answer the requests that it completes."""
    def settle(self, replies: bytes, full: bool) -> None:
        """Write replies and do what else has to be done for the connection; for a subclass that knows it."""
    def withhold(self, replies: bytes) -> bool:
        """Let replies wait if an update before them is not written yet; return whether they do."""
    def owe(self, msgid: int) -> int:
        """Note that the reply to an update, which is recorded, has to wait until it is written."""
    def released(self, replies: bytes) -> None:
        """Write replies that waited; for a subclass that knows it."""
    def receive(self, data: bytes) -> bytes:
        """Take a chunk and return the replies that can be written now."""
    def resume(self) -> bytes:
        """Return the next replies, as far as ROOM goes; ``more`` tells whether there are others."""
    def set_limit(self, limit: int) -> None:
        """Change how many requests may be deferred at a time; those that are stay."""
    def complete(self, reply: bytes, update: int | None = None) -> None:
        """Answer a deferred request; `update` is its number if it is an update that was recorded."""
