"""What the updates of one turn of the event loop leave to be written before their replies leave."""

from collections.abc import Callable
from typing import final

from jubatus._core.wire.conversation import Conversation
from jubatus._core.wire.splitter import Frame

@final
class Turn:
    """Records of updates, and the replies that wait until these are written."""

    refusing: str | None
    wake: Callable[[], object]
    def __init__(self, wake: Callable[[], object]) -> None: ...
    @property
    def count(self) -> int:
        """How many records were added so far."""
    @property
    def size(self) -> int:
        """Bytes of the records that nobody took yet."""
    def append_frame(self, frame: Frame, good: bool) -> int:
        """Add the record of an update that was carried out; any thread may, while no other update runs."""
    def rouse(self) -> int:
        """Have what is there written at the end of the loop's turn."""
    def take_records(self) -> bytes:
        """Give out the records."""
    def take_held(self) -> list[tuple[Conversation, bytes, list[int] | None]]:
        """Give out the replies that wait: of each piece its conversation, its bytes, and the numbers of its updates."""

def frame_record(payload: bytes) -> bytes:
    """Return a payload as a record."""

def release(held: list[tuple[Conversation, bytes, list[int] | None]]) -> None:
    """Let replies leave."""
