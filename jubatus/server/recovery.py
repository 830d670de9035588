"""From the files of a journal to the model that they tell of."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

from jubatus._core.model import Model
from jubatus._core.schema import json_equal, parse_json
from jubatus.errors import BadArguments, ConfigSyntaxError, JournalError, JubatusError, ModelFileError
from jubatus.server import storage
from jubatus.server.dispatch import BoundMethod
from jubatus.server.segments import Segment, list_folder, parse_update, segment_path, snapshot_path

log = logging.getLogger("jubatus")


@dataclass(frozen=True)
class Recovered:
    """How far a journal goes.

    Args:
        last: number of the last segment; 0 if there is none.
        count: how many updates the journal has.
        replayed: how many of them were done again.
        snapshot: number of the snapshot from which it went, or 0.
    """

    last: int = 0
    count: int = 0
    replayed: int = 0
    snapshot: int = 0


class Recovery:
    """Brings a model to where a journal ends.

    Args:
        folder: of the journal; no other process writes there.
        service: name of the service.
        config: text of the configuration.
        model: has learned nothing.
        methods: by name on the wire, what carries out the updates.
    """

    def __init__(
        self, folder: str, service: str, config: bytes, model: Model, methods: Mapping[bytes, BoundMethod]
    ) -> None:
        self._folder = folder
        self._service = service
        self._config = config
        self._model = model
        self._methods = methods

    def run(self) -> Recovered:
        """Take the newest whole snapshot and do again what came after it.

        Raises:
            JournalError: the journal is damaged, or of another service or configuration.
        """
        segments, snapshots = list_folder(self._folder)
        while segments and self._is_torn_off(segments[-1], segments[:-1], snapshots):
            segments.pop()
        if not segments:
            if snapshots:
                raise JournalError(f"{self._folder}: there are snapshots, but no segment of the journal")
            return Recovered()
        self._check(segments[-1])
        first = self._begin(segments, snapshots)
        missing = set(range(first, segments[-1] + 1)).difference(segments)
        if missing:
            raise JournalError(f"{segment_path(self._folder, min(missing))} is missing")
        count, replayed = self._replay(range(first, segments[-1] + 1))
        return Recovered(segments[-1], count, replayed, first if first in snapshots else 0)

    def _is_torn_off(self, last: int, before: list[int], snapshots: list[int]) -> bool:
        """Remove the last segment if it was cut off within its header; whether it was."""
        with self._open(last) as segment:
            pass
        if segment.header is not None or last in snapshots:
            return False
        log.warning("%s: cut off within its header: %d bytes are removed", segment.path, segment.size)
        os.unlink(segment.path)
        return True

    def _open(self, sequence: int) -> Segment:
        return Segment(segment_path(self._folder, sequence))

    def _check(self, sequence: int) -> None:
        """Raise JournalError if a segment is of another service or configuration."""
        with self._open(sequence) as segment:
            header = segment.header
        if header is None:
            raise JournalError(f"{segment.path}: the header at byte 8 is damaged")
        if header.service != self._service:
            raise JournalError(f"{segment.path} is of the service {header.service}, not of {self._service}")
        try:
            same = json_equal(parse_json(header.config), parse_json(self._config))
        except ConfigSyntaxError:
            same = False
        if not same:
            raise JournalError(
                f"the configuration is not that of the journal {self._folder}, which goes on only with the same one"
            )

    def _begin(self, segments: list[int], snapshots: list[int]) -> int:
        """Unpack the newest whole snapshot; return the number of the segment that goes on from there."""
        for sequence in reversed(snapshots):
            path = snapshot_path(self._folder, sequence)
            if sequence not in segments:
                log.warning("the snapshot %s is passed over: there is no segment that goes on from it", path)
                continue
            try:
                _config, driver = storage.load(path, type=self._service, config=None)
                self._model.unpack(driver)
                return sequence
            except ModelFileError as error:
                log.warning("the snapshot %s is passed over: %s", path, error)
        with self._open(segments[0]) as segment:
            pass
        if segment.header is None or not segment.header.empty:
            raise JournalError(f"{self._folder}: no snapshot is whole from which the journal goes on")
        return segments[0]

    def _replay(self, sequences: range) -> tuple[int, int]:
        """Do all updates again; return how many the journal has, and how many were done again."""
        first = count = -1
        torn: Segment | None = None
        for sequence in sequences:
            with self._open(sequence) as segment:
                if segment.header is None:
                    raise JournalError(f"{segment.path}: the header at byte 8 is damaged")
                if first < 0:
                    first = count = segment.header.before
                    self._go_on(segment)
                elif segment.header.before != count and torn is None:
                    raise JournalError(
                        f"{segment.path} goes on after {segment.header.before} updates, but there are {count} before it"
                    )
                for offset, payload in segment.records():
                    if torn is not None:
                        raise JournalError(f"{torn.path}: the record {count + 1} at byte {torn.end} is damaged")
                    count += 1
                    self._repeat(segment, count, offset, payload)
                if segment.end < segment.size:
                    torn = segment
        if torn is not None:
            self._cut(torn, count + 1, sequences[-1])
        return count, count - first

    def _go_on(self, segment: Segment) -> None:
        assert segment.header is not None
        try:
            self._model.unpack_aside(segment.header.aside)
        except ModelFileError as error:
            raise JournalError(f"{segment.path}: the header does not fit the model: {error}") from error

    def _repeat(self, segment: Segment, number: int, offset: int, payload: bytes) -> None:
        """Do an update again."""
        where = f"{segment.path}: the record {number} at byte {offset}"
        try:
            name, params, good = parse_update(payload)
        except BadArguments as error:
            raise JournalError(f"{where} cannot be read") from error
        bound = self._methods.get(name)
        if bound is None or not bound.recorded:
            raise JournalError(f"{where} is no update: {name.decode('utf-8', 'replace')}")
        try:
            bound.begin(params)
        except JubatusError as error:
            if good:
                raise JournalError(f"{where} cannot be done again: {error}") from error

    def _cut(self, torn: Segment, number: int, last: int) -> None:
        """Remove what is left of a record that was not written to its end."""
        log.warning(
            "%s: the record %d at byte %d is cut off: %d bytes are removed",
            torn.path, number, torn.end, torn.size - torn.end,
        )  # fmt: skip
        descriptor = os.open(torn.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, torn.end)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
