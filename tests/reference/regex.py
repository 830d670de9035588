"""Anchored matching of a regular expression at a byte offset; the dialect is the library's, so this is the core's."""

from collections.abc import Callable

from jubatus._core.regex.regex import Regex

Match = list[tuple[int, int]]
"""Begin and end of each group, 0 the whole; (-1, -1) for a group that took no part."""


def compile_regex(pattern: bytes) -> Callable[[bytes, int], Match | None]:
    return Regex(pattern, by_library=True).match
