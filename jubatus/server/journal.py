"""The journal of a server: every update is written before its reply leaves.

The core keeps the records of one turn of the event loop and the replies that belong to them (``_core.wire.turn``). At
the end of the turn all records are handed to the system in one write, and the replies leave. They are on the disk
within a second (``everysec``), or the replies wait until they are (``always``): meanwhile the loop goes on, and what
comes until then shares the next write.

A new segment begins with each snapshot. When the snapshot is whole, older files go.

Where a write fails, the updates of that turn are answered with an error, and further ones are refused until the records
could be written. The model has those updates already, so they are not taken back; they may still come into the journal.
"""

import asyncio
import errno
import fcntl
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Lock as Mutex
from typing import Any

from jubatus._core.model import Model
from jubatus._core.wire import Reader, Turn, error_reply, release
from jubatus.errors import JournalError, ModelFileError
from jubatus.server import storage
from jubatus.server.dispatch import BoundMethod, Dispatcher
from jubatus.server.recovery import Recovery
from jubatus.server.segments import Header, list_folder, pack_header, segment_path, snapshot_path
from jubatus.server.settings import ALWAYS, Durability
from jubatus.server.snapshots import wait_for_child, write_in_child

log = logging.getLogger("jubatus")

TICK = 1.0
"""Seconds between two looks at what is not on the disk yet, and at whether a snapshot is due."""

LARGE = 1 << 20
"""Bytes of records that are written on a thread: they would hold up the event loop."""

PAUSE = 5.0
"""Seconds after a snapshot that could not be written until the next one is tried."""


class Output:
    """A segment that is written.

    Args:
        folder: of the journal.
        sequence: number of the segment.
        header: the bytes with which a new one begins; None to go on with one that is there.

    Attributes:
        sequence: the same.
        size: bytes that are written for certain.

    Raises:
        OSError: it cannot be written; no file is left then.
    """

    def __init__(self, folder: str, sequence: int, header: bytes | None = None) -> None:
        self.sequence = sequence
        self._folder = folder
        self._path = segment_path(folder, sequence)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (0 if header is None else os.O_CREAT | os.O_EXCL)
        self._file = os.open(self._path, flags, 0o666)
        self._is_known = header is None  # to its folder, for certain
        self._is_clean = True
        self.size = os.fstat(self._file).st_size
        if header is not None:
            try:
                self.write(header)
            except OSError:
                os.close(self._file)
                os.unlink(self._path)
                raise

    def write(self, data: bytes) -> None:
        """Hand bytes to the system: all, or none; raise OSError."""
        if not self._is_clean:
            os.ftruncate(self._file, self.size)
            self._is_clean = True
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            self._is_clean = False
            with suppress(OSError):
                os.ftruncate(self._file, self.size)
                self._is_clean = True
            raise
        self.size += len(data)

    def sync(self) -> None:
        """Wait until everything is on the disk; raise OSError."""
        os.fdatasync(self._file)
        if not self._is_known:
            storage.sync_folder(self._folder)
            self._is_known = True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Journal:
    """The journal of a server, and its snapshots.

    Args:
        settings: what the options say of it.
        service: name of the service.
        config: text of the configuration.
        model: what is journalled.

    Attributes:
        turn: takes the records of updates; for the dispatcher's shortcuts.

    Raises:
        JournalError: the folder cannot be used, or another process uses it.
    """

    def __init__(self, settings: Durability, service: str, config: bytes, model: Model) -> None:
        self.turn = Turn(self._wake)
        self._settings = settings
        self._folder = settings.journal
        self._always = settings.sync == ALWAYS
        self._service = service
        self._config = config
        self._model = model
        self._syncing = Mutex()
        self._mutex = Mutex()  # for `_output` and `_queue`, of which a load on a thread begins a new one
        self._queue: deque[tuple[Output, bytes]] = deque()
        self._unsynced: dict[int, Output] = {}
        self._before = 0
        self._replayed = 0
        self._snapshot = (0, 0.0, 0)  # its number, when it was written, and how many updates there were
        self._not_before = 0.0
        self._pause = 0.0
        self._committing = self._again = False
        self._needs_snapshot = False
        self._snapshots = asyncio.Lock()
        self._ticker: asyncio.Task[None] | None = None
        self._asked: set[asyncio.Task[None]] = set()
        self._pool = ThreadPoolExecutor(3, "journal")
        self._dispatcher: Dispatcher | None = None
        self._lock = lock_folder(self._folder)

    def recover(self, methods: Mapping[bytes, BoundMethod], *, has_learned: bool) -> None:
        """Bring the model to where the journal ends, and go on writing there.

        Args:
            methods: carry out the updates.
            has_learned: whether the model is from a file; where the journal has anything, it takes the place of that.

        Raises:
            JournalError: the journal is damaged, or of another service or configuration.
        """
        try:
            self._remove_unfinished()
            self._resume(methods, has_learned)
        except BaseException as error:
            self._pool.shutdown()
            os.close(self._lock)
            if isinstance(error, OSError):
                raise JournalError(f"cannot write the journal {self._folder}: {error.strerror}") from error
            if isinstance(error, ModelFileError):
                raise JournalError(str(error)) from error
            raise

    def _resume(self, methods: Mapping[bytes, BoundMethod], has_learned: bool) -> None:
        found = Recovery(self._folder, self._service, self._config, self._model, methods).run()
        self._replayed, self._before = found.replayed, found.count
        if found.last:
            when = os.stat(snapshot_path(self._folder, found.snapshot)).st_mtime if found.snapshot else time.time()
            self._snapshot = (found.snapshot, when, found.count - found.replayed)
            self._output = Output(self._folder, found.last)
            log.info("the journal %s has %d updates, of which %d were replayed", self._folder, found.count,
                     found.replayed)  # fmt: skip
            return
        self._output = Output(self._folder, 1, self._header(empty=not has_learned))
        self._output.sync()
        self._snapshot = (0, time.time(), 0)
        if has_learned:
            self._save(1, self._model.pack())
            self._snapshot = (1, time.time(), 0)

    def begin(self, dispatcher: Dispatcher) -> None:
        """Start to look after what is written; called on the event loop."""
        self._dispatcher = dispatcher
        loop = asyncio.get_running_loop()
        self._ticker = loop.create_task(self._tick())
        loop.add_signal_handler(signal.SIGUSR2, self._ask)

    def _ask(self) -> None:
        """Write a snapshot, as a signal asks for."""
        log.info("caught SIGUSR2")
        self._start_snapshot()

    def _start_snapshot(self) -> None:
        """Write a snapshot behind whatever comes, one that is under way included."""
        task = asyncio.get_running_loop().create_task(self.snapshot())
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def end(self) -> None:
        """Write a last snapshot; what comes afterwards is in the journal."""
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
        await self.snapshot()

    def close(self) -> None:
        """Bring everything to the disk and let go of the folder."""
        try:
            self._write()
            self._sync()
        except OSError as error:
            log.error("cannot write the journal %s: %s", self._folder, error.strerror)
        self._pool.shutdown()
        self._output.close()
        os.close(self._lock)

    def status(self) -> dict[str, str]:
        """Return the entries of get_status."""
        segments, snapshots = list_folder(self._folder)
        number, when, _ = self._snapshot
        size = 0
        for sequence in segments:
            with suppress(OSError):  # it may go just now
                size += os.stat(segment_path(self._folder, sequence)).st_size
        return {
            "journal_records": str(self._before + self.turn.count),
            "journal_replayed": str(self._replayed),
            "journal_segments": str(len(segments)),
            "journal_bytes": str(size),
            "journal_error": self.turn.refusing or "",
            "snapshots": str(len(snapshots)),
            "last_snapshot": str(int(when)) if number else "0",
            "last_snapshot_pause_ms": f"{self._pause:.1f}",
            "last_snapshot_path": snapshot_path(self._folder, number) if number else "",
        }

    # Writing.

    def _wake(self) -> None:
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Write what the turn brought, and let its replies leave; with ``always``, when it is on the disk."""
        if self._committing:
            self._again = True
            return
        held = self.turn.take_held()
        if self._always or self.turn.size > LARGE:
            self._committing, self._again = True, False
            future = asyncio.get_running_loop().run_in_executor(self._pool, self._commit)
            future.add_done_callback(partial(self._committed, held))
            return
        try:
            self._write()
        except OSError as error:
            self._refuse(error)
            held = [refused(each, self.turn.refusing or "") for each in held]
        else:
            self._accept()
        release(held)

    def _commit(self) -> None:
        self._write()
        if self._always:
            self._sync()

    def _committed(self, held: list[Any], future: asyncio.Future[None]) -> None:
        self._committing = False
        error = future.exception()
        if isinstance(error, OSError):
            self._refuse(error)
            held = [refused(each, self.turn.refusing or "") for each in held]
        elif error is not None:
            raise error
        else:
            self._accept()
        release(held)
        if self._again:
            self._flush()

    def _write(self) -> None:
        """Hand all records to the system; raise OSError, and keep what is left."""
        with self._mutex:
            if records := self.turn.take_records():
                self._queue.append((self._output, records))
        while self._queue:
            output, records = self._queue[0]
            if records:
                output.write(records)
            with self._mutex:
                if records or output is not self._output:
                    self._unsynced[output.sequence] = output
                self._queue.popleft()

    def _sync(self) -> None:
        """Wait until everything that was written is on the disk; raise OSError."""
        with self._syncing:
            with self._mutex:
                unsynced, self._unsynced = self._unsynced, {}
            try:
                for _, output in sorted(unsynced.items()):
                    output.sync()
            except OSError:
                # What the system dropped is known to nobody: only a snapshot has it all for certain.
                self._needs_snapshot = True
                raise
            with self._mutex:
                for number, output in unsynced.items():
                    is_wanted = number in self._unsynced or any(output is each for each, _ in self._queue)
                    if output is not self._output and not is_wanted:
                        output.close()

    def _refuse(self, error: OSError) -> None:
        """Refuse updates from now on."""
        text = (
            f"the update is not in the journal, and further ones are refused until it can be written: {error.strerror}"
        )
        if self.turn.refusing is None:
            log.error("cannot write the journal %s: %s", self._folder, error.strerror)
        self.turn.refusing = text

    def _accept(self) -> None:
        """Accept updates again, if everything is written."""
        if self.turn.refusing is not None and not self._needs_snapshot:
            log.info("the journal %s is written again", self._folder)
            self.turn.refusing = None

    async def _tick(self) -> None:
        """Bring to the disk what was written, and take a snapshot when it is due."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK)
            if self._is_due() and not self._asked:
                self._start_snapshot()
            if self.turn.refusing is not None:
                self._flush()
            elif self._unsynced and not self._always:
                try:
                    await loop.run_in_executor(self._pool, self._sync)
                except OSError as error:
                    self._refuse(error)

    def _is_due(self) -> bool:
        if time.time() < self._not_before:
            return False
        if self._needs_snapshot:
            return True
        _, when, count = self._snapshot
        new = self._before + self.turn.count - count
        interval, updates = self._settings.interval, self._settings.updates
        return new > 0 and ((interval > 0 and time.time() - when >= interval) or 0 < updates <= new)

    # Snapshots.

    async def snapshot(self) -> None:
        """Write a snapshot while updates go on, if there were any since the last one; then remove what is older."""
        assert self._dispatcher is not None
        loop = asyncio.get_running_loop()
        async with self._snapshots:
            if self._before + self.turn.count == self._snapshot[2] and not self._needs_snapshot:
                return
            if not self._needs_snapshot:
                with suppress(OSError):  # then little is left to be written when the segment is changed
                    await loop.run_in_executor(self._pool, self._sync)
            begun: list[tuple[int, int, int, int]] = []
            started = time.time()
            pause = 0.0

            def begin() -> bytes:
                nonlocal pause
                stopped = time.perf_counter()
                count = self._before + self.turn.count
                output = self._cut()
                begun.append((output.sequence, count, *write_in_child(partial(self._save, output.sequence))))
                pause = 1000 * (time.perf_counter() - stopped)
                return b""

            try:
                await self._dispatcher.at_rest(begin)
                sequence, count, child, pipe = begun[0]
                complaint = await loop.run_in_executor(self._pool, wait_for_child, child, pipe)
            except OSError as error:
                complaint = error.strerror or str(error)
            if complaint:
                log.error("cannot write a snapshot of the journal %s: %s", self._folder, complaint)
                self._not_before = started + PAUSE
                return
            self._pause = pause
            self._note(sequence, started, count)

    def replace(self, driver: bytes, become: Callable[[], None]) -> None:
        """Replace the model by another one, which is a snapshot before this returns.

        Runs on a thread while nothing else changes the model.

        Args:
            driver: the other model, packed.
            become: makes it the model; raises if it cannot.

        Raises:
            ModelFileError: the snapshot cannot be written. Updates are refused then until one can be.
        """
        become()
        count, started = self._before + self.turn.count, time.time()
        try:
            output = self._cut()
            output.sync()
            self._save(output.sequence, driver)
        except (OSError, ModelFileError) as error:
            self._needs_snapshot = True
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self.turn.refusing = f"updates are refused until the model that was loaded is in a snapshot: {reason}"
            raise ModelFileError(f"the model was loaded, but it is in no snapshot: {reason}") from error
        self._note(output.sequence, started, count)

    def _cut(self) -> Output:
        """Begin a new segment; raise OSError."""
        output = Output(self._folder, self._output.sequence + 1, self._header(empty=False))
        with self._mutex:
            self._queue.append((self._output, self.turn.take_records()))
            self._unsynced[self._output.sequence] = self._output
            self._output = output
            self._unsynced[output.sequence] = output
        return output

    def _header(self, empty: bool) -> bytes:
        before = self._before + self.turn.count
        return pack_header(Header(self._service, self._config, before, empty, self._model.pack_aside()))

    def _save(self, sequence: int, driver: bytes | None = None) -> None:
        """Write a snapshot; raise ModelFileError."""
        parts = storage.pack_model_file(
            type=self._service,
            id="snapshot",
            config=self._config,
            driver=self._model.pack() if driver is None else driver,
            timestamp=int(time.time()),
        )
        storage.save(snapshot_path(self._folder, sequence), parts)

    def _note(self, sequence: int, started: float, count: int) -> None:
        """Note that a snapshot is whole, and remove what is not needed any more."""
        self._snapshot = (sequence, started, count)
        self._needs_snapshot = False
        log.info("the snapshot %s is written", snapshot_path(self._folder, sequence))
        segments, snapshots = list_folder(self._folder)
        if len(snapshots) < self._settings.keep:
            return  # so far the beginning of the journal takes the place of one
        kept = snapshots[-self._settings.keep]
        try:
            for old in snapshots:
                if old < kept:
                    os.unlink(snapshot_path(self._folder, old))
            for old in segments:
                if old < kept:
                    os.unlink(segment_path(self._folder, old))
        except OSError as error:
            log.warning("cannot remove old files of the journal %s: %s", self._folder, error.strerror)

    def _remove_unfinished(self) -> None:
        """Remove what is left of snapshots that were under way."""
        for name in os.listdir(self._folder):
            if name.startswith(".jubatus-") and name.endswith(".tmp"):
                os.unlink(os.path.join(self._folder, name))


def lock_folder(folder: str) -> int:
    """Return the descriptor of a lock that no other process has; raise JournalError."""
    path = os.path.join(folder, "lock")
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise JournalError(f"cannot write the journal {folder}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise JournalError(f"another process uses the journal {folder}") from error
        raise JournalError(f"cannot lock the journal {folder}: {error.strerror}") from error
    return descriptor


def refused(held: Any, text: str) -> Any:
    """Turn the replies to updates that could not be written into errors; those to other requests stay."""
    conversation, replies, updates = held
    if not updates:
        return held
    reader, numbers, pieces = Reader(replies), set(updates), []
    while not reader.at_end:
        start = reader.offset
        reader.array()
        reader.integer()
        number = reader.integer()
        reader.skip()
        reader.skip()
        pieces.append(error_reply(number, text) if number in numbers else replies[start : reader.offset])
    return conversation, b"".join(pieces), None
