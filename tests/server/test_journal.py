import asyncio
import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from jubatus._core.wire import pack
from jubatus.errors import JournalError
from jubatus.server.journal import Output, lock_folder, refused
from jubatus.server.segments import Segment, list_folder
from tests.cli.test_server import refusal
from tests.conftest import Peer, Running, Start, command, packed, wait_for
from tests.server.journals import Kept, segment, told

CONFIG = {"window_size": 1000}
PUSH: tuple[str, Any] = ("a", 1.0)
SYNCS = pytest.mark.parametrize("sync", ["everysec", "always"])


def snapshots(folder: Path) -> list[int]:
    return list_folder(str(folder))[1]


def limit(running: Running, size: int) -> None:
    """Let no file of a server grow beyond a size."""
    hard = resource.prlimit(running.proc.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(running.proc.pid, resource.RLIMIT_FSIZE, (size, hard))


def total(peer: Peer) -> float:
    """Return the sum of the numbers that were acknowledged."""
    found: float = peer.result("sum", "a")
    return found


@SYNCS
def test_a_server_comes_back_with_what_it_acknowledged(server: Start, tmp_path: Path, sync: str) -> None:
    options = ("--journal", str(tmp_path / "journal"), "--journal_sync", sync)
    running = server("stat", CONFIG, *options)
    with running.peer() as peer:
        for _ in range(100):
            peer.result("push", *PUSH)
        assert peer.call("sum", "none")[0] is not None
        status = peer.status()
        assert (status["journal_records"], status["journal_replayed"], status["journal_error"]) == ("100", "0", "")
        assert (status["journal"], status["journal_sync"]) == (str(tmp_path / "journal"), sync)
        assert (status["journal_segments"], status["snapshots"], status["last_snapshot"]) == ("1", "0", "0")
        assert int(status["journal_bytes"]) == segment(tmp_path / "journal").stat().st_size
    running.proc.kill()
    running.proc.wait()
    again = server("stat", CONFIG, *options)
    with again.peer() as peer:
        assert total(peer) == 100
        assert peer.status()["journal_replayed"] == "100"
    assert again.stop() == 0
    with server("stat", CONFIG, *options).peer() as peer:
        assert total(peer) == 100
        status = peer.status()
        assert (status["journal_replayed"], status["snapshots"]) == ("0", "1")
        assert status["last_snapshot_path"] == str(tmp_path / "journal" / f"snapshot-{2:020}.jubatus")


@SYNCS
def test_replies_of_many_connections_and_requests_come_in_order(server: Start, tmp_path: Path, sync: str) -> None:
    running = server("stat", CONFIG, "--journal", str(tmp_path), "--journal_sync", sync)
    peers = [running.peer() for _ in range(8)]
    for peer in peers:
        peer.send(b"".join(packed([0, n, "push" if n % 3 else "sum", ["", *PUSH]]) for n in range(1, 301)))
        peer.send(packed([2, "push", ["", *PUSH]]))
    for peer in peers:
        assert [peer.reply()[:3] for _ in range(300)] == [[1, n, None] for n in range(1, 301)]
    wait_for(lambda: peers[0].status()["journal_records"] == str(8 * 201))
    for peer in peers:
        peer.close()


@SYNCS
def test_large_updates_among_small_ones(server: Start, tmp_path: Path, sync: str) -> None:
    options = ("--journal", str(tmp_path), "--journal_sync", sync)
    running = server("stat", CONFIG, *options)
    key = "k" * (3 << 20)
    with running.peer() as peer, running.peer() as other:
        for n in range(1, 6):
            peer.send(packed([0, n, "push", ["", key, 1.0]]))
            for _ in range(5):
                other.result("push", *PUSH)
            assert peer.reply()[:3] == [1, n, None]
    running.proc.kill()
    running.proc.wait()
    with server("stat", CONFIG, *options).peer() as peer:
        assert (total(peer), peer.result("sum", key)) == (25, 5)


@SYNCS
def test_a_full_disk_refuses_updates_until_it_has_room(server: Start, tmp_path: Path, sync: str) -> None:
    options = ("--journal", str(tmp_path), "--journal_sync", sync)
    running = server("stat", CONFIG, *options)
    acknowledged = 0
    with running.peer() as peer, running.peer() as other:
        limit(running, segment(tmp_path).stat().st_size + 1000)
        while True:
            error, _ = peer.call("push", *PUSH)
            if error is not None:
                break
            acknowledged += 1
        assert 5 < acknowledged < 50
        text = "the update is not in the journal, and further ones are refused until it can be written: File too large"
        assert error.decode() == text
        for _ in range(3):
            peer.send(packed([0, 1, "push", ["", *PUSH]]) + packed([0, 2, "sum", ["", "a"]]))
            assert peer.reply() == [1, 1, text.encode(), None]
            assert peer.reply()[:3] == [1, 2, None]
            assert other.call("clear") == (text.encode(), None)
        assert peer.status()["journal_error"] == text
        limit(running, resource.RLIM_INFINITY)
        wait_for(lambda: peer.call("push", *PUSH)[0] is None)
        acknowledged += 1
        assert peer.status()["journal_error"] == ""
        there = total(peer)
    assert acknowledged <= there <= acknowledged + 1  # the one whose write failed was done
    running.proc.kill()
    running.proc.wait()
    with server("stat", CONFIG, *options).peer() as peer:
        assert total(peer) == there


def test_snapshots_by_signal_number_and_time(server: Start, tmp_path: Path) -> None:
    running = server("stat", CONFIG, "--journal", str(tmp_path), "--snapshot_updates", "20", "--snapshot_keep", "3")
    with running.peer() as peer:
        running.proc.send_signal(signal.SIGUSR2)  # nothing is new, or it is too early
        peer.result("push", *PUSH)
        assert snapshots(tmp_path) == []
        running.proc.send_signal(signal.SIGUSR2)
        wait_for(lambda: snapshots(tmp_path) == [2])
        for last in (3, 4, 5):
            for _ in range(20):
                peer.result("push", *PUSH)
            wait_for(lambda last=last: last in snapshots(tmp_path))
        wait_for(lambda: list_folder(str(tmp_path)) == ([3, 4, 5], [3, 4, 5]))
        assert total(peer) == 61
    timed = server("stat", CONFIG, "--journal", str(tmp_path / "timed"), "--snapshot_interval", "1")
    with timed.peer() as peer:
        peer.result("push", *PUSH)
        wait_for(lambda: snapshots(tmp_path / "timed"))
        assert peer.status()["snapshot_interval"] == "1"


def test_a_snapshot_is_an_ordinary_model_file(server: Start, tmp_path: Path) -> None:
    running = server("stat", CONFIG, "--journal", str(tmp_path / "journal"))
    with running.peer() as peer:
        peer.result("push", *PUSH)
    assert running.stop() == 0
    (path,) = (tmp_path / "journal").glob("snapshot-*.jubatus")
    other = server("stat", CONFIG, "-m", str(path), "--journal", str(tmp_path / "other"))
    with other.peer() as peer:
        assert total(peer) == 1
        peer.result("push", *PUSH)
    other.proc.kill()
    other.proc.wait()
    with server("stat", CONFIG, "-m", str(path), "--journal", str(tmp_path / "other")).peer() as peer:
        assert total(peer) == 2  # the journal takes the place of the file


def test_a_snapshot_that_cannot_be_written_leaves_the_journal(server: Start, tmp_path: Path) -> None:
    running = server("stat", {"window_size": -1}, "--journal", str(tmp_path))
    with running.peer() as peer:
        for _ in range(200):
            peer.result("push", *PUSH)
        limit(running, 2000)
        running.proc.send_signal(signal.SIGUSR2)
        wait_for(lambda: "cannot write a snapshot of the journal" in running.output())
        limit(running, resource.RLIM_INFINITY)
        peer.result("push", *PUSH)
        assert list_folder(str(tmp_path)) == ([1, 2], [])
    running.proc.kill()
    running.proc.wait()
    with server("stat", {"window_size": -1}, "--journal", str(tmp_path)).peer() as peer:
        assert total(peer) == 201


def test_a_load_is_a_snapshot_before_its_reply_leaves(server: Start, tmp_path: Path) -> None:
    options = ("--journal", str(tmp_path / "journal"), "-d", str(tmp_path))
    running = server("stat", CONFIG, *options)
    with running.peer() as peer:
        peer.result("push", *PUSH)
        peer.result("save", "one")
        for _ in range(10):
            peer.result("push", *PUSH)
        assert peer.result("load", "one") is True
        peer.result("push", *PUSH)
        assert peer.call("load", "none")[0].startswith(b"cannot open input file")
        peer.result("push", *PUSH)
        assert (total(peer), peer.status()["journal_records"]) == (3, "13")
    running.proc.kill()
    running.proc.wait()
    with server("stat", CONFIG, *options).peer() as peer:
        assert (total(peer), peer.status()["journal_replayed"]) == (3, "2")


def test_a_load_that_is_in_no_snapshot_refuses_updates(server: Start, tmp_path: Path) -> None:
    options = ("--journal", str(tmp_path / "journal"), "-d", str(tmp_path))
    running = server("stat", {"window_size": -1}, *options)
    with running.peer() as peer:
        for _ in range(200):
            peer.result("push", *PUSH)
        peer.result("save", "many")
        peer.result("clear")
        peer.result("push", *PUSH)
        limit(running, 2500)
        error, _ = peer.call("load", "many")
        assert error.startswith(b"the model was loaded, but it is in no snapshot: cannot write output file: ")
        assert peer.call("push", *PUSH)[0].startswith(
            b"updates are refused until the model that was loaded is in a snap"
        )
        limit(running, resource.RLIM_INFINITY)
        wait_for(lambda: peer.call("push", *PUSH)[0] is None)
        assert total(peer) == 201
    running.proc.kill()
    running.proc.wait()
    with server("stat", {"window_size": -1}, *options).peer() as peer:
        assert total(peer) == 201


def test_one_server_has_a_journal(server: Start, tmp_path: Path) -> None:
    running = server("stat", CONFIG, "--journal", str(tmp_path))
    done = command("stat", "-f", str(running.config), "-b", "127.0.0.1", "-p", "1", "--journal", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, f"another process uses the journal {tmp_path}\n")
    tested = command("stat", "-f", str(running.config), "-T", "--journal", str(tmp_path))
    assert (tested.returncode, tested.stderr) == (0, "Configuration OK\n")


def test_a_child_that_outlives_its_server_holds_nothing(server: Start, tmp_path: Path) -> None:
    """A snapshot is under way when the server is killed; port and journal are free at once."""
    running = server("stat", CONFIG, "--journal", str(tmp_path))
    with running.peer() as peer:
        for _ in range(20):
            peer.result("push", *PUSH)
            running.proc.send_signal(signal.SIGUSR2)
    running.proc.kill()
    running.proc.wait()
    Running([*running.proc.args], running.folder, running.port).stop()  # type: ignore[misc]


@pytest.mark.parametrize(
    "options, line",
    [
        (
            ["-z", "z", "-n", "n", "--journal", "x"],
            "a journal in a cluster is not supported yet; see jubaweight --help",
        ),
        (
            ["-f", "/dev/null", "--journal_sync", "x"],
            "unsupported journal_sync (x): one of everysec, always is expected",
        ),
        (["-f", "/dev/null", "--snapshot_keep=0"], "option value is invalid: --snapshot_keep=0; see jubaweight --help"),
    ],
)
def test_refused_options(options: list[str], line: str) -> None:
    assert refusal(*options) == line


def test_a_damaged_journal_ends_the_start(server: Start, tmp_path: Path) -> None:
    kept = Kept(tmp_path, b'{"window_size": 1000}')
    kept.tell(("push", *PUSH), ("push", *PUSH))
    kept.close()
    path = segment(tmp_path)
    data = path.read_bytes()
    with Segment(str(path)) as read:
        offset = next(read.records())[0]
    path.write_bytes(data[: offset + 20] + b"\xff" + data[offset + 21 :])
    config = tmp_path / "config.json"
    config.write_text('{"window_size": 1000}')
    done = command("stat", "-f", str(config), "-b", "127.0.0.1", "-p", "1", "--journal", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, f"{path}: the record 1 at byte {offset} is damaged\n")


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=f"cannot write the journal {tmp_path}/file: "):
        lock_folder(str(tmp_path / "file"))
    first = lock_folder(str(tmp_path / "new" / "folder"))
    with pytest.raises(JournalError, match="another process uses the journal"):
        lock_folder(str(tmp_path / "new" / "folder"))
    os.close(first)
    os.close(lock_folder(str(tmp_path / "new" / "folder")))


def test_what_an_unfinished_snapshot_left_is_removed(tmp_path: Path) -> None:
    Kept(tmp_path).close()
    (tmp_path / ".jubatus-1-1.tmp").touch()
    Kept(tmp_path).close()
    assert not (tmp_path / ".jubatus-1-1.tmp").exists()


def test_replies_to_updates_that_are_not_written_become_errors() -> None:
    replies = pack([1, 1, None, 5]) + pack([1, 2, None, True]) + pack([1, 3, None, None])
    conversation = object()
    assert refused((conversation, replies, None), "no") == (conversation, replies, None)
    _, changed, updates = refused((conversation, replies, [1, 3]), "no")
    assert changed == pack([1, 1, "no", None]) + pack([1, 2, None, True]) + pack([1, 3, "no", None])
    assert updates is None


def test_what_is_written_comes_to_the_disk_while_a_snapshot_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    class Still:
        """A dispatcher whose model is never at rest."""

        def at_rest(self, work: object) -> asyncio.Future[bytes]:
            return asyncio.get_running_loop().create_future()

    async def run(kept: Kept) -> None:
        kept.journal.begin(Still())  # type: ignore[arg-type]
        for _ in range(3):
            kept.tell(("push", *PUSH))
            while kept.journal._unsynced:
                await asyncio.sleep(0.002)
            synced.append(len(kept.journal._asked))
        assert kept.journal._ticker is not None
        for task in (kept.journal._ticker, *kept.journal._asked):
            task.cancel()

    monkeypatch.setattr("jubatus.server.journal.TICK", 0.01)
    kept = Kept(tmp_path, updates=1)
    asyncio.run(asyncio.wait_for(run(kept), 10))
    kept.close()
    assert synced[1:] == [1, 1]


def test_a_segment_that_is_changed_while_it_is_synced_is_closed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path)
    kept.tell(("push", *PUSH))
    before = len(os.listdir("/proc/self/fd"))
    sync = Output.sync

    def sync_and_cut(self: Output) -> None:
        monkeypatch.setattr(Output, "sync", sync)
        sync(self)
        kept.tell(("push", *PUSH))
        kept.cut()

    monkeypatch.setattr(Output, "sync", sync_and_cut)
    kept.journal._sync()
    for _ in range(3):
        kept.journal._sync()
        kept.tell(("push", *PUSH))
    assert len(os.listdir("/proc/self/fd")) == before
    model = kept.close()
    assert told(tmp_path) == model
