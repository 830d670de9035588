"""The plugin ``libux_splitter.so`` of 1.1: the keywords of a dictionary that stand in a text.

It needs the extra ``jubatus[ux]``: the package ahocorasick_rs.
"""

import os

from jubatus.errors import ConfigError
from jubatus.plugins import Parameters, StringFeature


class Keywords:
    """Find keywords from left to right, of several that begin at one byte the longest; they do not overlap."""

    def __init__(self, keywords: list[bytes]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, MatchKind

        self.automaton = BytesAhoCorasick(keywords, matchkind=MatchKind.LeftmostLongest)

    def extract(self, text: str) -> list[tuple[str, float]]:
        """Return each keyword that is found, with score 1."""
        value = text.encode("utf-8", "surrogateescape")
        found = self.automaton.find_matches_as_indexes(value)
        return [(value[begin:end].decode("utf-8", "surrogateescape"), 1.0) for _, begin, end in found]


def create(parameters: Parameters) -> StringFeature:
    """Take ``dict_path``, the path of a file with one keyword a line."""
    try:
        import ahocorasick_rs  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{error}: it comes with the extra jubatus[ux]") from error
    path = parameters.get("dict_path")
    if path is None:
        raise ConfigError('"dict_path" is not specified in parameters')
    if not os.path.exists(path):
        raise ConfigError(f"failed to stat file: {path}")
    if os.path.isdir(path):
        raise ConfigError(f"directory is specified instead of file: {path}")
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except OSError as error:
        raise ConfigError(f"cannot open: {path}: {error.strerror}") from error
    return Keywords([line for line in lines if line])
