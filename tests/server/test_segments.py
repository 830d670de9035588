from pathlib import Path

import pytest

from jubatus._core.wire import frame_record, pack
from jubatus.errors import BadArguments, JournalError
from jubatus.server.segments import (
    MAGIC,
    Header,
    Segment,
    list_folder,
    pack_header,
    parse_update,
    segment_path,
    snapshot_path,
)
from tests.conftest import packed

HEADER = Header("stat", b"{}", 7, False, b"aside")


def write(folder: Path, *records: bytes, header: bytes = pack_header(HEADER)) -> str:
    path = folder / "segment"
    path.write_bytes(header + b"".join(map(frame_record, records)))
    return str(path)


def test_a_segment_tells_what_was_written(tmp_path: Path) -> None:
    segment = Segment(write(tmp_path, b"one", b"", b"three"))
    assert segment.header == HEADER
    assert [payload for _, payload in segment.records()] == [b"one", b"", b"three"]
    assert segment.end == segment.size
    segment.close()


def test_a_record_that_is_cut_off_ends_the_segment(tmp_path: Path) -> None:
    path = write(tmp_path, b"one", b"two" * 10)
    data = Path(path).read_bytes()
    start = len(data) - len(frame_record(b"two" * 10))
    for size in range(start, len(data)):
        Path(path).write_bytes(data[:size])
        segment = Segment(path)
        assert [payload for _, payload in segment.records()] == [b"one"]
        assert (segment.end, segment.size) == (start, size)
        segment.close()
    for zeros in (12, 13, 1 << 17):
        Path(path).write_bytes(data[:start] + bytes(zeros))
        segment = Segment(path)
        assert [payload for _, payload in segment.records()] == [b"one"]
        assert segment.end == start
        segment.close()


def test_a_bit_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, b"one", b"two")
    data = Path(path).read_bytes()
    first = len(pack_header(HEADER))
    second = first + len(frame_record(b"one"))
    for at in range(len(data)):
        for bit in range(8):
            Path(path).write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
            with pytest.raises(JournalError) as caught, Segment(path) as segment:
                list(segment.records())
            place = (
                "is no segment of a journal"
                if at < len(MAGIC)
                else ": the header at byte 8 is damaged"
                if at < first
                else f": the record 8 at byte {first} is damaged"
                if at < second
                else f": the record 9 at byte {second} is damaged"
            )
            assert str(caught.value).startswith(path)
            assert str(caught.value).endswith(place)


def test_a_segment_that_ends_within_its_header_has_none(tmp_path: Path) -> None:
    data = pack_header(HEADER)
    for begun in [*(data[:size] for size in range(len(data))), bytes(5), bytes(1 << 17), MAGIC + bytes(100)]:
        (tmp_path / "segment").write_bytes(begun)
        segment = Segment(str(tmp_path / "segment"))
        assert (segment.header, segment.end) == (None, 0)
        segment.close()


@pytest.mark.parametrize(
    "header, text",
    [
        (b"jubatus\0", "is no segment of a journal"),
        (MAGIC + frame_record(pack([2, "stat", b"{}", 0, True, b""])), "is of format 2, 1 is expected"),
        (MAGIC + frame_record(pack([1, "stat", b"{}", 0, True])), "the header cannot be read"),
        (MAGIC + frame_record(pack([1, "stat", b"{}", 0, True, b"", 5])), "the header cannot be read"),
        (MAGIC + frame_record(pack([1, b"\xff", b"{}", 0, True, b""])), "the header cannot be read"),
        (MAGIC + frame_record(b""), "the header cannot be read"),
    ],
)
def test_what_is_no_segment(tmp_path: Path, header: bytes, text: str) -> None:
    with pytest.raises(JournalError, match=text):
        Segment(write(tmp_path, header=header))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=f"cannot read {tmp_path}/none: No such file or directory"):
        Segment(f"{tmp_path}/none")


def test_the_files_of_a_folder(tmp_path: Path) -> None:
    folder = str(tmp_path)
    for path in (segment_path(folder, 12), segment_path(folder, 3), snapshot_path(folder, 12)):
        Path(path).touch()
    for name in ("lock", "journal-1.log", f"snapshot-{1:020}.jubatus.tmp", f"journal-{1:020}_log"):
        (tmp_path / name).touch()
    assert list_folder(folder) == ([3, 12], [12])


def test_updates_are_parsed() -> None:
    name, params, good = parse_update(packed("push") + packed(["", "key"]) + b"\xc3")
    assert (name, params.unpack(), params.at_end, good) == (b"push", [b"", b"key"], True, True)
    assert parse_update(packed("push") + packed([""]) + b"\xc2")[2] is False
    for broken in (b"", b"\xc3", b"\x01\xc3"):
        with pytest.raises(BadArguments):
            parse_update(broken)
