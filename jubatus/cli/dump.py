"""The command ``jubadump``: prints a model file as JSON."""

import math
import sys
from json.encoder import encode_basestring_ascii

from jubatus.cli import args, once
from jubatus.daemon.settings import Kind, Option

OPTIONS = (Option("input", "i", Kind.STRING, "model file", mandatory=True),)


def main() -> int:
    """Run ``jubadump``; return the exit status."""
    given = args.parse(OPTIONS, sys.argv)
    return once.run(lambda: dump(given.text("input")))


def dump(path: str) -> int:
    """Print a model file; return 0.

    Raises:
        ModelFileError: the file is missing, torn, foreign, or of an unknown service.
    """
    from jubatus.cli.layouts import describe
    from jubatus.cli.pretty import pretty
    from jubatus.errors import BadArguments, ModelFileError
    from jubatus.server.storage import read

    system, driver = read(path)
    try:
        return once.show(piece.encode("ascii") for piece in pretty(describe(system, driver), quote, write))
    except BadArguments as error:
        raise ModelFileError(f"user data is broken: {path}: {error}") from error


def quote(text: str | bytes) -> str:
    r"""Return a text in quotes, in ASCII. A byte that is not UTF-8 becomes ``\udcXX``, which surrogateescape undoes."""
    return encode_basestring_ascii(text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text)


def write(number: float) -> str:
    """Return the shortest text that reads as the number; a text in quotes for what JSON has no number for."""
    if math.isfinite(number):
        return repr(number)
    return '"NaN"' if math.isnan(number) else '"Infinity"' if number > 0 else '"-Infinity"'
