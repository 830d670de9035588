import logging
import os
from pathlib import Path

import pytest

from jubatus._core.wire import frame_record
from jubatus.errors import JournalError
from jubatus.server.segments import HEAD, Header, pack_header, snapshot_path
from tests.conftest import packed
from tests.server.journals import CONFIG, Kept, segment, told

PUSHES = [("push", "a", 1.0), ("push", "b", 2.5), ("push", "a", -3.0), ("push", "c", 4.0)]


def test_every_update_is_done_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES, ("clear",), *PUSHES[:2])
    model = kept.close()
    again = Kept(tmp_path)
    assert (again.status("journal_records"), again.status("journal_replayed")) == ("7", "7")
    again.tell(("push", "d", 1.0))
    longer = again.close()
    assert (again.content() == model, told(tmp_path)) == (False, longer)


def test_only_what_came_after_the_snapshot_is_done_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES)
    kept.snapshot()
    kept.tell(*PUSHES[:1])
    kept.cut()
    kept.tell(*PUSHES[1:3])
    model = kept.close()
    again = Kept(tmp_path)
    assert (again.status("journal_records"), again.status("journal_replayed")) == ("7", "3")
    assert again.close() == model


def test_a_refused_update_may_have_done_a_part(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES)
    (path,) = tmp_path.glob("*.log")
    with path.open("ab") as file:
        file.write(frame_record(packed("push") + packed(["", 5]) + b"\xc2"))
    model = kept.close()
    assert told(tmp_path) == model


@pytest.mark.parametrize(
    "payload, text",
    [
        (packed("push") + packed(["", 5]) + b"\xc3", "cannot be done again"),
        (packed("sum") + packed(["", "a"]) + b"\xc3", "is no update: sum"),
        (packed("load") + packed(["", "a"]) + b"\xc3", "is no update: load"),
        (packed("none") + packed(["", "a"]) + b"\xc3", "is no update: none"),
        (b"\xc3", "cannot be read"),
    ],
)
def test_a_record_that_cannot_be_done_again(tmp_path: Path, payload: bytes, text: str) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES)
    kept.close()
    path = segment(tmp_path)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(frame_record(payload))
    with pytest.raises(JournalError) as caught:
        Kept(tmp_path)
    assert str(caught.value).startswith(f"{path}: the record 5 at byte {size} {text}")


def test_a_torn_end_is_cut_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At every byte of the last record."""
    kept = Kept(tmp_path)
    kept.tell(*PUSHES[:3])
    before = kept.content()
    path = segment(tmp_path)
    start = path.stat().st_size
    kept.tell(PUSHES[3])
    kept.close()
    data = path.read_bytes()
    for size in range(start + 1, len(data)):
        path.write_bytes(data[:size])
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert told(tmp_path) == before
        (line,) = caplog.messages
        assert line == f"{path}: the record 4 at byte {start} is cut off: {size - start} bytes are removed"
        assert path.read_bytes() == data[:start]


def test_damage_elsewhere_ends_the_start(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES)
    kept.close()
    path = segment(tmp_path)
    data = path.read_bytes()
    record = len(frame_record(packed("push") + packed(["", "a", 1.0]) + b"\xc3"))
    for number in range(1, 5):
        start = len(data) - record * (5 - number)
        for at in (start, start + 3, start + HEAD, start + record - 1):
            path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            with pytest.raises(JournalError) as caught:
                Kept(tmp_path)
            assert str(caught.value) == f"{path}: the record {number} at byte {start} is damaged"
    path.write_bytes(data)
    assert told(tmp_path) == kept.content()


def test_a_segment_that_ends_early_before_others_is_damaged(tmp_path: Path) -> None:
    """Nothing can be done on top of what is not there."""
    kept = Kept(tmp_path)
    kept.tell(*PUSHES[:2])
    before = kept.content()
    kept.cut()
    path = segment(tmp_path)
    data = path.read_bytes()
    start = path.stat().st_size - len(frame_record(packed("push") + packed(["", "b", 2.5]) + b"\xc3"))
    path.write_bytes(data[:-1])
    kept.tell(*PUSHES[2:])
    kept.close()
    with pytest.raises(JournalError, match=f"{path}: the record 2 at byte {start} is damaged"):
        Kept(tmp_path)
    path.write_bytes(data)
    with segment(tmp_path, 2).open("r+b") as file:
        file.truncate(len(pack_header(Header("stat", CONFIG, 2, False, kept.model.pack_aside()))))
    assert told(tmp_path) == before
    path.write_bytes(data[:-1])  # the power failed while the segment was changed: nothing came after it
    assert told(tmp_path) != before
    path.write_bytes(data[: start - 1])
    with pytest.raises(JournalError, match="goes on after"):
        told(tmp_path)
        Kept(tmp_path)


def test_a_segment_that_is_missing(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    for push in PUSHES:
        kept.tell(push)
        kept.cut()
    kept.close()
    segment(tmp_path, 3).unlink()
    with pytest.raises(JournalError, match=f"{segment(tmp_path, 3)} is missing"):
        Kept(tmp_path)


def test_a_segment_without_its_header_goes_if_it_is_the_last(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES)
    kept.cut()
    model = kept.close()
    path = segment(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert told(tmp_path) == model
    assert caplog.messages[0].startswith(f"{path}: cut off within its header")
    segment(tmp_path).write_bytes(b"")
    assert told(tmp_path) == Kept(tmp_path / "new").close()


@pytest.mark.parametrize("torn", [True, False])
def test_a_snapshot_that_is_not_whole_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, torn: bool
) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES[:2])
    kept.snapshot()
    kept.tell(PUSHES[2])
    kept.snapshot()
    kept.tell(PUSHES[3])
    model = kept.close()
    assert [int(path.name[9:29]) for path in sorted(tmp_path.glob("snapshot-*"))] == [2, 3]
    for sequence in (3, 2):
        path = Path(snapshot_path(str(tmp_path), sequence))
        data = path.read_bytes()
        path.write_bytes(data[:-1] if torn else data[:-1] + bytes([data[-1] ^ 1]))
        with caplog.at_level(logging.WARNING):
            if sequence == 3:
                assert told(tmp_path) == model
            else:
                with pytest.raises(JournalError, match="no snapshot is whole"):
                    Kept(tmp_path)
        assert f"the snapshot {path} is passed over: " in caplog.messages[-1]


def test_the_beginning_of_the_journal_counts_as_a_snapshot(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES[:2])
    kept.snapshot()
    kept.tell(*PUSHES[2:])
    model = kept.close()
    Path(snapshot_path(str(tmp_path), 2)).write_bytes(b"")
    assert told(tmp_path) == model


def test_snapshots_without_the_journal(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.tell(*PUSHES)
    kept.snapshot()
    kept.close()
    os.unlink(segment(tmp_path, 1))
    os.unlink(segment(tmp_path, 2))
    with pytest.raises(JournalError, match="there are snapshots, but no segment of the journal"):
        Kept(tmp_path)


def test_another_configuration(tmp_path: Path) -> None:
    Kept(tmp_path).close()
    Kept(tmp_path, b'{ "window_size" : 3 }').close()
    for config in (b'{"window_size": 4}', b'{"window_size": -1}'):
        with pytest.raises(JournalError, match=f"the configuration is not that of the journal {tmp_path}"):
            Kept(tmp_path, config)
