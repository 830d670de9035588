import msgpack
import pytest

from jubatus._core.wire import Reader, pack
from jubatus.errors import BadArguments
from jubatus.visor.argv import Argv

FIELDS = [
    9199, "", "lo", 11, 12, 13, 3, "classifier", "", "zk:2181", "jubaclassifier/tutorial", "/data", "/log", "/log.xml",
    "localhost", 5, 6, "skip_mixer", False, True,
]  # fmt: skip


def read(value: object) -> Argv:
    return Argv.read(Reader(msgpack.packb(value, use_bin_type=False)))


def test_there_and_back() -> None:
    got = read(FIELDS)
    assert (got.bind_if, got.timeout, got.zookeeper_timeout, got.interconnect_timeout) == ("lo", 11, 12, 13)
    assert (got.threadnum, got.interval_sec, got.interval_count, got.mixer) == (3, 5, 6, "skip_mixer")
    assert got.values() == FIELDS
    assert Argv.read(Reader(pack(got.values()))) == got


def test_fields_that_are_missing_have_their_defaults_and_further_ones_are_passed_over() -> None:
    assert read([]) == Argv()
    assert read(FIELDS[:4]) == Argv(bind_if="lo", timeout=11)
    assert read([*FIELDS, {"more": [1]}, None]) == read(FIELDS)


def test_what_follows_is_left_to_the_reader() -> None:
    reader = Reader(msgpack.packb([[1, "a", "b", 2, *FIELDS[4:], "more"], 7], use_bin_type=False))
    assert reader.array() == 2
    assert Argv.read(reader).bind_if == "b"
    assert reader.integer() == 7


@pytest.mark.parametrize("value", [{}, None, "x", ["9199"], [1, 2], [1, "", "", True], [*FIELDS[:18], 0]])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(BadArguments):
        read(value)


def test_text_that_is_no_utf8_comes_through() -> None:
    got = read([1, "", b"\xff\xfe"])
    assert msgpack.unpackb(pack(got.values()), raw=True)[2] == b"\xff\xfe"


def test_command_line() -> None:
    words = read(FIELDS).options(zookeeper="a:1,b:2", name="tutorial", port=9203)
    assert (
        words
        == (
            "-z a:1,b:2 -n tutorial -p 9203 -B lo -c 3 -t 11 -Z 12 -I 13 -d /data -l /log -g /log.xml -s 5 -i 6 -x skip_mixer"
        ).split()
    )


def test_empty_texts_are_empty_words() -> None:
    words = Argv().options(zookeeper="z", name="n", port=1)
    assert words[words.index("-B") + 1] == words[words.index("-l") + 1] == words[words.index("-g") + 1] == ""
    assert len(words) == 28
