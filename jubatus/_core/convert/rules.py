"""What a converter config asks for, checked and compiled once; the converter runs it.

All texts are UTF-8 bytes. Types are built and checked in the order of the original, also those that no rule uses.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar, get_args

from jubatus._core.convert.load import Plugin, load_plugin
from jubatus._core.regex.regex import Regex
from jubatus._core.schema import LONG, STRING, Field, collect, list_of, map_of, optional, structure
from jubatus.errors import ConfigError

T = TypeVar("T")
_Build = Callable[[str | Plugin, Mapping[str, str]], T]

SampleWeight = Literal["bin", "tf", "log_tf"]
GlobalWeight = Literal["bin", "idf", "idf1", "bm25", "weight"]
NumKind = Literal["num", "log", "str"]
CombinationKind = Literal["add", "mul"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Which keys are meant. `text` is without stars or slashes. A regular expression has to match from the start on."""

    kind: Literal["all", "suffix", "prefix", "regexp", "exact"]
    text: bytes = b""
    regex: Regex | None = None

    def matches(self, key: bytes) -> bool:
        """Return whether a key is meant."""
        if self.kind == "regexp":
            return self.regex is not None and self.regex.match(key) is not None
        if self.kind == "exact":
            return key == self.text
        return key.startswith(self.text) if self.kind == "prefix" else key.endswith(self.text)


@dataclass(frozen=True, slots=True)
class StringFilter:
    """Replace every match of `regex`, or do what a plugin does.

    A number in `replacement` stands for the text of that group.
    """

    key: Matcher
    excluded: Matcher | None
    suffix: bytes
    regex: Regex | None = None
    replacement: tuple[bytes | int, ...] = ()
    plugin: Plugin | None = None


@dataclass(frozen=True, slots=True)
class NumFilter:
    """Change numbers.

    What a and b are depends on the kind: add has the value in a; linear has min and max; gaussian has average and
    standard deviation; sigmoid has gain and bias.
    """

    key: Matcher
    excluded: Matcher | None
    suffix: bytes
    kind: Literal["add", "linear", "gaussian", "sigmoid", "plugin"]
    a: float = 0.0
    b: float = 0.0
    truncate: bool = False
    plugin: Plugin | None = None


@dataclass(frozen=True, slots=True)
class Splitter:
    """Cut texts into tokens.

    `count` is for ngram, `separators` (code points) for split, `regex` and `group` for regexp.
    """

    kind: Literal["str", "space", "ngram", "split", "regexp", "plugin"]
    count: int = 0
    separators: frozenset[int] = frozenset()
    regex: Regex | None = None
    group: int = 0
    plugin: Plugin | None = None


@dataclass(frozen=True, slots=True)
class StringRule:
    """Make features of strings."""

    key: Matcher
    excluded: Matcher | None
    type_name: bytes
    splitter: Splitter
    sample_weight: SampleWeight
    global_weight: GlobalWeight


@dataclass(frozen=True, slots=True)
class NumRule:
    """Make features of numbers."""

    key: Matcher
    excluded: Matcher | None
    type_name: bytes
    kind: NumKind | Plugin


@dataclass(frozen=True, slots=True)
class BinaryRule:
    """Make features of binary values. The original takes an exception to the key, but does not look at it."""

    key: Matcher
    type_name: bytes
    plugin: Plugin


@dataclass(frozen=True, slots=True)
class CombinationRule:
    """Make features of pairs of features; the matchers see whole feature keys."""

    left: Matcher
    left_excluded: Matcher | None
    right: Matcher
    right_excluded: Matcher | None
    type_name: bytes
    kind: CombinationKind | Plugin


@dataclass(frozen=True, slots=True)
class ConverterRules:
    """A whole converter config."""

    string_filters: tuple[StringFilter, ...] = ()
    num_filters: tuple[NumFilter, ...] = ()
    string_rules: tuple[StringRule, ...] = ()
    num_rules: tuple[NumRule, ...] = ()
    binary_rules: tuple[BinaryRule, ...] = ()
    combination_rules: tuple[CombinationRule, ...] = ()
    hash_max_size: int | None = None


_TEXT, _OPTIONAL_TEXT = Field(STRING), optional(STRING)
_TYPES = optional(map_of(map_of(STRING)), {})


def _rules(**fields: Field) -> Field:
    return optional(list_of(structure(fields)), [])


_MATCH = {"key": _TEXT, "except": _OPTIONAL_TEXT, "type": _TEXT}
_PAIR = {"key_left": _TEXT, "except_left": _OPTIONAL_TEXT, "key_right": _TEXT, "except_right": _OPTIONAL_TEXT}

# Reads the member `converter` of a service's config, but does not compile it.
CONVERTER = structure(
    {
        "string_filter_types": _TYPES,
        "string_filter_rules": _rules(**_MATCH, suffix=_TEXT),
        "num_filter_types": _TYPES,
        "num_filter_rules": _rules(**_MATCH, suffix=_TEXT),
        "string_types": _TYPES,
        "string_rules": _rules(**_MATCH, sample_weight=_TEXT, global_weight=_TEXT),
        "num_types": _TYPES,
        "num_rules": _rules(**_MATCH),
        "binary_types": _TYPES,
        "binary_rules": _rules(**_MATCH),
        "combination_types": _TYPES,
        "combination_rules": _rules(**_PAIR, type=_TEXT),
        "hash_max_size": optional(LONG),
    }
)


# Types that a config need not define; it may define them differently.
_SPLITTERS: dict[str, Splitter] = {"str": Splitter("str"), "space": Splitter("space")}
_NUM_KINDS: dict[str, NumKind | Plugin] = {"num": "num", "log": "log", "str": "str"}
_COMBINATION_KINDS: dict[str, CombinationKind | Plugin] = {"add": "add", "mul": "mul"}


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def parse_matcher(pattern: str) -> Matcher:
    """Compile the text of a key pattern.

    Raises:
        ConfigError: the regular expression is wrong.
    """
    text = _encode(pattern)
    if text in (b"", b"*"):
        return Matcher("all")
    if text.startswith(b"*"):
        return Matcher("suffix", text[1:])
    if text.endswith(b"*"):
        return Matcher("prefix", text[:-1])
    if len(text) >= 2 and text.startswith(b"/") and text.endswith(b"/"):
        return Matcher("regexp", text[1:-1], Regex(text[1:-1]))
    return Matcher("exact", text)


def _optional_matcher(pattern: str | None) -> Matcher | None:
    return None if pattern is None else parse_matcher(pattern)


# Numbers in parameters are texts, read as C++ streams do: the longest beginning that can be part of a number counts,
# and it is an error if that is no number.
_FLOAT = re.compile(rb"\s*([+-]?(?:[0-9]+\.?|\.[0-9])[0-9]*(?:[eE][+-]?[0-9]*)?)")
_INTEGER = re.compile(rb"\s*([+-]?[0-9]{1,1000})")


def parse_float(text: str) -> float:
    start = _FLOAT.match(_encode(text))
    try:
        number = float(start[1]) if start else float("inf")
    except ValueError:  # an exponent without digits
        number = float("inf")
    if abs(number) == float("inf"):
        raise ConfigError("std::bad_cast")
    return number


def parse_integer(text: str) -> int | None:
    start = _INTEGER.match(_encode(text))
    number = int(start[1]) if start else 1 << 31
    return number if -(1 << 31) <= number < 1 << 31 else None


def _all(*makers: Callable[[], Any]) -> list[Any]:
    """Call functions and return their results; raise all their errors as one."""
    errors: list[str] = []
    made = [collect(errors, make) for make in makers]
    if errors:
        raise ConfigError(*errors)
    return made


def _parameter(parameters: Mapping[str, str], name: str) -> str:
    if name not in parameters:
        raise ConfigError(f'"{name}" is not specified in parameters')
    return parameters[name]


def _parse_replacement(text: bytes, groups: int) -> tuple[bytes | int, ...]:
    pieces: list[bytes | int] = []
    literal = bytearray()
    position = 0
    while position < len(text):
        byte = text[position : position + 1]
        position += 1
        if byte != b"\\":
            literal += byte
            continue
        byte = text[position : position + 1]
        position += 1
        if byte == b"\\":
            literal += byte
        elif byte.isdigit():
            if int(byte) > groups:
                raise ConfigError("invalid number of capture group")
            if literal:
                pieces.append(bytes(literal))
                literal.clear()
            pieces.append(int(byte))
        else:
            raise ConfigError("invalid replacement expression. 0-9 or \\ are required after \\")
    return (*pieces, bytes(literal)) if literal else tuple(pieces)


def _string_filter(method: str | Plugin, parameters: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(method, Plugin):
        return {"plugin": method}
    if method != "regexp":
        raise ConfigError(f"unknown filter name: {method}")
    regex, replacement = _all(
        lambda: Regex(_encode(_parameter(parameters, "pattern"))), lambda: _parameter(parameters, "replace")
    )
    return {"regex": regex, "replacement": _parse_replacement(_encode(replacement), regex.groups)}


def _num_filter(method: str | Plugin, parameters: Mapping[str, str]) -> dict[str, Any]:
    def number(name: str, default: str | None = None) -> float:
        text = _parameter(parameters, name) if default is None else parameters.get(name, default)
        try:
            return parse_float(text)
        except ConfigError as error:
            raise ConfigError(f'{error}: "{name}" must be a number: {text}') from error

    def check(valid: bool, expected: str) -> None:
        if not valid:
            raise ConfigError(f"invalid parameter (expected: {expected})")

    match method:
        case Plugin():
            return {"kind": "plugin", "plugin": method}
        case "add":
            return {"kind": "add", "a": number("value")}
        case "linear_normalization":
            a, b = _all(lambda: number("min"), lambda: number("max"))
            check(b > a, "maximum must be bigger than minimum")
            return {"kind": "linear", "a": a, "b": b, "truncate": parameters.get("truncate", "True") == "True"}
        case "gaussian_normalization":
            a, b = _all(lambda: number("average"), lambda: number("standard_deviation"))
            check(b >= 0, "standard deviation must be non-negative")
            return {"kind": "gaussian", "a": a, "b": b}
        case "sigmoid_normalization":
            a, b = _all(lambda: number("gain", "1"), lambda: number("bias", "0"))
            check(a != 0, "gain must not be zero")
            return {"kind": "sigmoid", "a": a, "b": b}
    raise ConfigError(f"unknown num filter name: {method}")


def _ngram(parameters: Mapping[str, str]) -> Splitter:
    text = _parameter(parameters, "char_num")
    count = parse_integer(text)
    if count is None:
        raise ConfigError(f'"char_num" must be an integer value: {text}')
    if count <= 0:
        raise ConfigError(f"char_num must be positive integer: {count}")
    return Splitter("ngram", count=count)


def _pattern(parameters: Mapping[str, str]) -> Regex:
    if "pattern" not in parameters:
        raise ConfigError("not found: pattern")
    return Regex(_encode(parameters["pattern"]))


def _group(parameters: Mapping[str, str]) -> int:
    text = parameters.get("group", "0")
    group = parse_integer(text)
    if group is None:
        raise ConfigError(f"is not integer: group = {text}")
    if group < 0:
        raise ConfigError(f"'group' must be positive: {group}")
    return group


def _regexp(parameters: Mapping[str, str]) -> Splitter:
    regex, group = _all(lambda: _pattern(parameters), lambda: _group(parameters))
    if group > regex.groups:
        pattern = parameters["pattern"]
        raise ConfigError(f"regexp '{pattern}' only contains {regex.groups} groups, but 'group' is {group}")
    return Splitter("regexp", regex=regex, group=group)


def _splitter(method: str | Plugin, parameters: Mapping[str, str]) -> Splitter:
    match method:
        case Plugin():
            return Splitter("plugin", plugin=method)
        case "ngram":
            return _ngram(parameters)
        case "regexp":
            return _regexp(parameters)
        case "split":
            if "separators" not in parameters:
                raise ConfigError("not found: separators")
            return Splitter("split", separators=frozenset(map(ord, parameters["separators"].partition("\0")[0])))
    raise ConfigError(f"unknown splitter name: {method}")


def _only_plugins(kind: str) -> Callable[[str | Plugin, Mapping[str, str]], Plugin]:
    """Build types of a kind that has no methods but plugins."""

    def build(method: str | Plugin, parameters: Mapping[str, str]) -> Plugin:
        if isinstance(method, Plugin):
            return method
        raise ConfigError(f"unknown {kind} feature name: {method}")

    return build


def _build_type(section: str, where: str, parameters: Mapping[str, str], build: _Build[T]) -> T:
    if "method" not in parameters:
        raise ConfigError("parameter: [method] must be defined")
    if parameters["method"] == "dynamic":
        _parameter(parameters, "path")
        _parameter(parameters, "function")
        return build(load_plugin(section, parameters, where), parameters)
    return build(parameters["method"], parameters)


def _types(
    config: Mapping[str, Any], section: str, path: str, build: _Build[T], predefined: Mapping[str, T], errors: list[str]
) -> dict[str, T | None]:
    """Build the types of a section by name; those with errors are None."""
    types: dict[str, T | None] = dict(predefined)
    for name in sorted(config[section], key=_encode):
        parameters = config[section][name]
        where = f"{path}.{section}.{name}"
        types[name] = None if parameters is None else collect(errors, _build_type, section, where, parameters, build)
    return types


def _type(types: Mapping[str, T | None], rule: Mapping[str, str], section: str) -> T | None:
    if rule["type"] not in types:
        raise ConfigError(f"unknown type: [{rule['type']}] in {section}")
    return types[rule["type"]]


def _weight(allowed: object, rule: Mapping[str, str], name: str) -> Any:
    if rule[name] not in get_args(allowed):
        raise ConfigError(f"unknown {name}: [{rule[name]}] in string_rules")
    return rule[name]


def _filter(
    section: str, make: Callable[..., T], types: Mapping[str, Mapping[str, Any] | None], rule: Mapping[str, str]
) -> T:
    method, key, excluded = _all(
        lambda: _type(types, rule, section),
        lambda: parse_matcher(rule["key"]),
        lambda: _optional_matcher(rule["except"]),
    )
    # A type with errors is None. They are reported, and as there are errors no rule will be used.
    return method and make(key=key, excluded=excluded, suffix=_encode(rule["suffix"]), **method)


def _string_rule(types: Mapping[str, Splitter | None], rule: Mapping[str, Any]) -> StringRule:
    key, excluded, splitter, sample_weight, global_weight = _all(
        lambda: parse_matcher(rule["key"]),
        lambda: _optional_matcher(rule["except"]),
        lambda: _type(types, rule, "string_rules"),
        lambda: _weight(SampleWeight, rule, "sample_weight"),
        lambda: _weight(GlobalWeight, rule, "global_weight"),
    )
    return StringRule(key, excluded, _encode(rule["type"]), splitter, sample_weight, global_weight)


def _num_rule(types: Mapping[str, NumKind | Plugin | None], rule: Mapping[str, Any]) -> NumRule:
    key, excluded, kind = _all(
        lambda: parse_matcher(rule["key"]),
        lambda: _optional_matcher(rule["except"]),
        lambda: _type(types, rule, "num_rules"),
    )
    return NumRule(key, excluded, _encode(rule["type"]), kind)


def _binary_rule(types: Mapping[str, Plugin | None], rule: Mapping[str, Any]) -> BinaryRule:
    key, plugin = _all(lambda: parse_matcher(rule["key"]), lambda: _type(types, rule, "binary_rules"))
    return BinaryRule(key, _encode(rule["type"]), plugin)


def _combination_rule(types: Mapping[str, CombinationKind | Plugin | None], rule: Mapping[str, Any]) -> CombinationRule:
    left, left_excluded, right, right_excluded, kind = _all(
        lambda: parse_matcher(rule["key_left"]),
        lambda: _optional_matcher(rule["except_left"]),
        lambda: parse_matcher(rule["key_right"]),
        lambda: _optional_matcher(rule["except_right"]),
        lambda: _type(types, rule, "combination_rules"),
    )
    return CombinationRule(left, left_excluded, right, right_excluded, _encode(rule["type"]), kind)


def parse_rules(config: object, path: str = "") -> ConverterRules:
    """Check and compile a converter config.

    Args:
        config: the parsed JSON.
        path: where it stands in the whole config, for the error texts.

    Raises:
        ConfigError: all errors together, those of shape first.
    """
    errors: list[str] = []
    members: dict[str, Any] | None = CONVERTER(config, path, errors)
    if members is None:
        raise ConfigError(*errors)
    size = members["hash_max_size"]
    if size is not None and size <= 0:
        errors.append(f"hash_max_size must be positive, but is {size}")

    def types(section: str, build: _Build[T], predefined: Mapping[str, T]) -> dict[str, T | None]:
        return _types(members, section, path, build, predefined, errors)

    string_filters = types("string_filter_types", _string_filter, {})
    num_filters = types("num_filter_types", _num_filter, {})
    splitters = types("string_types", _splitter, _SPLITTERS)
    nums = types("num_types", _only_plugins("num"), _NUM_KINDS)
    binaries = types("binary_types", _only_plugins("binary"), {})
    combinations = types("combination_types", _only_plugins("combination"), _COMBINATION_KINDS)

    def rules(section: str, make: Callable[..., T], types: Mapping[str, Any]) -> tuple[T, ...]:
        return tuple(collect(errors, make, types, rule) for rule in members[section] if rule is not None)

    string_filter_rules = rules(
        "string_filter_rules", partial(_filter, "string_filter_rules", StringFilter), string_filters
    )
    num_filter_rules = rules("num_filter_rules", partial(_filter, "num_filter_rules", NumFilter), num_filters)
    string_rules = rules("string_rules", _string_rule, splitters)
    num_rules = rules("num_rules", _num_rule, nums)
    binary_rules = rules("binary_rules", _binary_rule, binaries)
    combination_rules = rules("combination_rules", _combination_rule, combinations)
    if errors:
        raise ConfigError(*errors)
    return ConverterRules(
        string_filter_rules, num_filter_rules, string_rules, num_rules, binary_rules, combination_rules, size
    )
