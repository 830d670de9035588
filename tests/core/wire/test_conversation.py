from collections.abc import Callable
from typing import Any

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.wire import Frame, pack, reply
from jubatus._core.wire.conversation import HELD, ROOM, Conversation
from jubatus.rpc.server import Serve

ONE = pack(1)


def request(msgid: int, method: str = "m", *args: Any) -> bytes:
    return pack([0, msgid, method, ["", *args]])


def notify(method: str) -> bytes:
    return pack([2, method, [""]])


def answer(frame: Frame, conversation: Conversation) -> bytes | None:
    """Answer with the method's name; notifications with nothing; defer what is called `later`."""
    if frame.method.startswith(b"later"):
        return None
    return b"" if frame.kind else reply(frame.msgid, pack(frame.method))


def ids(data: bytes) -> list[int]:
    unpacker = msgpack.Unpacker()
    unpacker.feed(data)
    return [message[1] for message in unpacker]


def conversation(
    serve: Serve = answer,
    ready: Callable[[bytes], None] = lambda data: None,
    max_size: int = 1 << 20,
    limit: int = 1,
) -> Conversation:
    return Conversation(serve, ready, max_size, limit)


messages = st.one_of(
    st.builds(request, st.integers(0, 2**32 - 1), st.text(max_size=40), st.text(max_size=300)),
    st.builds(notify, st.text(max_size=40)),
)


@given(st.lists(messages, max_size=8), st.data())
def test_any_chunking_gives_the_same_replies(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    whole = conversation().receive(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    one = conversation()
    assert b"".join(map(one.receive, pieces)) == whole
    assert (one.pending, one.failure, one.more) == (0, None, False)


def test_replies_of_a_chunk_come_together_and_in_order() -> None:
    chunk = b"".join(request(number) for number in (5, 3, 9)) + request(4)[:3]
    one = conversation()
    assert ids(one.receive(chunk)) == [5, 3, 9]
    assert one.pending == 3
    assert ids(one.receive(request(4)[3:])) == [4]


def test_notifications_are_carried_out_and_not_answered() -> None:
    seen = []

    def serve(frame: Frame, conversation: Conversation) -> bytes | None:
        seen.append(frame.method)
        return answer(frame, conversation)

    one = conversation(serve)
    assert one.receive(notify("a")) == b""
    assert ids(one.receive(notify("b") + request(1) + notify("c"))) == [1]
    assert seen == [b"a", b"b", b"m", b"c"]


def test_what_is_behind_a_deferred_request_waits() -> None:
    ready: list[bytes] = []
    one = conversation(ready=ready.append)
    assert ids(one.receive(request(1) + request(2, "later") + request(3) + request(4, "later") + request(5))) == [1]
    assert one.waiting
    assert one.receive(request(6)) == b""
    assert (one.resume(), one.more) == (b"", False)
    one.complete(reply(2, ONE))
    assert ids(ready.pop()) == [2]
    assert not one.waiting
    assert one.more
    assert ids(one.resume()) == [3]
    assert one.waiting
    one.complete(reply(4, ONE))
    assert ids(ready.pop() + one.resume()) == [4, 5, 6]
    assert not (one.waiting or one.more)


def test_several_requests_may_be_deferred_and_are_answered_as_it_comes() -> None:
    ready: list[bytes] = []
    one = conversation(ready=ready.append, limit=3)
    stream = [request(1, "later"), request(2), request(3, "later"), notify("later"), request(5), request(6, "later")]
    assert ids(one.receive(b"".join(stream))) == [2]
    assert (one.waiting, one.full, one.more, one.resume()) == (3, True, False, b"")
    one.complete(reply(3, ONE))
    assert (one.waiting, one.full, one.more) == (2, False, True)
    assert ids(one.resume()) == [5]
    assert (one.waiting, one.full, one.more) == (3, True, False)
    for data in (reply(6, ONE), b"", reply(1, ONE)):
        one.complete(data)
    assert ids(b"".join(ready)) == [3, 6, 1]
    assert (one.waiting, one.full, one.more) == (0, False, False)


def test_long_requests_that_are_deferred_must_all_be_answered_before_others_are_taken() -> None:
    one = conversation(max_size=1 << 30, limit=100)
    long = request(1, "later", "x" * (HELD // 2))
    assert one.receive(long) == b""
    assert not one.full
    assert one.receive(long + request(2)) == b""
    assert (one.waiting, one.full) == (2, True)
    one.complete(reply(1, ONE))
    assert one.full
    one.complete(reply(1, ONE))
    assert (one.full, one.more) == (False, True)
    assert ids(one.resume()) == [2]


def test_a_stream_that_breaks_while_requests_are_deferred_ends_when_they_are_answered() -> None:
    one = conversation(limit=5)
    assert one.receive(request(1, "later") + request(2, "later") + b"\xc1") == b""
    one.complete(reply(2, ONE))
    assert one.failure is None
    one.complete(reply(1, ONE))
    assert one.failure


def test_replies_are_not_made_far_ahead_of_the_reader() -> None:
    big = bytes(300_000)
    made = 0

    def serve(frame: Frame, conversation: Conversation) -> bytes:
        nonlocal made
        made += 1
        return reply(frame.msgid, pack(big))

    one = conversation(serve)
    out = one.receive(b"".join(map(request, range(20))))
    assert made == len(ids(out)) == -(-ROOM // 300_000)
    while one.more:
        out += one.resume()
    assert ids(out) == list(range(20))


def test_a_broken_stream_is_told_after_what_came_before_was_answered() -> None:
    one = conversation()
    assert ids(one.receive(request(1) + b"\xc1" + request(2))) == [1]
    assert one.failure
    assert one.receive(request(3)) == b""

    ready: list[bytes] = []
    other = conversation(ready=ready.append)
    assert other.receive(request(1, "later") + request(2) + b"\xc1") == b""
    assert other.failure is None
    other.complete(reply(1, ONE))
    assert other.failure is None
    assert ids(other.resume()) == [2]
    assert other.failure


def test_a_message_above_the_limit_breaks_the_stream() -> None:
    one = conversation(max_size=1000)
    assert ids(one.receive(request(1, "m", "x" * 900))) == [1]
    assert one.receive(request(2, "m", "x" * 1000)[:1200]) == b""
    assert one.failure == "a message of more than 1000 bytes"
