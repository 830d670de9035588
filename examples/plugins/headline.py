"""A string feature: words of which the first ones, such as those of a headline, count more than the rest."""

from collections.abc import Iterator

from jubatus.errors import ConfigError
from jubatus.plugins import Parameters, StringFeature


class Headline:
    """Give the first ``words`` words the score ``weight``, all others 1."""

    def __init__(self, words: int, weight: float) -> None:
        self.words = words
        self.weight = weight

    def extract(self, text: str) -> Iterator[tuple[str, float]]:
        """Yield each word and its score."""
        for place, word in enumerate(text.split()):
            yield word, self.weight if place < self.words else 1.0


def create(parameters: Parameters) -> StringFeature:
    """Take ``words`` (default 5) and ``weight`` (default 3)."""
    words = parameters.get("words", "5")
    if not words.isdecimal():
        raise ConfigError(f"words must be a number of words: {words}")
    return Headline(int(words), float(parameters.get("weight", "3")))
