"""MessagePack and MessagePack-RPC over bytes. No I/O.

The dialect is the one of msgpack-c 0.5.9: raw strings are written in the old format only (no str8, no bin), everything
but extension types is read. An envelope is ``[0, msgid, method, params]``, ``[1, msgid, error, result]`` or
``[2, method, params]``.
"""

from jubatus._core.wire.conversation import Conversation, DirectHandler, Shortcuts
from jubatus._core.wire.reader import Reader, unpack
from jubatus._core.wire.splitter import Frame, FrameSplitter
from jubatus._core.wire.turn import Turn, frame_record, release
from jubatus._core.wire.writer import Writer, error_reply, order_of_key, pack, reply

__all__ = [
    "Conversation",
    "DirectHandler",
    "Frame",
    "FrameSplitter",
    "Reader",
    "Shortcuts",
    "Turn",
    "Writer",
    "error_reply",
    "frame_record",
    "order_of_key",
    "pack",
    "release",
    "reply",
    "unpack",
]
