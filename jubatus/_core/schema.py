"""JSON configurations: the parser, and readers which find every error of a config before anything is raised.

A reader takes the value, its path (``.parameter.max_size``, ``.converter.num_rules[0]``; the root is empty) and the
list of the errors so far, to which it adds its own. It returns what it read, or None for a value that it cannot read.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jubatus.errors import ConfigError, ConfigSyntaxError, UnsupportedMethod

Reader = Callable[[object, str, list[str]], Any]

_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN|-?[0-9][0-9.eE+-]*)', re.DOTALL)
_NAMES: dict[type, str] = {
    type(None): "Null",
    bool: "Bool",
    int: "Integer",
    float: "Float",
    str: "String",
    list: "Array",
    dict: "Object",
}


class _Literal(Exception):
    """A number that is refused: the text of the number, and why."""


def _constant(literal: str) -> NoReturn:
    raise _Literal(literal, f"{literal} is not JSON")


def _integer(literal: str) -> int:
    if len(literal) > 20 or not -(2**63) <= (number := int(literal)) < 2**63:
        raise _Literal(literal, "integer does not fit 64 bits")
    return number


def _float(literal: str) -> float:
    number = float(literal)
    tiny = abs(number) < sys.float_info.min and re.match(r"-?[0.]*[1-9]", literal) is not None
    if math.isinf(number) or tiny:
        raise _Literal(literal, "number is out of range")
    return number


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_int=_integer, parse_float=_float)


def parse_json(text: str | bytes, source: str = "") -> object:
    """Parse a text that is one JSON value.

    Args:
        text: UTF-8 if bytes; encoded surrogates are accepted.
        source: name of the file, put before ``<line>:<column>`` in the error text.

    Raises:
        ConfigSyntaxError: it is not JSON, more follows the value, or a number does not fit int64 or double.
    """

    def failure(message: str, at: int) -> ConfigSyntaxError:
        before = decoded[:at]
        error = ConfigSyntaxError(message, before.count("\n") + 1, at - before.rfind("\n"))
        if source:
            error.args = error.messages = (f"{source}:{error}",)
        return error

    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as reason:
        decoded = reason.object[: reason.start].decode("utf-8", "surrogatepass")
        raise failure("Invalid UTF-8", len(decoded)) from None
    space = _SPACE.match(decoded)
    start = space.end() if space else 0
    try:
        if start == len(decoded):
            error = failure("", start)
            error.args = error.messages = ("json_parser reached end of data",)
            raise error
        value: object
        value, end = _DECODER.raw_decode(decoded, start)
        if (more := _SPACE.match(decoded, end)) and more.end() < len(decoded):
            raise failure("there is more behind the end of the JSON value", more.end())
        return value
    except json.JSONDecodeError as reason:
        raise failure(reason.msg, reason.pos) from None
    except _Literal as reason:
        literal, message = reason.args
        at = next(token.start() for token in _TOKEN.finditer(decoded, start) if token[1] == literal)
        raise failure(message, at) from None
    except RecursionError:
        raise failure("nested too deeply", start) from None


def json_equal(left: object, right: object) -> bool:
    """Compare two JSON values by structure: 1 differs from 1.0 and from true, the order of members does not matter."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pairs.extend((value, other[name]) for name, value in one.items())
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif one != other:
            return False
    return True


def _mismatch(expected: str, value: object, path: str) -> str:
    actual = repr(value) if isinstance(value, float) and not math.isfinite(value) else _NAMES.get(type(value))
    return f"{expected} is expected, but {actual or type(value).__name__} is given. ({path})"


def LONG(value: object, path: str, errors: list[str]) -> int | None:
    """Read an integer of 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool):
        errors.append(_mismatch("Integer", value, path))
    elif -(2**63) <= value < 2**63:
        return value
    else:
        errors.append(f"integer of 64 bits is expected, but {value} is given. ({path})")
    return None


def INTEGER(value: object, path: str, errors: list[str]) -> int | None:
    """Read an integer of which the lowest 32 bits count, with their sign, as in Jubatus 1.1."""
    number = LONG(value, path, errors)
    return None if number is None else (number + 2**31) % 2**32 - 2**31


def FLOAT(value: object, path: str, errors: list[str]) -> float | None:
    """Read a finite number; an integer is one too."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    errors.append(_mismatch("Float", value, path))
    return None


def STRING(value: object, path: str, errors: list[str]) -> str | None:
    """Read a text."""
    if isinstance(value, str):
        return value
    errors.append(_mismatch("String", value, path))
    return None


def BOOL(value: object, path: str, errors: list[str]) -> bool | None:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    errors.append(_mismatch("Bool", value, path))
    return None


def ANY(value: object, path: str, errors: list[str]) -> object:
    """Take the value as it is, to be read later by who knows what it must be."""
    return value


def made_by(make: Callable[[object, str], Any]) -> Reader:
    """Make a reader of what a function makes of a value and its path; it may raise ConfigError."""

    def read_made(value: object, path: str, errors: list[str]) -> Any:
        return collect(errors, make, value, path)

    return read_made


def _faultless(element: Reader, value: object, path: str, errors: list[str]) -> Any:
    """Read an element of a list or map; return None if anything in it is wrong."""
    before = len(errors)
    result = element(value, path, errors)
    return result if len(errors) == before else None


def list_of(element: Reader) -> Reader:
    """Make a reader of arrays, which returns a list; elements with errors are None."""

    def read_list(value: object, path: str, errors: list[str]) -> list[Any] | None:
        if isinstance(value, list):
            return [_faultless(element, item, f"{path}[{index}]", errors) for index, item in enumerate(value)]
        errors.append(_mismatch("Array", value, path))
        return None

    return read_list


def map_of(element: Reader) -> Reader:
    """Make a reader of objects with any member names, which returns a dict; values with errors are None."""

    def read_map(value: object, path: str, errors: list[str]) -> dict[str, Any] | None:
        if isinstance(value, dict):
            return {name: _faultless(element, item, f"{path}.{name}", errors) for name, item in value.items()}
        errors.append(_mismatch("Object", value, path))
        return None

    return read_map


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a structure; one that is not required may be absent or null, and is then read as `default`.

    So is a member that cannot be read.
    """

    read: Reader
    required: bool = True
    default: Any = None


def optional(read: Reader, default: Any = None) -> Field:
    """Declare a member that may be absent or null."""
    return Field(read, False, default)


def structure(fields: Mapping[str, Field]) -> Reader:
    """Make a reader of objects with exactly these members, which returns a dict with a value for each."""

    def read_structure(value: object, path: str, errors: list[str]) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            errors.append(_mismatch("Object", value, path))
            return None
        errors.extend(f'"{name}" is not used ({path})' for name in value if name not in fields)
        members = {}
        for name, field in fields.items():
            member = value.get(name)
            result = None
            if field.required and name not in value:
                errors.append(f'"{name}" is not found ({path})')
            elif field.required or member is not None:
                result = field.read(member, f"{path}.{name}", errors)
            members[name] = field.default if result is None else result
        return members

    return read_structure


def read(value: object, reader: Reader, path: str = "") -> Any:
    """Read a value and raise everything that is wrong with it as one ConfigError."""
    errors: list[str] = []
    result = reader(value, path, errors)
    if errors:
        raise ConfigError(*errors)
    return result


def collect(errors: list[str], make: Callable[..., Any], *args: Any) -> Any:
    """Return what a function makes, or None if it raises that a configuration is wrong; its errors join the others."""
    try:
        return make(*args)
    except ConfigError as error:
        errors.extend(error.messages)
    except UnsupportedMethod as error:
        errors.append(error.explain())
    return None


def make_method(errors: list[str], make: Callable[..., Any], *args: Any) -> Any:
    """Return what a function makes of the method that a configuration names and of its parameter.

    If nothing else is wrong, what it raises is raised as it is: an unknown method alone is UnsupportedMethod. Otherwise
    its errors join the others, and None is returned.
    """
    return collect(errors, make, *args) if errors else make(*args)


def require(path: str, *conditions: tuple[bool, str]) -> None:
    """Raise what is wrong with a parameter as one ConfigError.

    Args:
        path: where the parameter stands.
        conditions: whether each is met, and its text.
    """
    wrong = [f"invalid parameter (expected: {expected}) ({path})" for right, expected in conditions if not right]
    if wrong:
        raise ConfigError(*wrong)
