"""The command ``jubadump``: prints a model file, or a segment of a journal, as JSON."""

import json
import math
import sys
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from jubatus.cli import args, once
from jubatus.daemon.settings import Kind, Option

if TYPE_CHECKING:
    from jubatus.server.segments import Segment

OPTIONS = (Option("input", "i", Kind.STRING, "model file, or segment of a journal", mandatory=True),)


def main() -> int:
    """Run ``jubadump``; return the exit status."""
    given = args.parse(OPTIONS, sys.argv)
    return once.run(lambda: dump(given.text("input")))


def dump(path: str) -> int:
    """Print a model file or a segment; return 0.

    Raises:
        ModelFileError: the file is missing, torn, foreign, or of an unknown service.
        JournalError: the segment is damaged; what is before that was printed.
    """
    from jubatus.cli.layouts import describe
    from jubatus.cli.pretty import pretty
    from jubatus.errors import BadArguments, ModelFileError
    from jubatus.server.segments import Segment, is_segment
    from jubatus.server.storage import read

    if is_segment(path):
        with Segment(path) as segment:
            return once.show(line.encode("ascii") + b"\n" for line in lines(segment))
    system, driver = read(path)
    try:
        return once.show(piece.encode("ascii") for piece in pretty(describe(system, driver), quote, write))
    except BadArguments as error:
        raise ModelFileError(f"user data is broken: {path}: {error}") from error


def lines(segment: "Segment") -> Iterator[str]:
    """Yield a segment as lines of JSON: its header, each record, and what is cut off at the end if anything is."""
    from jubatus._core.wire import unpack
    from jubatus.errors import BadArguments, JournalError
    from jubatus.server.segments import parse_update

    header = segment.header
    if header is not None:
        about = {"service": header.service, "config": text(header.config), "updates_before": header.before}
        yield json.dumps(about | {"begins_empty": header.empty})
    number = 0 if header is None else header.before
    for offset, payload in segment.records():
        number += 1
        try:
            name, params, good = parse_update(payload)
            record = {"record": number, "offset": offset, "method": text(name), "params": plain(unpack(params.raw()))}
        except BadArguments as error:
            raise JournalError(f"{segment.path}: the record {number} at byte {offset} cannot be read") from error
        yield json.dumps(record | {"error": not good})
    if segment.end < segment.size:
        yield json.dumps({"cut_off": number + 1, "offset": segment.end, "bytes": segment.size - segment.end})


def text(raw: bytes) -> str:
    """Return bytes as text; one that is not UTF-8 becomes a surrogate."""
    return raw.decode("utf-8", "surrogateescape")


def plain(value: Any) -> Any:
    """Return an unpacked value as one that JSON has: keys of maps are texts, numbers that it lacks are texts too."""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): plain(each) for key, each in
                ((plain(key), each) for key, each in value.items())}  # fmt: skip
    if isinstance(value, float) and not math.isfinite(value):
        return json.loads(write(value))
    return value


def quote(text: str | bytes) -> str:
    r"""Return a text in quotes, in ASCII. A byte that is not UTF-8 becomes ``\udcXX``, which surrogateescape undoes."""
    return encode_basestring_ascii(text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text)


def write(number: float) -> str:
    """Return the shortest text that reads as the number; a text in quotes for what JSON has no number for."""
    if math.isfinite(number):
        return repr(number)
    return '"NaN"' if math.isnan(number) else '"Infinity"' if number > 0 else '"-Infinity"'
