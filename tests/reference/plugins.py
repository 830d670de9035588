"""Plugins that do all that the contract allows, and fail now and then. Loaded as a file, by converter and slow converter."""

import math
from collections.abc import Iterator, Mapping
from typing import Any


def fail_if(condition: bool) -> None:
    if condition:
        raise ValueError("out\nof order")


class Pairs:
    """A splitter: overlapping tokens and an empty one."""

    def split(self, text: str) -> Iterator[tuple[int, int]]:
        yield 0, 0
        for i in range(len(text) - 1):
            fail_if(text[i] == "%")
            yield i, 2


class Scores:
    """A string feature: tokens that are not in the text, with scores that may be 0 or negative."""

    def extract(self, text: str) -> list[tuple[str, float]]:
        return [(f"{c}$é{c}", (ord(c) % 5 - 1) * 0.5) for c in text]


class Turned:
    """A string filter."""

    def filter(self, text: str) -> str:
        fail_if(text.startswith("%"))
        return text[::-1]


class Halved:
    """A number filter."""

    def filter(self, number: float) -> float:
        fail_if(number == -1.0)
        return number / 2


class Parts:
    """A number feature whose names decide by what it is weighted and to which group it belongs."""

    def extract(self, key: str, number: float) -> list[tuple[str, float]]:
        fail_if(number == 1e-5)
        ends = ["#int", "/idf", "/idf1", "/bm25", "$x@y#tf/bm25", "$@/bm25", "#w/weight", "/weight", ""]
        return [(key + end, number) for end in ends] + [("same/idf1", 1.0), ("zero", 0.0)]


class Sizes:
    """A binary feature."""

    def extract(self, key: str, value: bytes) -> list[tuple[str, float]]:
        fail_if(value.startswith(b"%"))
        return [(f"{key}${len(value)}@size/bm25", 2.0), (key, float(len(value)))]


class Difference:
    """A combination feature."""

    def __init__(self, commutative: bool) -> None:
        self.commutative = commutative

    def extract(self, key: str, left: float, right: float) -> list[tuple[str, float]]:
        fail_if(left == right == 2.0)
        return [(key, left - right), ("zero", 0.0)] if math.isfinite(left - right) else []


def create(parameters: Mapping[str, str]) -> Any:
    kinds = {kind.__name__: kind for kind in (Pairs, Scores, Turned, Halved, Parts, Sizes)}
    kind = parameters["kind"]
    return Difference(kind == "both") if kind in ("both", "one") else kinds[kind]()
