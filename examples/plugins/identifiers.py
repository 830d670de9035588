"""A splitter: cut program text into the words of identifiers; ``parseHTTPHeader_v2`` is parse, HTTP, Header, v, 2."""

import re
from collections.abc import Iterator

from jubatus.plugins import Parameters, Splitter

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]|\d+")


class Identifiers:
    """Split at every change of case, between letters and digits, and at all that is neither."""

    def split(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield begin and length of each word."""
        for word in WORD.finditer(text):
            yield word.start(), word.end() - word.start()


def create(parameters: Parameters) -> Splitter:
    """Take no parameters of its own."""
    return Identifiers()
