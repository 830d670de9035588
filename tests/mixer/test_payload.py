import builtins

import msgpack
import pytest

from jubatus._core.wire import Reader, pack
from jubatus.errors import BadArguments, ClusterError, ModelError, UnknownMethod
from jubatus.mixer import payload
from jubatus.rpc.client import RPCError, TimeoutError, TransportError


@pytest.mark.parametrize("size", [0, 1, 31, 32, 65535, 65536, 1 << 20])
def test_raw_strings_are_of_the_old_format(size: int) -> None:
    data = b"x" * size
    assert b"".join(payload.raw(data)) == pack([data])
    assert b"".join(payload.mixed(data, True, 300)) == pack([data, True, 300])
    assert b"".join(payload.mixed(data, False, 0)) == pack([data, False, 0])


def test_the_bytes_of_1_1() -> None:
    assert b"".join(payload.ANY) == bytes.fromhex("9100")
    assert b"".join(payload.numbers(0)) == bytes.fromhex("9100")
    assert b"".join(payload.numbers(300, 1)) == bytes.fromhex("92cd012c01")
    assert b"".join(payload.raw(b"\x90")) == bytes.fromhex("91a190")


def test_a_diff_is_not_copied() -> None:
    data = bytes(1000)
    assert payload.raw(data)[1] is data
    assert payload.mixed(data, True, 0)[1] is data


def reader(value: object) -> Reader:
    return Reader(pack(value))


def test_read_raw() -> None:
    assert payload.read_raw(reader(b"abc")) == b"abc"
    with pytest.raises(BadArguments):
        payload.read_raw(reader(1))


def test_read_any_raw() -> None:
    assert payload.read_any_raw(reader(b"abc")) == b"abc"
    assert payload.read_any_raw(reader(1)) is None
    assert payload.read_any_raw(reader([b"abc"])) is None


def test_read_model() -> None:
    assert payload.read_model(Reader(bytes.fromhex("9201a29101"))) == (1, b"\x91\x01")
    for wrong in ([1], [1, b"a", 0], [b"a", 1], b"a", {}):
        with pytest.raises(BadArguments):
            payload.read_model(reader(wrong))


@pytest.mark.parametrize("value", [0, None, "text", [1]])
def test_read_nothing(value: object) -> None:
    payload.read_nothing(Reader(bytes(msgpack.packb(value))))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError("request timed out after all"), "request timed out"),
        (builtins.TimeoutError(), "request timed out"),
        (TransportError("connection closed"), "connection closed"),
        (RPCError(b"no such thing"), "no such thing"),
        (RPCError("no such thing"), "no such thing"),
        (RPCError(1), "no method error"),
        (RPCError(2), "argument error"),
        (RPCError(7), "unknown remote error (7)"),
        (RPCError(-13), "system error: Permission denied (13)"),
        (RPCError([1]), "unknown error"),
        (RPCError(True), "unknown error"),
        (UnknownMethod(b"mix"), "no method error"),
        (BadArguments("expected a string"), "argument error"),
        (ModelError("bad diff_object"), "bad diff_object"),
        (ClusterError("no session"), "no session"),
        (ValueError(), "ValueError"),
    ],
)
def test_failure(error: Exception, text: str) -> None:
    assert payload.failure(error) == text
