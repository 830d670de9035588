import zlib

import pytest

from jubatus._core.wire import Conversation, DirectHandler, Shortcuts, Turn, frame_record, release
from jubatus._core.wire.splitter import FrameSplitter
from tests.conftest import packed


class Waker:
    def __init__(self) -> None:
        self.calls = 0
        self.turn = Turn(self.wake)

    def wake(self) -> None:
        self.calls += 1


def request(msgid: int, method: str, *args: object) -> bytes:
    return packed([0, msgid, method, ["", *args]])


def parse(records: bytes) -> list[bytes]:
    """Return the payloads of records, whose heads must be right."""
    payloads = []
    while records:
        head, records = records[:12], records[12:]
        size = int.from_bytes(head[:4])
        payload, records = records[:size], records[size:]
        assert len(payload) == size
        assert int.from_bytes(head[4:8]) == zlib.crc32(payload)
        assert int.from_bytes(head[8:]) == zlib.crc32(head[:8])
        payloads.append(payload)
    return payloads


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17, 1000, 4097, 1 << 20, (1 << 20) + 3])
def test_records_have_the_crc_of_zlib(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    assert parse(frame_record(payload[:size])) == [payload[:size]]


@pytest.mark.parametrize("size", [1, 100, 3 << 20])
def test_an_update_is_recorded_as_it_was_received(size: int) -> None:
    waker = Waker()
    turn = waker.turn
    frames = FrameSplitter().feed(request(7, "train", "x" * size) + packed([2, "train", ["name", 1, 2]]))
    for frame, good in zip(frames, (True, False), strict=True):
        frame.params.arguments(1)  # what was read of the params does not matter
        turn.append_frame(frame, good)
    assert (turn.count, waker.calls) == (2, 0)
    records = turn.take_records()
    first = packed("train") + packed(["", "x" * size]) + b"\xc3"
    assert parse(records) == [first, packed("train") + packed(["name", 1, 2]) + b"\xc2"]
    assert (turn.take_records(), turn.size, turn.count) == (b"", 0, 2)


def test_who_writes_is_woken_once_a_turn() -> None:
    waker = Waker()
    for calls in (1, 2):
        waker.turn.rouse()
        waker.turn.rouse()
        assert waker.calls == calls
        assert waker.turn.take_held() == []


def refuse(frame: object, error: Exception) -> bytes:
    raise error


class Line(Conversation):
    """A conversation that keeps what is sent."""

    def __init__(self, shortcuts: Shortcuts) -> None:
        super().__init__(lambda frame, conversation: None, self.released, 1 << 20, 9, shortcuts)
        self.sent: list[bytes] = []
        self.send = self.sent.append
        self.steady = True

    def released(self, replies: bytes) -> None:
        self.sent.append(replies)

    def settle(self, replies: bytes, full: bool) -> None:
        if replies and not self.withhold(replies):
            self.sent.append(replies)


def lines(count: int) -> tuple[Waker, list[Line]]:
    waker, shortcuts = Waker(), Shortcuts(refuse, 1 << 10)
    for name, update in ((b"put", True), (b"get", False)):
        shortcuts.add(name, DirectHandler(), arity=0, update=update, counts=False, mixes=False)
    shortcuts.turn = waker.turn
    return waker, [Line(shortcuts) for _ in range(count)]


def reply(msgid: int) -> bytes:
    return packed([1, msgid, None, None])


def test_a_reply_waits_until_its_update_is_written_and_those_of_others_do_not() -> None:
    waker, (line, other) = lines(2)
    line.data_received(request(1, "get"))
    assert line.sent == [reply(1)]
    line.data_received(request(2, "put") + request(3, "get"))
    line.data_received(request(4, "get"))
    other.data_received(request(5, "get"))
    assert (line.sent, other.sent, waker.calls, line.withheld) == ([reply(1)], [reply(5)], 1, 2)
    assert parse(waker.turn.take_records()) == [packed("put") + packed([""]) + b"\xc3"]
    held = waker.turn.take_held()
    assert [(replies, updates) for _, replies, updates in held] == [(reply(2) + reply(3), [2]), (reply(4), None)]
    line.data_received(request(6, "get"))  # behind those that still wait
    release(held)
    assert line.sent == [reply(1), reply(2) + reply(3), reply(4)]
    release(waker.turn.take_held())
    assert line.sent[3:] == [reply(6)]
    line.data_received(request(7, "get"))
    assert line.sent[4:] == [reply(7)]


def test_a_notification_is_recorded_and_owes_no_reply() -> None:
    waker, (line,) = lines(1)
    line.data_received(packed([2, "put", [""]]) + request(1, "get"))
    assert (line.sent, waker.calls, waker.turn.count) == ([reply(1)], 1, 1)


def test_a_deferred_update_waits_as_well() -> None:
    waker, (line,) = lines(1)
    line.data_received(request(1, "other"))
    assert line.waiting == 1
    line.complete(reply(1), 1)
    assert line.sent == [reply(1)]  # it goes to whoever owns the connection, who asks whether it has to wait
    assert line.withhold(reply(1))
    assert [(replies, updates) for _, replies, updates in waker.turn.take_held()] == [(reply(1), [1])]


def test_updates_are_left_to_the_dispatcher_while_they_are_refused() -> None:
    waker, (line,) = lines(1)
    waker.turn.refusing = "the disk is full"
    line.data_received(request(1, "get") + request(2, "put"))
    assert (line.sent, line.waiting, waker.turn.count) == ([reply(1)], 1, 0)
    waker.turn.refusing = None
    line.data_received(request(3, "put"))
    assert waker.turn.count == 1


def test_a_peer_that_sends_more_and_more_is_not_read_while_much_waits() -> None:
    waker, (line,) = lines(1)
    line.data_received(b"".join(request(number, "put") for number in range(1 << 18)))
    while line.more:
        line.settle(line.resume(), False)
    assert line.full
    answered = waker.turn.count
    assert 1 << 16 < answered < 1 << 18
    release(waker.turn.take_held())
    assert line.more
