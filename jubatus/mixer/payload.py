"""Arguments and replies of the calls between mixers, and what their errors mean."""

import os
import struct

from jubatus._core.wire import Reader, pack
from jubatus.errors import BadArguments, UnknownMethod
from jubatus.mixer.state import Pieces
from jubatus.rpc import client

ANY = (b"\x91\x00",)
"""Arguments of the calls that take a number of no meaning."""


TIMED_OUT = "request timed out"


def numbers(*values: int) -> Pieces:
    """Return the arguments that are numbers."""
    return (pack(list(values)),)


def raw(data: bytes) -> Pieces:
    """Return the arguments that are one raw string."""
    return b"\x91" + _head(len(data)), data


def mixed(data: bytes, got: bool, round: int) -> Pieces:
    """Return the arguments that carry a mixed diff.

    Args:
        data: the diff.
        got: whether the receiver's own diff is in it; servers of Jubatus 1.1 look neither at it nor at what follows.
        round: number of the master's lock.
    """
    return b"\x93" + _head(len(data)), data, pack(got) + pack(round)


def _head(size: int) -> bytes:
    """Return the head of a raw string in the old format."""
    if size < 32:
        return struct.pack("B", 0xA0 | size)
    if size < 1 << 16:
        return struct.pack(">BH", 0xDA, size)
    return struct.pack(">BI", 0xDB, size)


def read_raw(result: Reader) -> bytes:
    """Return a reply that must be a raw string."""
    return result.string()


def read_any_raw(result: Reader) -> bytes | None:
    """Return a reply if it is a raw string."""
    try:
        return result.string()
    except BadArguments:
        return None


def read_model(result: Reader) -> tuple[int, bytes]:
    """Return version and bytes of a model."""
    if result.array() != 2:
        raise BadArguments("a model is a pair of version and bytes")
    return result.integer(), result.string()


def read_nothing(_result: Reader) -> None:
    """Take the reply as a sign of success, whatever it is."""


def failure(error: BaseException) -> str:
    """Return what went wrong with a call, as the log says it."""
    if isinstance(error, TimeoutError | client.TimeoutError):
        return TIMED_OUT
    if isinstance(error, UnknownMethod):
        return _number(1)
    if isinstance(error, BadArguments):
        return _number(2)
    if isinstance(error, client.RPCError) and error.args:
        return _remote(error.args[0])
    return str(error) or type(error).__name__


def _remote(error: object) -> str:
    """Return the meaning of a server's error object."""
    if isinstance(error, str):
        return error
    if isinstance(error, int) and not isinstance(error, bool):
        return _number(error)
    return "unknown error"


def _number(error: int) -> str:
    if error < 0:
        return f"system error: {os.strerror(-error)} ({-error})"
    return {1: "no method error", 2: "argument error"}.get(error, f"unknown remote error ({error})")
