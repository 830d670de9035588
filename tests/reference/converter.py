"""Datum to feature vector, step by step and with every key written out."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
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
from tests.reference.weights import Record, Vector, Weights

Strings = list[tuple[bytes, bytes]]
Numbers = list[tuple[bytes, float]]
Parameters = dict[str, str]
Tokens = list[tuple[bytes, float]]


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


# --- plugins

learning = False
"""Whether what plugins return must be finite."""


@contextmanager
def plugin_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise ConversionError("plugin ") from error


def plugin(p: Parameters) -> Any:
    """Make what a plugin makes; the file is run anew."""
    spec = spec_from_file_location("plugin", p["path"])
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, p["function"])(p)


def decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def number(x: float) -> float:
    assert math.isfinite(x) or not learning
    return x


def named(pairs: Iterable[tuple[str, float]]) -> Vector:
    return [(encode(name), number(value)) for name, value in pairs]


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
    if p["method"] == "dynamic":
        made = plugin(p)

        def apply(value: bytes) -> bytes:
            with plugin_errors():
                return encode(made.filter(decode(value)))

        return apply
    assert p["method"] == "regexp"
    return regexp_replace(p["pattern"].encode(), p["replace"].encode())


def num_filter(p: Parameters) -> Callable[[float], float]:
    method = p["method"]
    if method == "dynamic":
        made = plugin(p)

        def apply(x: float) -> float:
            with plugin_errors():
                return number(made.filter(x))

        return apply
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


def split_plugin(p: Parameters) -> Callable[[bytes], Tokens]:
    made = plugin(p)

    def tokens(value: bytes) -> Tokens:
        text = decode(value)
        with plugin_errors():
            if hasattr(made, "extract"):
                return named(made.extract(text))
            return [(encode(text[begin : begin + length]), 1.0) for begin, length in made.split(text)]

    return tokens


def string_type(p: Parameters) -> Callable[[bytes], Tokens]:
    if p["method"] == "dynamic":
        return split_plugin(p)
    cut = _cut(p)
    return lambda value: [(token, 1.0) for token in cut(value)]


def _cut(p: Parameters) -> Callable[[bytes], list[bytes]]:
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


def number_type(name: str, p: Parameters | None) -> Callable[[bytes, float], Vector]:
    if p is None:
        return lambda key, x: [num_feature(name, key, x)]
    return feature_plugin(name, p)


def feature_plugin(name: str, p: Parameters) -> Callable[[bytes, Any], Vector]:
    """Make the features of numbers or of binary values."""
    made = plugin(p)

    def features(key: bytes, value: Any) -> Vector:
        with plugin_errors():
            return named(made.extract(decode(key) + "@" + name, value))

    return features


COMBINE: dict[str, Callable[[float, float], float]] = {"add": lambda a, b: a + b, "mul": lambda a, b: a * b}


# --- the whole


@dataclass
class StringRule:
    matches: Matcher
    type: str
    tokens: Callable[[bytes], Tokens]
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
        num_types = config.get("num_types") or {}
        self.num_rules = [
            (_matches(r), number_type(r["type"], num_types.get(r["type"]))) for r in config.get("num_rules") or []
        ]
        self.binary_rules = [
            (matcher_except(r["key"], None), feature_plugin(r["type"], config["binary_types"][r["type"]]))
            for r in config.get("binary_rules") or []
        ]
        self.combination_types = {
            name: plugin(p) for name, p in (config.get("combination_types") or {}).items()
        }  # fmt: skip
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
        global learning
        learning = True
        try:
            return self.convert_and_update(datum)
        finally:
            learning = False

    def convert_and_update(self, datum: Datum) -> Vector:
        """Count the document in the statistics, then convert it."""
        vector = self._sample(datum)
        kinds = {rule.globally for rule in self.string_rules}
        before = self.weights.diff
        if self.combination_types:
            self.weights.diff = Record.unpack(before.pack())
        if kinds & {"idf", "idf1", "bm25"}:
            self.weights.count(vector, groups="bm25" in kinds)
        try:
            return self._finish(vector)
        except ConversionError:
            self.weights.diff = before
            raise

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
                for matches, features in self.num_rules:
                    if matches(key):
                        _check(key)
                        vector += features(key, x)
        for matches, features in self.binary_rules:
            for key, value in datum.binaries:
                if matches(key):
                    _check(key)
                    vector += features(key, value)
        return vector

    def _finish(self, vector: Vector) -> Vector:
        vector = self.weights.weigh(vector)
        vector += [feature for rule in self.combination_rules for feature in self._combine(vector, *rule)]
        if self.hash_max_size is None:
            return vector
        return [(b"%d" % (hash_feature(key) % self.hash_max_size), value) for key, value in vector]

    def _combine(self, vector: Vector, left: Matcher, right: Matcher, kind: str) -> Vector:
        made = self.combination_types.get(kind)
        combined: Vector = []
        for j, (a, x) in enumerate(vector):
            for m, (b, y) in enumerate(vector):
                key = a + b"&" + b + b"/" + kind.encode()
                if made is None or made.commutative:
                    if j >= m or not ((left(a) and right(b)) or (right(a) and left(b))):
                        continue
                elif j == m or not (left(a) and right(b)):
                    continue
                if made is None:
                    combined.append((key, COMBINE[kind](x, y)))
                    continue
                with plugin_errors():
                    combined += named(made.extract(decode(key), x, y))
        return combined


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
    for token, score in rule.tokens(text):
        counts[token] = counts.get(token, 0.0) + score
    vector = []
    for token, tf in counts.items():
        weight = SAMPLE_WEIGHTS[rule.sample](tf)
        if learning and not math.isfinite(weight):
            raise ConversionError("plugin ")
        if weight == 0.0:
            continue
        _check(key)
        tail = f"@{rule.type}#{rule.sample}/{rule.globally}".encode()
        vector.append((key + b"$" + token + tail, weight))
    return vector


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
