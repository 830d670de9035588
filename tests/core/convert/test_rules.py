from typing import Any

import pytest

from jubatus._core.convert.rules import (
    CONVERTER,
    CombinationRule,
    ConverterRules,
    Matcher,
    NumFilter,
    NumRule,
    Splitter,
    StringFilter,
    StringRule,
    parse_matcher,
    parse_rules,
)
from jubatus._core.regex.regex import Regex
from jubatus._core.schema import read
from jubatus.errors import ConfigError

ALL = Matcher("all")


def refusal(config: object, path: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        parse_rules(config, path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "kind", "text"),
    [
        ("", "all", b""),
        ("*", "all", b""),
        ("**", "suffix", b"*"),
        ("*foo", "suffix", b"foo"),
        ("*foo*", "suffix", b"foo*"),
        ("*/", "suffix", b"/"),
        ("foo*", "prefix", b"foo"),
        ("f*oo*", "prefix", b"f*oo"),
        ("/abc*", "prefix", b"/abc"),
        ("/", "exact", b"/"),
        ("//", "regexp", b""),
        ("///", "regexp", b"/"),
        ("/a.c/", "regexp", b"a.c"),
        ("/abc", "exact", b"/abc"),
        ("abc/", "exact", b"abc/"),
        ("a*c", "exact", b"a*c"),
        ("名*", "prefix", "名".encode()),
        ("\ud800", "exact", b"\xed\xa0\x80"),
        ("a\0", "exact", b"a\0"),
    ],
)
def test_matcher(pattern: str, kind: str, text: bytes) -> None:
    matcher = parse_matcher(pattern)
    assert (matcher.kind, matcher.text) == (kind, text)
    assert matcher.regex == (Regex(text) if kind == "regexp" else None)


def test_matcher_refuses_a_wrong_expression() -> None:
    with pytest.raises(ConfigError, match=r"^invalid regular expression: あ\($"):
        parse_matcher("/あ(/")


def test_empty_config() -> None:
    assert parse_rules({}) == ConverterRules()
    sections = ("string_filter_types", "num_filter_rules", "string_types", "binary_rules", "hash_max_size")
    assert parse_rules(dict.fromkeys(sections)) == ConverterRules()


def test_whole_config() -> None:
    config = {
        "string_filter_types": {"detag": {"method": "regexp", "pattern": "<[^>]*>", "replace": ""}},
        "string_filter_rules": [{"key": "*", "except": "a*", "type": "detag", "suffix": "-名"}],
        "num_filter_types": {"add": {"method": "add", "value": "3.5"}},
        "num_filter_rules": [{"key": "n", "type": "add", "suffix": "+a"}],
        "string_types": {"tri": {"method": "ngram", "char_num": "3"}},
        "string_rules": [
            {"key": "*", "type": "tri", "sample_weight": "log_tf", "global_weight": "bm25"},
            {"key": "a", "except": "/x/", "type": "str", "sample_weight": "bin", "global_weight": "weight"},
        ],
        "num_types": {},
        "num_rules": [{"key": "*", "except": "n1", "type": "log"}],
        "binary_types": {},
        "binary_rules": [],
        "combination_types": {},
        "combination_rules": [
            {"key_left": "*@num", "except_left": "a", "key_right": "*", "type": "mul"},
            {"key_left": "", "key_right": "b", "except_right": "c", "type": "add"},
        ],
        "hash_max_size": 2**40,
    }
    expected = ConverterRules(
        (StringFilter(ALL, Matcher("prefix", b"a"), "-名".encode(), Regex(b"<[^>]*>"), ()),),
        (NumFilter(Matcher("exact", b"n"), None, b"+a", "add", 3.5),),
        (
            StringRule(ALL, None, b"tri", Splitter("ngram", count=3), "log_tf", "bm25"),
            StringRule(
                Matcher("exact", b"a"), Matcher("regexp", b"x", Regex(b"x")), b"str", Splitter("str"), "bin", "weight"
            ),
        ),
        (NumRule(ALL, Matcher("exact", b"n1"), b"log", "log"),),
        (),
        (
            CombinationRule(Matcher("suffix", b"@num"), Matcher("exact", b"a"), ALL, None, b"mul", "mul"),
            CombinationRule(ALL, None, Matcher("exact", b"b"), Matcher("exact", b"c"), b"add", "add"),
        ),
        2**40,
    )
    assert parse_rules(config) == expected


def test_config_that_the_reader_has_read() -> None:
    config = {"num_rules": [{"key": "*", "type": "num"}]}
    assert parse_rules(read(config, CONVERTER)) == parse_rules(config)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (None, "Object is expected, but Null is given. (.converter)"),
        ([], "Object is expected, but Array is given. (.converter)"),
        ({"string_rule": []}, '"string_rule" is not used (.converter)'),
        ({"string_types": []}, "Object is expected, but Array is given. (.converter.string_types)"),
        ({"string_rules": {}}, "Array is expected, but Object is given. (.converter.string_rules)"),
        ({"hash_max_size": 1.0}, "Integer is expected, but Float is given. (.converter.hash_max_size)"),
        (
            {"string_types": {"a": {"method": "ngram", "char_num": 2}}},
            "String is expected, but Integer is given. (.converter.string_types.a.char_num)",
        ),
        ({"num_rules": [{"key": "*"}]}, '"type" is not found (.converter.num_rules[0])'),
    ],
)
def test_shape(config: object, text: str) -> None:
    assert refusal(config, ".converter") == text


def test_shape_errors_come_together() -> None:
    config = {"num_rules": [{"type": 1}], "string_filter_rules": [{"key": "", "type": ""}], "x": 0}
    with pytest.raises(ConfigError) as caught:
        parse_rules(config)
    assert caught.value.messages == (
        '"x" is not used ()',
        '"suffix" is not found (.string_filter_rules[0])',
        '"key" is not found (.num_rules[0])',
        "String is expected, but Integer is given. (.num_rules[0].type)",
    )


@pytest.mark.parametrize("size", [0, -5])
def test_hash_max_size(size: int) -> None:
    assert refusal({"hash_max_size": size}) == f"hash_max_size must be positive, but is {size}"


SECTIONS = ["string_filter", "num_filter", "string", "num", "binary", "combination"]
KINDS = ["filter", "num filter", "splitter", "num feature", "binary feature", "combination feature"]


@pytest.mark.parametrize(("section", "kind"), list(zip(SECTIONS, KINDS, strict=True)))
def test_methods(section: str, kind: str) -> None:
    section += "_types"
    assert refusal({section: {"t": {}}}) == "parameter: [method] must be defined"
    assert refusal({section: {"t": {"method": "あ"}}}) == f"unknown {kind} name: あ"
    assert refusal({section: {"t": {"method": "str"}}}) == f"unknown {kind} name: str"
    assert refusal({section: {"t": {"method": "dynamic"}}}) == '"path" is not specified in parameters'
    assert refusal({section: {"t": {"method": "dynamic", "path": "a"}}}) == '"function" is not specified in parameters'
    dynamic = {"method": "dynamic", "path": "a.so", "function": "create"}
    assert refusal({section: {"t": dynamic}}).startswith("cannot load dynamic library: a.so: ")


RULES: dict[str, dict[str, str]] = {
    "string_filter_rules": {"key": "*", "suffix": ""},
    "num_filter_rules": {"key": "*", "suffix": ""},
    "string_rules": {"key": "*", "sample_weight": "bin", "global_weight": "bin"},
    "num_rules": {"key": "*"},
    "binary_rules": {"key": "*"},
    "combination_rules": {"key_left": "*", "key_right": "*"},
}


@pytest.mark.parametrize("section", RULES)
@pytest.mark.parametrize("member", ["key", "except", "key_left", "except_left", "key_right", "except_right"])
def test_rules(section: str, member: str) -> None:
    unknown = f"unknown type: [x] in {section}"
    assert refusal({section: [{**RULES[section], "type": "x"}]}) == unknown
    pair = section == "combination_rules"
    if pair == ("_" in member):
        # Filters check the type first, the others the matcher; an exception of a binary rule is not looked at.
        errors = [unknown, "invalid regular expression: ("]
        if (section, member) == ("binary_rules", "except"):
            errors.pop()
        elif not section.endswith("filter_rules"):
            errors.reverse()
        text = refusal({section: [{**RULES[section], "type": "x", member: "/(/"}]})
        assert text == "; ".join(errors)


def test_filter_matchers_are_checked() -> None:
    for member in ("key", "except"):
        config = {
            "num_filter_types": {"a": {"method": "add", "value": "1"}},
            "num_filter_rules": [{"key": "*", "suffix": "", "type": "a", member: "/(/"}],
        }
        assert refusal(config) == "invalid regular expression: ("


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sample_weight": "idf"}, "unknown sample_weight: [idf] in string_rules"),
        ({"global_weight": "tf"}, "unknown global_weight: [tf] in string_rules"),
        (
            {"sample_weight": "", "global_weight": ""},
            "unknown sample_weight: [] in string_rules; unknown global_weight: [] in string_rules",
        ),
        (
            {"type": "x", "sample_weight": "y"},
            "unknown type: [x] in string_rules; unknown sample_weight: [y] in string_rules",
        ),
    ],
)
def test_weights(changes: dict[str, str], text: str) -> None:
    assert refusal({"string_rules": [{**RULES["string_rules"], "type": "str", **changes}]}) == text


@pytest.mark.parametrize("sample_weight", ["bin", "tf", "log_tf"])
@pytest.mark.parametrize("global_weight", ["bin", "idf", "idf1", "bm25", "weight"])
def test_weight_names(sample_weight: str, global_weight: str) -> None:
    rule = {"key": "*", "type": "space", "sample_weight": sample_weight, "global_weight": global_weight}
    (made,) = parse_rules({"string_rules": [rule]}).string_rules
    assert (made.sample_weight, made.global_weight) == (sample_weight, global_weight)
    assert made.splitter == Splitter("space")


STAGES: list[dict[str, Any]] = [
    {"hash_max_size": 0},
    {"string_filter_types": {"t": {"method": "stage 1"}}},
    {"num_filter_types": {"t": {"method": "stage 2"}}},
    {"string_types": {"b": {"method": "later"}, "B": {"method": "stage 3"}, "あ": {"method": "last"}}},
    {"num_types": {"t": {"method": "stage 4"}}},
    {"binary_types": {"t": {"method": "stage 5"}}},
    {"combination_types": {"t": {"method": "stage 6"}}},
    *({section: [{**rule, "type": f"stage {section}"}]} for section, rule in RULES.items()),
]


def test_all_errors_in_order() -> None:
    config: dict[str, Any] = {}
    for stage in reversed(STAGES):
        config |= stage
    assert refusal(config) == "; ".join(refusal(stage) for stage in STAGES)
    texts = refusal(config).split("; ")
    assert len(texts) == len(STAGES) + 2  # three types in one of them
    assert texts[0] == "hash_max_size must be positive, but is 0"
    assert texts[3:6] == [f"unknown splitter name: {method}" for method in ("stage 3", "later", "last")]


def test_an_error_is_told_once() -> None:
    """What refers to a type that is wrong, or is itself wrong in shape, adds nothing."""
    rule = {"key": "*", "sample_weight": "bin", "global_weight": "bin"}
    config: dict[str, Any] = {
        "string_filter_types": {"f": {"method": "x"}, "g": {"method": 1}},
        "string_filter_rules": [{"key": "*", "suffix": "", "type": name} for name in "fg"],
        "string_types": {"t": {"method": "y"}, "u": []},
        "string_rules": [*({**rule, "type": name} for name in "tu"), {**rule, "type": 5}, {**rule, "type": "v"}],
        "num_rules": 5,
    }
    assert refusal(config, ".converter").split("; ") == [
        "String is expected, but Integer is given. (.converter.string_filter_types.g.method)",
        "Object is expected, but Array is given. (.converter.string_types.u)",
        "String is expected, but Integer is given. (.converter.string_rules[2].type)",
        "Array is expected, but Integer is given. (.converter.num_rules)",
        "unknown filter name: x",
        "unknown splitter name: y",
        "unknown type: [v] in string_rules",
    ]


def string_filter(pattern: str, replacement: str) -> StringFilter:
    config = {
        "string_filter_types": {"f": {"method": "regexp", "pattern": pattern, "replace": replacement}},
        "string_filter_rules": [{"key": "*", "type": "f", "suffix": "s"}],
    }
    (made,) = parse_rules(config).string_filters
    return made


@pytest.mark.parametrize(
    ("pattern", "replacement", "pieces"),
    [
        ("a", "", ()),
        ("a", "xあ", ("xあ".encode(),)),
        ("a", r"\0", (0,)),
        ("(a)(b)", r"<\2\1>\\1", (b"<", 2, 1, b">\\1")),
        ("(a)", r"\10", (1, b"0")),
        ("a", r"\\\\", (b"\\\\",)),
        ("(" * 12 + "a" + ")" * 12, r"\9", (9,)),
    ],
)
def test_replacement(pattern: str, replacement: str, pieces: tuple[bytes | int, ...]) -> None:
    made = string_filter(pattern, replacement)
    assert made == StringFilter(ALL, None, b"s", Regex(pattern.encode()), pieces)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, '"pattern" is not specified in parameters; "replace" is not specified in parameters'),
        ({"pattern": "("}, 'invalid regular expression: (; "replace" is not specified in parameters'),
        ({"pattern": "(", "replace": "\\"}, "invalid regular expression: ("),
        ({"pattern": "a", "replace": "\\"}, "invalid replacement expression. 0-9 or \\ are required after \\"),
        ({"pattern": "a", "replace": "\\n"}, "invalid replacement expression. 0-9 or \\ are required after \\"),
        ({"pattern": "a", "replace": "\\５"}, "invalid replacement expression. 0-9 or \\ are required after \\"),
        ({"pattern": "a", "replace": "\\1\\"}, "invalid number of capture group"),
        ({"pattern": "(a)", "replace": "\\1\\2"}, "invalid number of capture group"),
    ],
)
def test_string_filter_errors(parameters: dict[str, str], text: str) -> None:
    assert refusal({"string_filter_types": {"f": {"method": "regexp", **parameters}}}) == text


def num_filter(parameters: dict[str, str]) -> NumFilter:
    config = {
        "num_filter_types": {"f": parameters},
        "num_filter_rules": [{"key": "*", "type": "f", "suffix": "s"}],
    }
    (made,) = parse_rules(config).num_filters
    return made


@pytest.mark.parametrize(
    ("parameters", "kind", "a", "b", "truncate"),
    [
        ({"method": "add", "value": "-1.5", "other": "x"}, "add", -1.5, 0.0, False),
        ({"method": "linear_normalization", "min": "-1", "max": "2"}, "linear", -1.0, 2.0, True),
        ({"method": "linear_normalization", "min": "0", "max": "1", "truncate": "True"}, "linear", 0.0, 1.0, True),
        ({"method": "linear_normalization", "min": "0", "max": "1", "truncate": "true"}, "linear", 0.0, 1.0, False),
        ({"method": "linear_normalization", "min": "0", "max": "1", "truncate": "1"}, "linear", 0.0, 1.0, False),
        ({"method": "gaussian_normalization", "average": "3", "standard_deviation": "0"}, "gaussian", 3.0, 0.0, False),
        ({"method": "sigmoid_normalization"}, "sigmoid", 1.0, 0.0, False),
        ({"method": "sigmoid_normalization", "gain": "-2", "bias": "3"}, "sigmoid", -2.0, 3.0, False),
    ],
)
def test_num_filter(parameters: dict[str, str], kind: Any, a: float, b: float, truncate: bool) -> None:
    assert num_filter(parameters) == NumFilter(ALL, None, b"s", kind, a, b, truncate)


MAXIMUM = "invalid parameter (expected: maximum must be bigger than minimum)"


@pytest.mark.parametrize(
    ("method", "parameters", "text"),
    [
        ("add", {}, '"value" is not specified in parameters'),
        ("linear_normalization", {}, '"min" is not specified in parameters; "max" is not specified in parameters'),
        ("linear_normalization", {"min": "0"}, '"max" is not specified in parameters'),
        ("linear_normalization", {"min": "1", "max": "1"}, MAXIMUM),
        ("linear_normalization", {"min": "2", "max": "1"}, MAXIMUM),
        (
            "gaussian_normalization",
            {"average": "x"},
            'std::bad_cast: "average" must be a number: x; "standard_deviation" is not specified in parameters',
        ),
        ("gaussian_normalization", {"average": "0"}, '"standard_deviation" is not specified in parameters'),
        (
            "gaussian_normalization",
            {"average": "0", "standard_deviation": "-0.1"},
            "invalid parameter (expected: standard deviation must be non-negative)",
        ),
        ("sigmoid_normalization", {"gain": "0"}, "invalid parameter (expected: gain must not be zero)"),
        ("sigmoid_normalization", {"gain": "-0.0"}, "invalid parameter (expected: gain must not be zero)"),
        ("sigmoid_normalization", {"gain": "x"}, 'std::bad_cast: "gain" must be a number: x'),
        ("sigmoid_normalization", {"bias": ""}, 'std::bad_cast: "bias" must be a number: '),
    ],
)
def test_num_filter_errors(method: str, parameters: dict[str, str], text: str) -> None:
    assert refusal({"num_filter_types": {"f": {"method": method, **parameters}}}) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5abc", 0.5),
        ("0x10", 0.0),
        ("1,5", 1.0),
        ("+4", 4.0),
        (" \t\n\v\f\r-7 8", -7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.5.2", 1.5),
        ("1e2e3", 100.0),
        ("1E-2", 0.01),
        ("1e-400", 0.0),
        ("1e308", 1e308),
        ("1_000", 1.0),
        ("１", None),
        ("1１", 1.0),
        ("", None),
        ("abc", None),
        ("-", None),
        (".", None),
        ("-.e1", None),
        ("e5", None),
        ("1e", None),
        ("1e+", None),
        ("1e+x", None),
        ("inf", None),
        ("nan", None),
        ("1e400", None),
        ("-1e400", None),
        ("- 1", None),
        ("\u30001", None),
    ],
)
def test_numbers_in_parameters(text: str, number: float | None) -> None:
    parameters = {"method": "add", "value": text}
    if number is None:
        assert refusal({"num_filter_types": {"f": parameters}}).startswith('std::bad_cast: "')
    else:
        assert num_filter(parameters).a == number


def splitter(parameters: dict[str, str], name: str = "t") -> Splitter:
    rule = {"key": "*", "type": name, "sample_weight": "bin", "global_weight": "bin"}
    (made,) = parse_rules({"string_types": {name: parameters}, "string_rules": [rule]}).string_rules
    assert made.type_name == name.encode()
    return made.splitter


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"method": "ngram", "char_num": "1"}, Splitter("ngram", count=1)),
        ({"method": "ngram", "char_num": " 2abc"}, Splitter("ngram", count=2)),
        ({"method": "ngram", "char_num": "3.5"}, Splitter("ngram", count=3)),
        ({"method": "ngram", "char_num": "+2147483647"}, Splitter("ngram", count=2**31 - 1)),
        ({"method": "split", "separators": " ,、"}, Splitter("split", separators=frozenset(map(ord, " ,、")))),
        ({"method": "split", "separators": ""}, Splitter("split")),
        ({"method": "split", "separators": "\0a"}, Splitter("split")),
        ({"method": "split", "separators": "a\0b"}, Splitter("split", separators=frozenset({97}))),
        (
            {"method": "split", "separators": "\U0010ffff\ud800"},
            Splitter("split", separators=frozenset({0x10FFFF, 0xD800})),
        ),
        ({"method": "regexp", "pattern": "a"}, Splitter("regexp", regex=Regex(b"a"))),
        (
            {"method": "regexp", "pattern": "(あ)", "group": "1x"},
            Splitter("regexp", regex=Regex("(あ)".encode()), group=1),
        ),
    ],
)
def test_splitter(parameters: dict[str, str], expected: Splitter) -> None:
    assert splitter(parameters) == expected


@pytest.mark.parametrize("name", ["str", "space"])
def test_predefined_types_can_be_redefined(name: str) -> None:
    assert splitter({"method": "ngram", "char_num": "2"}, name) == Splitter("ngram", count=2)
    assert splitter({"method": "split", "separators": ""}, "other") == Splitter("split")
    rule = {"key": "*", "type": name, "sample_weight": "bin", "global_weight": "bin"}
    assert parse_rules({"string_rules": [rule]}).string_rules[0].splitter.kind == name


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"method": "space"}, "unknown splitter name: space"),
        ({"method": "ngram"}, '"char_num" is not specified in parameters'),
        ({"method": "ngram", "char_num": ""}, '"char_num" must be an integer value: '),
        ({"method": "ngram", "char_num": "x1"}, '"char_num" must be an integer value: x1'),
        ({"method": "ngram", "char_num": "99999999999"}, '"char_num" must be an integer value: 99999999999'),
        ({"method": "ngram", "char_num": "2147483648"}, '"char_num" must be an integer value: 2147483648'),
        ({"method": "ngram", "char_num": "0"}, "char_num must be positive integer: 0"),
        ({"method": "ngram", "char_num": "-2147483648"}, "char_num must be positive integer: -2147483648"),
        ({"method": "split"}, "not found: separators"),
        ({"method": "regexp", "group": "x"}, "not found: pattern; is not integer: group = x"),
        (
            {"method": "regexp", "pattern": "(", "group": "x"},
            "invalid regular expression: (; is not integer: group = x",
        ),
        (
            {"method": "regexp", "pattern": "(", "group": "-1"},
            "invalid regular expression: (; 'group' must be positive: -1",
        ),
        ({"method": "regexp", "pattern": "(", "group": "9"}, "invalid regular expression: ("),
        (
            {"method": "regexp", "pattern": "(あ)", "group": "2"},
            "regexp '(あ)' only contains 1 groups, but 'group' is 2",
        ),
    ],
)
def test_splitter_errors(parameters: dict[str, str], text: str) -> None:
    assert refusal({"string_types": {"t": parameters}}) == text


@pytest.mark.parametrize("kind", ["num", "log", "str"])
def test_num_types(kind: str) -> None:
    (rule,) = parse_rules({"num_rules": [{"key": "*", "type": kind}]}).num_rules
    assert (rule.type_name, rule.kind) == (kind.encode(), kind)
