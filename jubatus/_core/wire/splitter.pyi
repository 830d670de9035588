"""Cutting a stream into messages."""

from typing import Any

from jubatus._core.wire.reader import Reader

class Frame:
    """One message of a stream: kind 0 is a request, 1 a response, 2 a notification."""

    @property
    def kind(self) -> int: ...
    @property
    def msgid(self) -> int: ...
    @property
    def method(self) -> bytes: ...
    @property
    def params(self) -> Reader: ...
    @property
    def error(self) -> Any: ...
    @property
    def result(self) -> Reader: ...
    @property
    def size(self) -> int: ...

class FrameSplitter:
    """Cut a stream that arrives in chunks into messages."""

    def __init__(self, max_size: int = ..., max_depth: int = 32, responses: bool = False) -> None: ...
    @property
    def failure(self) -> str | None:
        """Why the stream is broken."""
    @property
    def max_size(self) -> int: ...
    @property
    def max_depth(self) -> int: ...
    @property
    def responses(self) -> bool: ...
    @property
    def pending(self) -> int:
        """Bytes held of a message that is not whole."""
    def feed(self, data: bytes) -> list[Frame]:
        """Take the next chunk and return the messages that it completes."""
