"""Files of a journal: segments of records, and the snapshots that belong to them.

A segment is 8 bytes by which it is known, a record with its header, and one record an update (``_core.wire.turn`` says
how a record looks). Its number is part of its name. A snapshot is an ordinary model file. It has the number of the
segment that goes on from it, whose header has what the model file does not hold.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self
from zlib import crc32

from jubatus._core.wire import Reader, frame_record, pack
from jubatus.errors import BadArguments, JournalError

MAGIC = b"jubajrnl"
FORMAT = 1
HEAD = 12
"""Bytes of a record before its payload."""

_SEGMENT = re.compile(r"journal-([0-9]{20})\.log")
_SNAPSHOT = re.compile(r"snapshot-([0-9]{20})\.jubatus")


@dataclass(frozen=True)
class Header:
    """What a segment says of itself.

    Args:
        service: name of the service.
        config: text of the configuration.
        before: how many updates the journal had before this segment.
        empty: whether the model was a new one here, so that no snapshot is needed.
        aside: what the model packed aside, see ``Model.pack_aside``.
    """

    service: str
    config: bytes
    before: int
    empty: bool
    aside: bytes


def segment_path(folder: str, sequence: int) -> str:
    """Return the path of a segment."""
    return os.path.join(folder, f"journal-{sequence:020d}.log")


def snapshot_path(folder: str, sequence: int) -> str:
    """Return the path of a snapshot."""
    return os.path.join(folder, f"snapshot-{sequence:020d}.jubatus")


def list_folder(folder: str) -> tuple[list[int], list[int]]:
    """Return the numbers of the segments and of the snapshots in a folder, each ascending."""
    names = sorted(os.listdir(folder))
    segments = [int(found[1]) for name in names if (found := _SEGMENT.fullmatch(name))]
    return segments, [int(found[1]) for name in names if (found := _SNAPSHOT.fullmatch(name))]


def pack_header(header: Header) -> bytes:
    """Return the bytes with which a segment begins."""
    fields = [FORMAT, header.service, header.config, header.before, header.empty, header.aside]
    return MAGIC + frame_record(pack(fields))


def is_segment(path: str) -> bool:
    """Return whether a file begins as a segment does; False for one that cannot be read or is no ordinary file."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


class Segment:
    """A segment that is read.

    Args:
        path: of the file.

    Attributes:
        path: the same.
        header: what it says of itself; None where the file ends within the header.
        end: up to which byte there are whole records, once all were read.
        size: bytes of the file.

    Raises:
        JournalError: the file cannot be read, or is no segment, or its header is damaged.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.header: Header | None = None
        self.end = 0
        try:
            self._file: BinaryIO = open(path, "rb")
        except OSError as error:
            raise JournalError(f"cannot read {path}: {error.strerror}") from error
        try:
            self._read_header()
        except BaseException:
            self.close()
            raise

    def _read_header(self) -> None:
        self.size = os.fstat(self._file.fileno()).st_size
        magic = self._file.read(len(MAGIC))
        if not MAGIC.startswith(magic):
            if any(magic) or _has_more_than_zeros(self._file):
                raise JournalError(f"{self.path} is no segment of a journal")
            return  # as below: the power failed before the header was there
        self.end = len(magic)
        for _, payload in self._read("header", 0):
            self.header = self._parse(payload)
            return
        self.end = 0

    def __enter__(self) -> Self:
        """Return the segment, which is closed behind."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield the offset and the payload of each record.

        A record that is cut off by the end of the file ends them; ``end`` and ``size`` differ then.

        Raises:
            JournalError: a record is damaged.
        """
        yield from self._read("record", 1 if self.header is None else self.header.before + 1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, what: str, number: int) -> Iterator[tuple[int, bytes]]:
        file, size = self._file, self.size
        while self.end + HEAD <= size:
            head = file.read(HEAD)
            length = int.from_bytes(head[:4])
            if crc32(head[:8]) != int.from_bytes(head[8:]):
                if any(head) or _has_more_than_zeros(file):
                    raise self._damaged(what, number)
                return  # a file system may leave zeros where a write was under way when the power failed
            if self.end + HEAD + length > size:
                return
            payload = file.read(length)
            if crc32(payload) != int.from_bytes(head[4:8]):
                raise self._damaged(what, number)
            offset, self.end = self.end, self.end + HEAD + length
            yield offset, payload
            number += 1

    def _damaged(self, what: str, number: int) -> JournalError:
        which = f"{what} {number}" if number else what
        return JournalError(f"{self.path}: the {which} at byte {self.end} is damaged")

    def _parse(self, payload: bytes) -> Header:
        reader = Reader(payload)
        try:
            fields, format = reader.array(), reader.integer()
            if format != FORMAT:
                raise JournalError(f"{self.path} is of format {format}, {FORMAT} is expected")
            service, config, before = reader.string().decode(), reader.string(), reader.integer()
            header = Header(service, config, before, reader.boolean(), reader.string())
        except (BadArguments, UnicodeDecodeError) as error:
            raise JournalError(f"{self.path}: the header cannot be read") from error
        if fields != 6:
            raise JournalError(f"{self.path}: the header cannot be read")
        return header


def _has_more_than_zeros(file: BinaryIO) -> bool:
    return any(any(chunk) for chunk in iter(lambda: file.read(1 << 16), b""))


def parse_update(payload: bytes) -> tuple[bytes, Reader, bool]:
    """Return of a record the name of the method, a reader on the params, and whether the call ended without error.

    Raises:
        BadArguments: it is no record of an update.
    """
    reader = Reader(payload, 0, len(payload) - 1) if payload else Reader(payload)
    name = reader.string()
    return name, reader, payload[-1:] == b"\xc3"
