"""Model files of Jubatus 1.1: their bytes, the checks at loading, and a save that is whole or not at all.

A file is a header of 48 bytes, the system data ``[version, timestamp, type, id, config]`` and the user data
``[version, driver]``; a CRC-32 covers all but itself. Drivers may have hundreds of megabytes: they pass as bytes, are
never copied with the interpreter's lock held, and are decoded by the model only.
"""

import errno
import io
import itertools
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from zlib import crc32

from jubatus import COMPATIBLE
from jubatus._core.schema import json_equal, parse_json
from jubatus._core.wire import Reader, pack
from jubatus.errors import BadArguments, ConfigSyntaxError, ModelFileError

MAGIC = b"jubatus\0"
FORMAT = SYSTEM = USER = 1
VERSION = tuple(map(int, COMPATIBLE.split(".")))
"""The version of Jubatus that our files say they are of; any 1.x reads them."""

_HEAD = struct.Struct(">8sQ3I")
_SIZES = struct.Struct(">QQ")
_HEADER_SIZE = 48
_CONTAINER_SIZE = 16
"""Bytes to read for ``[version, ``, with which the user data begin: more than it can take, however it is packed."""

_serial = itertools.count()


@dataclass(frozen=True)
class System:
    """What a model file says of itself.

    Args:
        timestamp: Unix seconds of the save.
        type: name of the service.
        id: the id given to save.
        config: text of the configuration.
    """

    timestamp: int
    type: str
    id: bytes
    config: bytes


def model_id(raw: bytes) -> str:
    """Return a model's id as text; raise ModelFileError if it may not be part of a file's name."""
    if not raw:
        raise ModelFileError("empty id is not allowed")
    if b"/" in raw or not all(0x20 <= byte <= 0x7E for byte in raw):
        raise ModelFileError("model ID contains invalid character")
    return raw.decode("ascii")


def model_path(folder: str, node: str, type: str, id: str) -> str:
    """Return the path of a model: ``<folder>/<node>_<type>_<id>.jubatus``, where node is ``<address>_<port>``."""
    return os.path.join(folder, f"{node}_{type}_{id}.jubatus")


def pack_model_file(
    *, type: str, id: str, config: bytes, driver: bytes, timestamp: int, version: tuple[int, ...] = VERSION
) -> tuple[bytes, ...]:
    """Return the pieces of a model file, to be written one behind the other.

    Args:
        type: name of the service.
        id: the id given to save.
        config: text of the configuration.
        driver: the packed model.
        timestamp: Unix seconds.
        version: of Jubatus.
    """
    system = pack([SYSTEM, timestamp, type, id, config])
    container = pack([USER, None])[:-1]
    head = _HEAD.pack(MAGIC, FORMAT, *version)
    sizes = _SIZES.pack(len(system), len(container) + len(driver))
    checksum = _compute_checksum(head, sizes, system, container, driver)
    return head + checksum.to_bytes(4) + sizes + system + container, driver


def parse_model_file(data: bytes, *, type: str, config: bytes | None) -> tuple[bytes, bytes]:
    """Return configuration and packed model of a file's bytes; as ``load`` otherwise."""
    system, driver = _read(io.BytesIO(data), type, config)
    return system.config, driver


def load(path: str, *, type: str, config: bytes | None) -> tuple[bytes, bytes]:
    """Read a model file.

    Args:
        path: of the file.
        type: the service that the model must be of.
        config: text that the configuration must equal as JSON; None to take any.

    Returns:
        text of the configuration, and the packed model.

    Raises:
        ModelFileError: the file is missing, torn, foreign, or of another service or configuration.
    """
    system, driver = _open(path, type, config)
    return system.config, driver


def read(path: str) -> tuple[System, bytes]:
    """Return what a model file of any service says of itself, and the packed model; raise as ``load``."""
    return _open(path, None, None)


def _open(path: str, type: str | None, config: bytes | None) -> tuple[System, bytes]:
    try:
        file = open(path, "rb")
    except OSError as error:
        raise ModelFileError(f"cannot open input file: {path}: {error.strerror}") from error
    try:
        with file:
            return _read(file if file.seekable() else io.BytesIO(file.read()), type, config)
    except OSError as error:
        raise ModelFileError(f"cannot read input file: {path}: {error.strerror}") from error


def save(path: str, parts: Iterable[bytes]) -> None:
    """Write a file. Under its name there is always the whole old or the whole new one, even after a power cut.

    Several saves to one path may run at a time; the file of the one that ends last remains.

    Raises:
        ModelFileError: it cannot be written; a file of that name is as it was.
    """
    folder = os.path.dirname(path) or "."
    try:
        temporary, descriptor = _create(folder)
    except OSError as error:
        raise ModelFileError(f"cannot open output file: {path}: {error.strerror}") from error
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(folder)
    except OSError as error:
        raise ModelFileError(f"cannot write output file: {path}: {error.strerror}") from error


def _create(folder: str) -> tuple[str, int]:
    """Create a file of a new name in the folder; return its path and descriptor."""
    while True:
        path = os.path.join(folder, f".jubatus-{os.getpid()}-{next(_serial)}.tmp")
        with suppress(FileExistsError):
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def sync_folder(folder: str) -> None:
    """Bring the names of the files of a folder to the disk; raise OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot sync a folder says so
            raise
    finally:
        os.close(descriptor)


def _compute_checksum(*pieces: bytes) -> int:
    checksum = 0
    for piece in pieces:
        checksum = crc32(piece, checksum)
    return checksum


def _read(file: BinaryIO, type: str | None, config: bytes | None) -> tuple[System, bytes]:
    """Do the work of ``load``; the order of the checks is that of the original."""
    header = file.read(_HEADER_SIZE)
    if len(header) < _HEADER_SIZE:
        raise ModelFileError("cannot read input file")
    magic, number, *version = _HEAD.unpack_from(header)
    if magic != MAGIC:
        raise ModelFileError("invalid file format")
    if number != FORMAT:
        raise ModelFileError(f"invalid format version: {number}, expected {FORMAT}")
    if version[0] != 1:
        raise ModelFileError(f"cannot load model file created before v1.0.0: {'.'.join(map(str, version))}")
    system_size, user_size = _SIZES.unpack_from(header, 32)
    if _HEADER_SIZE + system_size + user_size > file.seek(0, os.SEEK_END):
        raise ModelFileError("cannot read input file")
    file.seek(_HEADER_SIZE)
    system = file.read(system_size)
    container = file.read(min(user_size, _CONTAINER_SIZE))
    size = _container_size(container)
    file.seek(_HEADER_SIZE + system_size + size)
    driver = file.read(user_size - size)
    if size + len(driver) < user_size:  # the file was cut off since its size was looked at
        raise ModelFileError("cannot read input file")
    checksum = _compute_checksum(header[:28], header[32:], system, container[:size], driver)
    expected = int.from_bytes(header[28:32])
    if checksum != expected:
        raise ModelFileError(f"invalid crc32 checksum: {checksum:x}, expected {expected:x}")
    found = _check_system(system, type, config)
    _check_container(container)
    return found, driver


def _check_system(data: bytes, type: str | None, config: bytes | None) -> System:
    """Return the system data, which must be of a service unless type is None."""
    reader = Reader(data)
    try:
        fields = reader.array()
        version = reader.integer()
        found = System(reader.integer(), _text(reader.string()), reader.string(), reader.string())
    except BadArguments:
        fields = 0
    if fields < 5:
        raise ModelFileError("system data is broken")
    if version != SYSTEM:
        raise ModelFileError(f"invalid system data version: saved version: {version}, expected {SYSTEM}")
    if type is not None and found.type != type:
        raise ModelFileError(f"server type mismatched: {found.type}, expected {type}")
    if config is not None and not _equal(found.config, config):
        raise ModelFileError(f"server config mismatched: {_text(found.config)}, expected {_text(config)}")
    return found


def _equal(found: bytes, config: bytes) -> bool:
    try:
        return json_equal(parse_json(found), parse_json(config))
    except ConfigSyntaxError as error:
        raise ModelFileError("system data is broken") from error


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _container_size(container: bytes) -> int:
    """Return how many bytes of the user data stand before the driver; 0 if they are not readable."""
    reader = Reader(container)
    try:
        reader.array()
        reader.integer()
    except BadArguments:
        return 0
    return reader.offset


def _check_container(container: bytes) -> None:
    reader = Reader(container)
    try:
        if reader.array() != 2:
            raise ModelFileError("invalid user container")
        version = reader.integer()
    except BadArguments as error:
        raise ModelFileError("user data is broken") from error
    if version != USER:
        raise ModelFileError(f"user data version mismatched: {version}, expected {USER}")
