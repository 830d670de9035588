"""Random converter configs and data, made to collide: few keys, few words, and the characters that keys are cut at."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jubatus import types
from jubatus.idl import Method
from tests.core.generate import chosen

KEYS = ["a", "b", "ab", "a/b", "k@1", "é", "", "x#y", "a/idf"]
PATTERNS = ["*", "", "a", "a*", "*b", "/a|b/", "/[a-k]/", "b", "k@1", "/(?i)A/", "*é", "/", "//"]
WORDS = ["a", "b", "x", "xy", "あ", "è", "$", "@", "#", "/", "&", "y=1", "a-b", "aaa", "\u3000", "%", "\U0001f600"]
SPACES = [" ", "  ", "\t", "\n", ",", "\u3000", ";"]


def plugin(kind: str) -> dict[str, str]:
    """Return the parameters of a type that a plugin makes."""
    path = Path(__file__).parent.parent / "reference/plugins.py"
    return {"method": "dynamic", "path": str(path), "function": "create", "kind": kind}


STRING_TYPES = {
    "pairs": plugin("Pairs"),
    "scores": plugin("Scores"),
    "uni": {"method": "ngram", "char_num": "1"},
    "bi": {"method": "ngram", "char_num": " 2x"},
    "tri": {"method": "ngram", "char_num": "3"},
    "cut": {"method": "split", "separators": " ,;あ"},
    "all": {"method": "split", "separators": ""},
    "re": {"method": "regexp", "pattern": "[a-z]+"},
    "part": {"method": "regexp", "pattern": "(a)(b|x)?y?", "group": "1"},
    "perhaps": {"method": "regexp", "pattern": "(a)|(b)", "group": "2"},
    "none": {"method": "regexp", "pattern": "x*", "group": "0"},
    "word": {"method": "regexp", "pattern": r"\w"},
    "dollar$": {"method": "ngram", "char_num": "2"},
    "@at": {"method": "ngram", "char_num": "2"},
}
STRING_FILTERS = {
    "turned": plugin("Turned"),
    "tags": {"method": "regexp", "pattern": "<[^>]*>", "replace": ""},
    "swap": {"method": "regexp", "pattern": "(.)(.)", "replace": r"\2\1"},
    "stars": {"method": "regexp", "pattern": "a*", "replace": "x"},
    "whole": {"method": "regexp", "pattern": r"\w+", "replace": r"[\0\\]"},
    "perhaps": {"method": "regexp", "pattern": "(a)|b", "replace": r"<\1>"},
    "end": {"method": "regexp", "pattern": "$", "replace": "!"},
    "start": {"method": "regexp", "pattern": "^", "replace": "あ"},
}
NUM_FILTERS = {
    "halved": plugin("Halved"),
    "plus": {"method": "add", "value": " 1.5abc"},
    "line": {"method": "linear_normalization", "min": "-1", "max": "+2.5"},
    "loose": {"method": "linear_normalization", "min": "0", "max": "3", "truncate": "true"},
    "bell": {"method": "gaussian_normalization", "average": "0.5", "standard_deviation": "2"},
    "flat": {"method": "gaussian_normalization", "average": "1", "standard_deviation": "0"},
    "bend": {"method": "sigmoid_normalization"},
    "steep": {"method": "sigmoid_normalization", "gain": "-300", "bias": ".25"},
}

NUM_TYPES = {"parts": plugin("Parts")}
BINARY_TYPES = {"sizes": plugin("Sizes")}
COMBINATION_TYPES = {"minus": plugin("both"), "less": plugin("one")}

patterns = st.sampled_from(PATTERNS)
excepts = st.none() | patterns


def rule(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(members)


def rules(size: int, **members: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(rule(**members), max_size=size)


def configs(
    global_weights: tuple[str, ...] = ("bin", "idf", "idf1", "bm25", "weight"),
) -> st.SearchStrategy[dict[str, Any]]:
    """Make values of the config member ``converter``."""
    suffixes = st.sampled_from(["", "+1", "/s", "@f", "b"])
    return st.fixed_dictionaries(
        {
            "string_types": st.just(STRING_TYPES),
            "string_filter_types": st.just(STRING_FILTERS),
            "num_filter_types": st.just(NUM_FILTERS),
            "num_types": st.just(NUM_TYPES),
            "binary_types": st.just(BINARY_TYPES),
            "combination_types": st.just(COMBINATION_TYPES),
            "string_filter_rules": rules(
                3,
                key=patterns,
                type=st.sampled_from(sorted(STRING_FILTERS)),
                suffix=suffixes,
                **{"except": excepts},
            ),
            "num_filter_rules": rules(
                3, key=patterns, type=st.sampled_from(sorted(NUM_FILTERS)), suffix=suffixes, **{"except": excepts}
            ),
            "string_rules": rules(
                4,
                key=patterns,
                type=st.sampled_from(["str", "space", *sorted(STRING_TYPES)]),
                sample_weight=st.sampled_from(["bin", "tf", "log_tf"]),
                global_weight=st.sampled_from(global_weights),
                **{"except": excepts},
            ),
            "num_rules": rules(
                3, key=patterns, type=st.sampled_from(["num", "log", "str", "parts"]), **{"except": excepts}
            ),
        },
        optional={
            "binary_rules": rules(2, key=patterns, type=st.just("sizes"), **{"except": excepts}),
            "combination_rules": rules(
                2,
                key_left=st.sampled_from(["*", "a*", "*@num", "/.*x/", "*bin"]),
                key_right=st.sampled_from(["*", "b*", "*bin", "*@num"]),
                type=st.sampled_from(["add", "mul", "minus", "less"]),
                except_left=st.none() | st.just("*idf"),
                except_right=st.none() | st.just("a*"),
            ),
            "hash_max_size": st.sampled_from([1, 3, 16, 1000003, 2**40]),
        },
    )


texts = st.lists(st.sampled_from(WORDS + SPACES + ["<b>", "ab"]), max_size=14).map("".join)
raw_texts = texts.map(str.encode) | st.binary(max_size=12)
numbers = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, 0.1, 1234567.0, 1e-5, 123456.789, 2.5, 1e300]) | st.floats(
    allow_nan=False, allow_infinity=False, width=32
)
odd_numbers = numbers | st.sampled_from([float("inf"), float("-inf"), float("nan")]) | st.integers(-5, 5)


def data(
    values: st.SearchStrategy[Any] = texts, nums: st.SearchStrategy[Any] = numbers, keys: list[str] = KEYS
) -> st.SearchStrategy[list[Any]]:
    """Make data in the wire form."""
    key = st.sampled_from(keys)
    strings = st.lists(st.tuples(key, values).map(list), max_size=4)
    binaries = st.lists(st.tuples(key, st.binary(max_size=3) | st.just(b"%")).map(list), max_size=2)
    return st.tuples(strings, st.lists(st.tuples(key, nums).map(list), max_size=4), binaries).map(list)


labels = st.sampled_from(["a", "b", "c", "d", "ab", "あ", ""])
plain_data = st.lists(
    st.tuples(st.sampled_from("xyzuvw"), st.sampled_from([1.0, -1.0, 2.0, 0.5, -0.5, 0.0])).map(list), max_size=5
).map(lambda pairs: [[], pairs, []])
"""Few numbers, so that results are often equal: what decides between equals is seen."""


def values(kind: types.Type) -> st.SearchStrategy[Any]:
    """Make values of a declared type in their wire form."""
    if isinstance(kind, types.TDatum):
        return data() | plain_data
    if isinstance(kind, types.TList):
        return st.lists(values(kind.type), max_size=3)
    if isinstance(kind, types.TMap):
        return st.dictionaries(values(kind.key), values(kind.value), max_size=3)
    if isinstance(kind, types.TTuple | types.TUserDef):
        parts = kind.types if isinstance(kind, types.TTuple) else kind.type.TYPE.types
        return st.tuples(*map(values, parts)).map(list)
    if isinstance(kind, types.TInt):
        return st.sampled_from([0, 1, 2, 3, 5, kind.min, kind.max])
    if isinstance(kind, types.TBool):
        return st.booleans()
    if isinstance(kind, types.TFloat):
        return numbers
    assert isinstance(kind, types.TString | types.TRaw), kind
    return labels


def calls(rows: Iterable[Method], known: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[tuple[str, list[Any]]]:
    """Make calls of declared rows; ``known`` has, by argument, what it is chosen from."""

    def argument(row: Method, name: str, kind: types.Type) -> st.SearchStrategy[Any]:
        found = chosen(known, row.name, name)
        return values(kind) if found is None else st.sampled_from(found)

    return st.one_of([
        st.tuples(st.just(row.name), st.tuples(*(argument(row, *each) for each in row.args)).map(list)) for row in rows
    ])  # fmt: skip
