from typing import Any

import pytest

from jubatus._core.wire import FrameSplitter, pack, unpack
from jubatus.keeper.failures import refusal
from jubatus.rpc.links import Cause, Failure, Outcome


def error(value: Any) -> Outcome:
    (frame,) = FrameSplitter(responses=True).feed(pack([1, 5, value, None]))
    return frame


TIMEOUT = Failure("request timed out", Cause.TIMEOUT)
REFUSED = Failure("Connection refused", Cause.REFUSED)
UNREACHED = Failure("Network is unreachable", Cause.UNREACHED)
BROKEN = Failure("connection closed", Cause.BROKEN)
FULL = Failure("too many connections", Cause.FULL)


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (TIMEOUT, b"request timed out"),
        (REFUSED, b"connect error in proxy"),
        (UNREACHED, b"connect error in proxy"),
        (BROKEN, b"connection closed"),
        (Failure("Connection reset by peer", Cause.BROKEN), b"Connection reset by peer"),
        (FULL, b"too many session"),
        (error(b"config_not_set"), b'rpc_server error: "config_not_set"'),
        (error(b'a "b"\xff'), b'rpc_server error: "a "b"\xff"'),
        (error(1), b"jubatus::server::common::mprpc::rpc_method_not_found"),
        (error(7), b"rpc_server error: 7"),
        (error(-3), b"rpc_server error: -3"),
        (error(True), b"rpc_server error: true"),
        (error(False), b"rpc_server error: false"),
        (error(1.5), b"rpc_server error: 1.5"),
        (error([1, None, [b"x", True]]), b'rpc_server error: [1, nil, ["x", true]]'),
        (error({b"a": 1, b"b": {}}), b'rpc_server error: {"a"=>1, "b"=>{}}'),
    ],
)
def test_texts(outcome: Outcome, text: bytes) -> None:
    assert unpack(refusal(300, [outcome])) == [1, 300, text, None]


def test_an_argument_that_a_server_cannot_cast_is_the_callers_error() -> None:
    assert unpack(refusal(3, [error(2)])) == [1, 3, 2, b"std::bad_cast"]


@pytest.mark.parametrize(
    ("outcomes", "chosen"),
    [
        ([error(b"a"), error(b"b")], b'rpc_server error: "a"'),
        ([error(b"a"), BROKEN], b'rpc_server error: "a"'),
        ([BROKEN, error(b"a")], b"connection closed"),
        ([error(b"a"), BROKEN, REFUSED], b"connect error in proxy"),
        ([UNREACHED, TIMEOUT], b"request timed out"),
    ],
)
def test_of_several_the_gravest_is_told_and_else_the_first(outcomes: list[Outcome], chosen: bytes) -> None:
    assert unpack(refusal(1, outcomes))[2] == chosen
