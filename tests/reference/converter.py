"""Datum to feature vector, step by step and with every key written out."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tests.reference import ieee
from tests.reference.regex import Match, compile_regex
from tests.reference.text import (
    ConversionError,
    Matcher,
    OutOfRange,
    decode_utf8,
    encode_utf8,
    matcher_except,
    read_double,
    read_int,
)
from tests.reference.tr1 import FNV_PRIME, FNV_START, MASK, Map, signed_bytes
from tests.reference.weights import Vector, Weights

Strings = list[tuple[bytes, bytes]]
Numbers = list[tuple[bytes, float]]
Parameters = dict[str, str]


@dataclass
class Datum:
    """Ordered (key, value) pairs of each kind."""

    strings: Strings
    numbers: Numbers
    binaries: Strings

    @classmethod
    def of(cls, wire: list[Any]) -> "Datum":
        """Read the wire form: up to three lists of pairs; text may be str or bytes."""
        parts = [[(_bytes(k), v) for k, v in part] for part in wire[:3]] + [[], [], []]
        strings, numbers, binaries = parts[:3]
        return cls(
            [(k, _bytes(v)) for k, v in strings],
            [(k, float(v)) for k, v in numbers],
            [(k, _bytes(v)) for k, v in binaries],
        )


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


# --- filters


def regexp_replace(pattern: bytes, replace: bytes) -> Callable[[bytes], bytes]:
    match = compile_regex(pattern)

    def expand(value: bytes, found: Match) -> Iterator[bytes]:
        i = 0
        while i < len(replace):
            if replace[i : i + 1] != b"\\":
                yield replace[i : i + 1]
                i += 1
                continue
            c = replace[i + 1 : i + 2]
            if c == b"\\":
                yield c
            else:
                begin, end = found[int(c)]
                if begin < 0:
                    raise OutOfRange("a group that took no part in the match")
                yield value[begin:end]
            i += 2

    def apply(value: bytes) -> bytes:
        result, cur = [], 0
        while cur <= len(value):
            found = match(value, cur)
            length = 0
            if found is not None:
                result.extend(expand(value, found))
                length = found[0][1] - found[0][0]
                cur += length
            if length == 0:
                result.append(value[cur : cur + 1])
                cur += 1
        return b"".join(result)

    return apply


def string_filter(p: Parameters) -> Callable[[bytes], bytes]:
    assert p["method"] == "regexp"
    return regexp_replace(p["pattern"].encode(), p["replace"].encode())


def num_filter(p: Parameters) -> Callable[[float], float]:
    method = p["method"]
    if method == "add":
        added = read_double(p["value"])
        return lambda x: x + added
    if method == "linear_normalization":
        low, high = read_double(p["min"]), read_double(p["max"])
        truncate = p.get("truncate", "True") == "True"

        def normalize(x: float) -> float:
            if truncate and x > high:
                return 1.0
            if truncate and x < low:
                return 0.0
            return (x - low) / (high - low)

        return normalize
    if method == "gaussian_normalization":
        average, deviation = read_double(p["average"]), read_double(p["standard_deviation"])
        return lambda x: ieee.div(x - average, deviation)
    assert method == "sigmoid_normalization"
    gain, bias = read_double(p.get("gain", "1")), read_double(p.get("bias", "0"))
    return lambda x: 1.0 / (1.0 + ieee.exp(-gain * (x - bias)))


# --- string types: value to tokens


def split_space(value: bytes) -> list[bytes]:
    for c in b"\t\f\n\r\v":
        value = value.replace(bytes([c]), b" ")
    return [t for t in value.split(b" ") if t]


def split_ngram(n: int) -> Callable[[bytes], list[bytes]]:
    def tokens(value: bytes) -> list[bytes]:
        starts = [i for i, c in enumerate(value) if i == 0 or c & 0xC0 != 0x80] + [len(value)]
        return [value[starts[i] : starts[i + n]] for i in range(len(starts) - n)]

    return tokens


def split_separators(separators: bytes) -> Callable[[bytes], list[bytes]]:
    parting = set(decode_utf8(separators))

    def tokens(value: bytes) -> list[bytes]:
        """Cut at the byte positions that the runs of code points have when they are encoded again."""
        result, at = [], 0
        for parts, run in groupby(decode_utf8(value), parting.__contains__):
            size = len(encode_utf8(run))
            if size and not parts:
                result.append(value[at : at + size])
            at += size
        return result

    return tokens


def split_regexp(pattern: bytes, group: int) -> Callable[[bytes], list[bytes]]:
    match = compile_regex(pattern)

    def tokens(value: bytes) -> list[bytes]:
        result, cur = [], 0
        while cur < len(value):
            found = match(value, cur)
            length = 0
            if found is not None:
                begin, end = found[group]
                if begin < 0:
                    raise OutOfRange("a group that took no part in the match")
                result.append(value[begin:end])
                length = end - begin
            cur += max(length, 1)
        return result

    return tokens


def string_type(p: Parameters) -> Callable[[bytes], list[bytes]]:
    method = p["method"]
    if method == "str":
        return lambda value: [value]
    if method == "space":
        return split_space
    if method == "ngram":
        return split_ngram(read_int(p["char_num"]))
    if method == "split":
        return split_separators(p["separators"].encode())
    assert method == "regexp"
    return split_regexp(p["pattern"].encode(), read_int(p.get("group", "0")))


SAMPLE_WEIGHTS: dict[str, Callable[[float], float]] = {
    "bin": lambda tf: 1.0,
    "tf": lambda tf: tf,
    "log_tf": lambda tf: ieee.log(1.0 + tf),
}


# --- numbers


def num_feature(kind: str, key: bytes, x: float) -> tuple[bytes, float]:
    name = key + b"@" + kind.encode()
    if kind == "num":
        return name, x
    if kind == "log":
        return name, ieee.log(x if x > 1.0 else 1.0)
    assert kind == "str"
    return name + b"$" + ieee.print_g(x), 1.0


COMBINE: dict[str, Callable[[float, float], float]] = {"add": lambda a, b: a + b, "mul": lambda a, b: a * b}


# --- the whole


@dataclass
class StringRule:
    matches: Matcher
    type: str
    tokens: Callable[[bytes], list[bytes]]
    sample: str
    globally: str


class Converter:
    """A converter configuration (parsed JSON without errors) with its document statistics.

    Args:
        config: the value of the member ``converter``.
    """

    def __init__(self, config: dict[str, Any], weights: Weights | None = None) -> None:
        self.weights = weights or Weights()
        rules = {name: config.get(name) or [] for name in ("string_filter_rules", "num_filter_rules", "string_rules")}
        types = {name: config.get(name) or {} for name in ("string_filter_types", "num_filter_types", "string_types")}
        self.string_filters = [
            (_matches(r), r["suffix"].encode(), string_filter(types["string_filter_types"][r["type"]]))
            for r in rules["string_filter_rules"]
        ]
        self.num_filters = [
            (_matches(r), r["suffix"].encode(), num_filter(types["num_filter_types"][r["type"]]))
            for r in rules["num_filter_rules"]
        ]
        string_types = {"str": {"method": "str"}, "space": {"method": "space"}, **types["string_types"]}
        self.string_rules = [
            StringRule(
                _matches(r), r["type"], string_type(string_types[r["type"]]), r["sample_weight"], r["global_weight"]
            )
            for r in rules["string_rules"]
        ]
        self.num_rules = [(_matches(r), r["type"]) for r in config.get("num_rules") or []]
        self.combination_rules = [
            (
                matcher_except(r["key_left"], r.get("except_left")),
                matcher_except(r["key_right"], r.get("except_right")),
                r["type"],
            )
            for r in config.get("combination_rules") or []
        ]
        self.hash_max_size: int | None = config.get("hash_max_size")

    def convert(self, datum: Datum) -> Vector:
        """Convert without counting the document."""
        return self._finish(self._sample(datum))

    def convert_to_learn(self, datum: Datum) -> Vector:
        """Convert and count a datum that a model learns from: its numbers must be finite."""
        for key, x in datum.numbers:
            if not math.isfinite(x):
                raise ConversionError(f"cannot learn from a number that is not finite: {_text(key)}")
        return self.convert_and_update(datum)

    def convert_and_update(self, datum: Datum) -> Vector:
        """Count the document in the statistics, then convert it."""
        vector = self._sample(datum)
        kinds = {rule.globally for rule in self.string_rules}
        if kinds & {"idf", "idf1", "bm25"}:
            self.weights.count(vector, groups="bm25" in kinds)
        return self._finish(vector)

    def _sample(self, datum: Datum) -> Vector:
        """Give the features with their sample weights, in the order of the original."""
        vector: Vector = []
        for strings in (datum.strings, _filtered(datum.strings, self.string_filters)):
            for rule in self.string_rules:
                for key, text in strings:
                    if rule.matches(key):
                        vector += _string_features(rule, key, text)
        for numbers in (datum.numbers, _filtered(datum.numbers, self.num_filters)):
            for key, x in numbers:
                for matches, kind in self.num_rules:
                    if matches(key):
                        _check(key)
                        vector.append(num_feature(kind, key, x))
        return vector

    def _finish(self, vector: Vector) -> Vector:
        vector = self.weights.weigh(vector)
        vector += [feature for rule in self.combination_rules for feature in _combine(vector, *rule)]
        if self.hash_max_size is None:
            return vector
        return [(b"%d" % (hash_feature(key) % self.hash_max_size), value) for key, value in vector]


def _matches(rule: dict[str, Any]) -> Matcher:
    return matcher_except(rule["key"], rule.get("except"))


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _check(key: bytes) -> None:
    if b"$" in key:
        raise ConversionError(f"feature key cannot contain '$': {_text(key)}")


def _filtered(original: list[Any], rules: list[Any]) -> list[Any]:
    filtered: list[Any] = []
    for matches, suffix, f in rules:
        filtered += [(key + suffix, f(value)) for key, value in original + filtered if matches(key)]
    return filtered


def _string_features(rule: StringRule, key: bytes, text: bytes) -> Vector:
    counts: Map[bytes, float] = Map()
    for token in rule.tokens(text):
        counts[token] = counts.get(token, 0.0) + 1.0
    vector = []
    for token, tf in counts.items():
        _check(key)
        tail = f"@{rule.type}#{rule.sample}/{rule.globally}".encode()
        vector.append((key + b"$" + token + tail, SAMPLE_WEIGHTS[rule.sample](tf)))
    return vector


def _combine(vector: Vector, left: Matcher, right: Matcher, kind: str) -> Vector:
    combined = []
    for j, (a, x) in enumerate(vector):
        for b, y in vector[j + 1 :]:
            if (left(a) and right(b)) or (right(a) and left(b)):
                combined.append((a + b"&" + b + b"/" + kind.encode(), COMBINE[kind](x, y)))
    return combined


def hash_feature(key: bytes) -> int:
    """FNV-1 over sign-extended bytes."""
    h = FNV_START
    for c in signed_bytes(key):
        h = h * FNV_PRIME & MASK ^ c
    return h


def sort_and_merge(vector: Vector) -> Vector:
    """Sort by key, then value, and add up the values of equal keys in that order."""
    merged: Vector = []
    for key, value in sorted(vector) if len(vector) > 1 else vector:
        if merged and merged[-1][0] == key:
            merged[-1] = (key, merged[-1][1] + value)
        else:
            merged.append((key, value))
    return merged
