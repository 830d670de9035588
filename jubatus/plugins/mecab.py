"""The plugin ``libmecab_splitter.so`` of 1.1: words of Japanese texts, found by the morphological analyser MeCab.

It needs the extra ``jubatus[mecab]``: MeCab in the package fugashi, and the dictionary ipadic.
"""

import threading
from collections.abc import Iterator

from jubatus._core.convert.rules import Matcher, parse_integer, parse_matcher
from jubatus.errors import ConfigError
from jubatus.plugins import Parameters, StringFeature

BASE_FORM = 6
"""Index of the field that has the base form of a word, in the dictionaries ipadic and juman."""


class MeCab:
    """Give the words of a text, or n of them in a row joined by commas.

    Args:
        arguments: for MeCab.
        ngram: how many words in a row are one token.
        base: whether a word is given in its base form.
        included: patterns of features; a word of which none matches is left out.
        excluded: likewise; a word of which one matches is left out.
    """

    def __init__(
        self, arguments: str, ngram: int, base: bool, included: list[Matcher], excluded: list[Matcher]
    ) -> None:
        from fugashi import GenericTagger

        self.tagger = GenericTagger(arguments)
        self.lock = threading.Lock()
        self.ngram = ngram
        self.base = base
        self.included = included
        self.excluded = excluded

    def extract(self, text: str) -> Iterator[tuple[str, float]]:
        """Yield each token, with score 1."""
        # MeCab does not know bytes that are no UTF-8, which are lone surrogates here.
        words = self._words(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        for start in range(len(words) - self.ngram + 1):
            yield ",".join(words[start : start + self.ngram]), 1.0

    def _words(self, text: str) -> list[str]:
        with self.lock:  # the tagger keeps the nodes of one text only
            nodes = [(node.surface, node.feature_raw) for node in self.tagger.parseToNodeList(text)]
        words = []
        for surface, feature in nodes:
            if self._is_wanted(feature.encode()):
                words.append(self._base_form(surface, feature) if self.base else surface)
        return words

    def _is_wanted(self, feature: bytes) -> bool:
        return any(matcher.matches(feature) for matcher in self.included) and not any(
            matcher.matches(feature) for matcher in self.excluded
        )

    @staticmethod
    def _base_form(surface: str, feature: str) -> str:
        fields = feature.split(",")
        return surface if len(fields) <= BASE_FORM or fields[BASE_FORM] == "*" else fields[BASE_FORM]


def create(parameters: Parameters) -> StringFeature:
    """Take ``arg`` (for MeCab), ``ngram`` (default 1), ``base``, ``include_features`` and ``exclude_features``.

    Features are the texts that the dictionary has of a word. Patterns of features are those of keys, divided by ``|``.
    Without ``-d`` among the arguments the dictionary is ipadic.
    """
    try:
        import fugashi  # noqa: F401
        import ipadic
    except ImportError as error:
        raise ConfigError(f"{error}: it comes with the extra jubatus[mecab]") from error
    ngram = parse_integer(parameters.get("ngram", "1"))
    if ngram is None or ngram <= 0:
        raise ConfigError("ngram must be a positive number")
    base = parameters.get("base", "false")
    if base not in ("true", "false"):
        raise ConfigError("base must be a boolean value")
    included, excluded = parameters.get("include_features", "*"), parameters.get("exclude_features", "")
    if not included:
        raise ConfigError("include_features must not be empty")
    given = parameters.get("arg", "")
    words = given.split()
    if not any(word.startswith(("-d", "--dicdir")) for word in words):
        given = f'-d "{ipadic.DICDIR}" {given}'
    if not any(word.startswith(("-r", "--rcfile")) for word in words):
        given = f"-r /dev/null {given}"  # the file of settings, which is not where MeCab looks for it
    try:
        return MeCab(given, ngram, base == "true", _matchers(included), _matchers(excluded) if excluded else [])
    except (RuntimeError, ValueError) as error:
        reasons = [line for line in str(error).splitlines() if line.strip("- ")]
        raise ConfigError(f"cannot make mecab tagger: {reasons[-1] if reasons else error}") from error


def _matchers(patterns: str) -> list[Matcher]:
    return [parse_matcher(pattern) for pattern in patterns.split("|")]
