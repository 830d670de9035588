"""Tests of jubatus._core.wire: golden bytes, what is accepted and refused, and any chunking of a stream."""

import math
import struct
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.wire import FrameSplitter, Reader, Writer, error_reply, pack, reply, unpack
from jubatus.errors import BadArguments

TRAIN = bytes.fromhex(
    "940000a5747261696e92a16e9192a36c6162939192a173a578787878789292a169cb400800000000000092a166cb3ff800000000000090"
)
CLEAR = bytes.fromhex("940002a5636c65617291a16e")


def frames(data: bytes, **options: Any) -> list[tuple[int, int, bytes, bytes]]:
    splitter = FrameSplitter(**options)
    result = [(f.kind, f.msgid, f.method, f.params.raw()) for f in splitter.feed(data)]
    assert splitter.failure is None
    return result


def failure(data: bytes, **options: Any) -> str | None:
    splitter = FrameSplitter(**options)
    splitter.feed(data)
    return splitter.failure


# --- golden bytes


def test_train_request_reads_as_the_original_reads_it() -> None:
    (frame,) = FrameSplitter().feed(TRAIN)
    assert (frame.kind, frame.msgid, frame.method, frame.size) == (0, 0, b"train", len(TRAIN))
    r = frame.params
    r.arguments(1)
    assert r.array() == 1
    assert r.array() == 2
    assert r.string() == b"lab"
    assert r.array() == 3
    assert r.unpack() == [[b"s", b"xxxxx"]]
    assert r.unpack() == [[b"i", 3.0], [b"f", 1.5]]
    assert r.unpack() == []
    assert r.at_end


def test_train_request_is_what_pack_writes() -> None:
    datum = [[["s", "xxxxx"]], [["i", 3.0], ["f", 1.5]], []]
    assert pack([0, 0, "train", ["n", [["lab", datum]]]]) == TRAIN


def test_clear_request() -> None:
    assert pack([0, 2, "clear", ["n"]]) == CLEAR
    assert frames(CLEAR) == [(0, 2, b"clear", b"\x91\xa1n")]


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (reply(0, pack(1)), "940100c001"),
        (reply(8, pack([[["a", 0.5]]])), "940108c0919192a161cb3fe0000000000000"),
        (reply(9, pack({"b": 200, "a": 1})), "940109c082a16101a162ccc8"),
        (error_reply(7, 1, b"foo"), "94010701a3666f6f"),
        (error_reply(7, 2, b"std::bad_cast"), "94010702ad7374643a3a6261645f63617374"),
        (error_reply(7, "config_not_set"), "940107ae636f6e6669675f6e6f745f736574c0"),
        (error_reply(7, b"config_not_set"), "940107ae636f6e6669675f6e6f745f736574c0"),
        (pack([[], [], []]), "93909090"),
    ],
)
def test_replies(got: bytes, want: str) -> None:
    assert got.hex() == want


@pytest.mark.parametrize("msgid", [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1])
def test_reply_carries_any_message_id(msgid: int) -> None:
    assert reply(msgid, pack("r")) == msgpack.packb([1, msgid, None, "r"])
    assert error_reply(msgid, 2, b"r") == msgpack.packb([1, msgid, 2, "r"])


# --- what is written


@pytest.mark.parametrize(
    ("value", "head"),
    [
        (b"", "a0"),
        (b"x" * 31, "bf"),
        (b"x" * 32, "da0020"),
        (b"x" * 65535, "daffff"),
        (b"x" * 65536, "db00010000"),
        ([0] * 15, "9f"),
        ([0] * 16, "dc0010"),
        ([0] * 65535, "dcffff"),
        ([0] * 65536, "dd00010000"),
        ({i: 0 for i in range(15)}, "8f"),
        ({i: 0 for i in range(16)}, "de0010"),
        ({i: 0 for i in range(65536)}, "df00010000"),
    ],
)
def test_sizes_take_the_shortest_old_format(value: object, head: str) -> None:
    assert pack(value).startswith(bytes.fromhex(head))
    assert unpack(pack(value)) == value


@pytest.mark.parametrize(
    ("value", "packed"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "cc80"),
        (255, "ccff"),
        (256, "cd0100"),
        (65535, "cdffff"),
        (65536, "ce00010000"),
        (2**32 - 1, "ceffffffff"),
        (2**32, "cf0000000100000000"),
        (2**63, "cf8000000000000000"),
        (2**64 - 1, "cfffffffffffffffff"),
        (-1, "ff"),
        (-32, "e0"),
        (-33, "d0df"),
        (-128, "d080"),
        (-129, "d1ff7f"),
        (-32768, "d18000"),
        (-32769, "d2ffff7fff"),
        (-(2**31), "d280000000"),
        (-(2**31) - 1, "d3ffffffff7fffffff"),
        (-(2**63), "d38000000000000000"),
        (1.0, "cb3ff0000000000000"),
        (-0.0, "cb8000000000000000"),
        (math.inf, "cb7ff0000000000000"),
        (-math.inf, "cbfff0000000000000"),
        (True, "c3"),
        (False, "c2"),
        (None, "c0"),
        ("あ", "a3e38182"),
    ],
)
def test_scalars(value: object, packed: str) -> None:
    assert pack(value).hex() == packed


def test_what_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append({"again": endless})
    with pytest.raises(RecursionError):
        pack(endless)


def test_map_keys_ascend_by_bytes() -> None:
    assert pack({"b": 1, b"\xff": 2, "a": 3, "aa": 4}).hex() == "84a16103a2616104a16201a1ff02"


def test_a_writer_writes_piece_by_piece_what_pack_writes_at_once() -> None:
    w = Writer()
    w.array(7)
    w.string("text")
    w.string(b"\xff")
    w.integer(-5)
    w.double(2.5)
    w.boolean(True)
    w.nil()
    w.map(1)
    w.integer(2**64 - 1)
    w.append(pack([1]))
    assert w.getvalue() == pack(["text", b"\xff", -5, 2.5, True, None, {2**64 - 1: [1]}])


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, [object()]])
def test_other_types_cannot_be_packed(value: object) -> None:
    with pytest.raises(TypeError):
        pack(value)


# --- what is read


@pytest.mark.parametrize(
    ("packed", "value"),
    [
        ("cc05", 5),
        ("d005", 5),
        ("d0ff", -1),
        ("d10080", 128),
        ("d200000001", 1),
        ("d300000000000000ff", 255),
        ("ca3fc00000", 1.5),
        ("d90161", b"a"),
        ("da000161", b"a"),
        ("db0000000161", b"a"),
        ("c40161", b"a"),
        ("c5000161", b"a"),
        ("c60000000161", b"a"),
        ("dc000101", [1]),
        ("dd0000000101", [1]),
        ("de00010102", {1: 2}),
        ("df000000010102", {1: 2}),
        ("8201020103", {1: 3}),
    ],
)
def test_every_format_is_read(packed: str, value: object) -> None:
    got = unpack(bytes.fromhex(packed))
    assert got == value
    assert type(got) is type(value)


SAMPLES = {
    "integer": ["00", "7f", "ff", "ccff", "cdffff", "ceffffffff", "cfffffffffffffffff", "d080", "d18000", "d280000000"],
    "double": ["cb3ff0000000000000", "ca3f800000"],
    "boolean": ["c2", "c3"],
    "string": ["a161", "d90161", "da000161", "db0000000161", "c40161", "c5000161", "c60000000161"],
    "array": ["90", "dc0000", "dd00000000"],
    "map": ["80", "de0000", "df00000000"],
    "nil": ["c0"],
}
ACCEPTED = {
    "integer": {"integer"},
    "double": {"integer", "double"},
    "boolean": {"boolean"},
    "string": {"string"},
    "array": {"array"},
    "map": {"map"},
}


@pytest.mark.parametrize("declared", ACCEPTED)
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_type_is_read_from_its_formats_only(declared: str, kind: str) -> None:
    for packed in SAMPLES[kind]:
        r = Reader(bytes.fromhex(packed))
        if kind in ACCEPTED[declared]:
            getattr(r, declared)()
            assert r.at_end
        else:
            with pytest.raises(BadArguments):
                getattr(r, declared)()


def test_numbers_become_doubles() -> None:
    assert Reader(pack(2**64 - 1)).double() == 2.0**64
    assert Reader(pack(-(2**63))).double() == -(2.0**63)
    assert Reader(bytes.fromhex("ca3dcccccd")).double() == struct.unpack(">f", bytes.fromhex("3dcccccd"))[0]


@pytest.mark.parametrize("byte", [0xC1, 0xC7, 0xC8, 0xC9, *range(0xD4, 0xD9)])
def test_no_value_starts_with(byte: int) -> None:
    data = bytes([byte]) + bytes(32)
    for read in (Reader.unpack, Reader.skip, Reader.raw, Reader.integer, Reader.string, Reader.array):
        with pytest.raises(BadArguments):
            read(Reader(data))
    assert failure(data) is not None
    assert failure(b"\x94\x00\x00\xa1m\x91" + data) is not None


@pytest.mark.parametrize(
    "whole", [pack([0, "ab", {"a": 1.5}, -7, b"x" * 40]), bytes.fromhex("ca3fc00000"), pack(2**40)]
)
def test_a_value_that_ends_early_is_refused(whole: bytes) -> None:
    for size in range(len(whole)):
        for read in (Reader.unpack, Reader.skip, Reader.raw):
            with pytest.raises(BadArguments):
                read(Reader(whole[:size]))
    with pytest.raises(BadArguments):
        unpack(whole + b"\xc0")


def test_a_huge_count_without_values_is_refused_at_once() -> None:
    for head in ("ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff"):
        with pytest.raises(BadArguments):
            Reader(bytes.fromhex(head) + b"\0" * 8).unpack()


def test_arguments_want_the_name_and_at_least_the_declared_number() -> None:
    for params, count in ((["n"], 0), (["n", 5], 1), (["n", 5, 6], 1), ([b"\xff", 5], 1)):
        r = Reader(pack(params))
        r.arguments(count)
        assert count == 0 or r.integer() == 5
    for params, count in (([], 0), (["n"], 1), ([1], 0), ([None, 1], 1), (None, 0), ("n", 0), ({}, 0)):
        with pytest.raises(BadArguments):
            Reader(pack(params)).arguments(count)


def test_a_reader_of_a_part_stays_inside() -> None:
    data = pack([1, 2]) + pack("abc")
    r = Reader(data, 1, 3)
    assert (r.integer(), r.integer(), r.at_end, r.offset) == (1, 2, True, 3)
    with pytest.raises(BadArguments):
        r.integer()
    r = Reader(data, 3)
    assert r.raw() == pack("abc")
    for start, end in ((-1, None), (3, 2), (0, len(data) + 1)):
        with pytest.raises(ValueError):
            Reader(data, start, end)


# --- envelopes


@pytest.mark.parametrize(
    ("message", "want"),
    [
        ([0, 5, "m", ["n", 1]], (0, 5, b"m", pack(["n", 1]))),
        ([0, 5, "m", ["n"], "more"], (0, 5, b"m", pack(["n"]))),
        ([0, 5, "m"], (0, 5, b"m", b"\xc0")),
        ([0, 5, "m", None], (0, 5, b"m", b"\xc0")),
        ([0, 2**32 - 1, b"\xff", []], (0, 2**32 - 1, b"\xff", b"\x90")),
        ([2, "m", ["n"]], (2, 0, b"m", pack(["n"]))),
        ([2, "m"], (2, 0, b"m", b"\xc0")),
    ],
)
def test_envelopes(message: list[Any], want: tuple[Any, ...]) -> None:
    assert frames(pack(message)) == [want]


@pytest.mark.parametrize(
    "message",
    [5, {}, "text", None, True, 1.5, [], [0], [0, 5], [2], [0, 5, 6, []], [0, 5, None, []], [0, 5, ["m"], []]]
    + [[kind, 5, "m", []] for kind in (1, 3, 255, 256, -1, 0.0, None, "0")]
    + [[0, msgid, "m", []] for msgid in (-1, 2**32, 1.0, None, "1")]
    + [[2, 5, "m", []]],
)
def test_what_is_no_request_breaks_the_stream(message: object) -> None:
    splitter = FrameSplitter()
    assert [f.method for f in splitter.feed(CLEAR + pack(message) + CLEAR)] == [b"clear"]
    assert splitter.failure
    assert splitter.feed(CLEAR) == []


def test_responses() -> None:
    (ok, bad) = FrameSplitter(responses=True).feed(reply(3, pack(["r"])) + error_reply(4, 1, b"foo"))
    assert (ok.kind, ok.msgid, ok.error, ok.result.unpack()) == (1, 3, None, [b"r"])
    assert (bad.kind, bad.msgid, bad.error, bad.result.unpack()) == (1, 4, 1, b"foo")
    for message in ([0, 1, "m", []], [2, "m", []], [1, 2, None], [1, "2", None, 1]):
        assert failure(pack(message), responses=True)
    odd = bytes.fromhex("940100" + "818001" + "c0")  # the error is a map with a map for a key
    assert failure(odd, responses=True)


# --- limits


def nested(depth: int) -> bytes:
    """A request whose values are ``depth`` containers deep, the envelope's included."""
    return b"\x94\x00\x00\xa1m" + b"\x91" * (depth - 2) + b"\x90"


def test_depth() -> None:
    for limit in (2, 8, 32):
        assert failure(nested(limit), max_depth=limit) is None
        assert len(FrameSplitter(max_depth=limit).feed(nested(limit))) == 1
        assert failure(nested(limit + 1), max_depth=limit)
    assert failure(nested(32)) is None
    assert failure(nested(33))
    maps = b"\x94\x00\x00\xa1m" + b"\x81\x00" * 31 + b"\x80"
    assert failure(maps)


def test_size() -> None:
    limit = len(TRAIN)
    assert len(FrameSplitter(max_size=limit).feed(TRAIN + CLEAR + TRAIN)) == 3
    splitter = FrameSplitter(max_size=limit - 1)
    assert [f.method for f in splitter.feed(CLEAR + TRAIN + CLEAR)] == [b"clear"]
    assert splitter.failure
    splitter = FrameSplitter(max_size=100)
    endless = b"\x94\x00\x00\xa1m\xdd\xff\xff\xff\xff"
    fed = 0
    while splitter.failure is None:
        splitter.feed(endless if not fed else bytes(10))
        fed += 10
        assert fed <= 110


def test_pending_counts_what_waits() -> None:
    splitter = FrameSplitter()
    assert splitter.pending == 0
    splitter.feed(CLEAR + TRAIN[:20])
    assert splitter.pending == 20
    (frame,) = splitter.feed(TRAIN[20:])
    assert splitter.pending == 0
    assert frame.params.raw() == TRAIN[9:]


# --- properties

ints = st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | ints | st.floats() | st.binary(max_size=70)
values = st.recursive(
    scalars,
    lambda v: st.lists(v, max_size=20) | st.dictionaries(ints | st.binary(max_size=9), v, max_size=20),
    max_leaves=60,
)


def depth_of(v: object) -> int:
    if isinstance(v, dict):
        v = list(v.values())
    return 1 + max(map(depth_of, v), default=0) if isinstance(v, list) else 0


@given(values)
def test_round_trips_agree_with_msgpack(value: object) -> None:
    packed = pack(value)
    other = msgpack.unpackb(packed, raw=True, strict_map_key=False)
    assert repr(other) == repr(unpack(packed))
    assert pack(other) == packed
    for bin_type in (False, True):
        theirs = msgpack.packb(value, use_bin_type=bin_type)
        assert pack(unpack(theirs)) == packed
        r = Reader(theirs + b"\xc0")
        assert r.raw() == theirs


messages = st.builds(
    lambda i, m, p: [0, i, m, p], st.integers(0, 2**32 - 1), st.binary(max_size=40), st.lists(values, max_size=5)
) | st.builds(lambda m, p: [2, m, p], st.binary(max_size=9), st.lists(values, max_size=3))


@given(st.lists(messages, max_size=6), st.data())
def test_any_chunking_gives_the_same_frames(sent: list[Any], data: st.DataObject) -> None:
    sent = [m for m in sent if depth_of(m) <= 32]
    packed = [pack(m) for m in sent]
    stream = b"".join(packed)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter = FrameSplitter()
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += splitter.feed(stream[start:end])
    assert splitter.failure is None
    assert splitter.pending == 0
    assert [f.size for f in got] == [len(p) for p in packed]
    assert [(f.kind, f.method, pack(f.params.unpack())) for f in got] == [(m[0], m[-2], pack(m[-1])) for m in sent]
    assert [f.msgid for f in got] == [m[1] if m[0] == 0 else 0 for m in sent]


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_broken_stream_breaks_alike_however_it_is_cut(junk: bytes, at: int) -> None:
    whole, cut = FrameSplitter(), FrameSplitter()
    one = whole.feed(CLEAR + junk)
    two = [f for part in (CLEAR[:5], CLEAR[5:] + junk[:at], junk[at:]) for f in cut.feed(part)]
    assert [(f.method, f.size) for f in one] == [(f.method, f.size) for f in two]
    assert whole.failure == cut.failure


def test_an_array_that_is_the_key_of_a_map_is_read_as_a_tuple() -> None:
    assert unpack(bytes.fromhex("81 92 90 91 a1 61 05")) == {((), (b"a",)): 5}
    for key in ("80", "91 80"):
        with pytest.raises(BadArguments):
            unpack(bytes.fromhex(f"81 {key} 05"))
