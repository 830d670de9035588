"""The command ``jubaconv``: shows what becomes of a JSON value on its way to a datum and to a feature vector."""

import math
import sys
from collections.abc import Iterator
from typing import Any

from jubatus.cli import args, once
from jubatus.cli.pretty import Object, pretty, quote
from jubatus.daemon.settings import Kind, Option
from jubatus.errors import BadArguments, ConfigError, ModelError

OPTIONS = (
    Option("input-format", "i", Kind.STRING, "input format (json/datum)", "json"),
    Option("output-format", "o", Kind.STRING, "output format (json/datum/fv)", "fv"),
    Option("conf", "c", Kind.STRING, "converter config file"),
)
FORMATS = {"input-format": ("json", "datum"), "output-format": ("json", "datum", "fv")}

FAILURE = 255
"""The exit status for input that cannot be used."""

KINDS = {"string_values": str, "num_values": float, "binary_values": str}
"""The members of a datum and what they hold, in the order of its lists."""

Datum = list[list[tuple[bytes, Any]]]


def main() -> int:
    """Run ``jubaconv``; return the exit status."""
    given = args.parse(OPTIONS, ["jubaconv", *sys.argv[1:]])
    for name, formats in FORMATS.items():
        if given.text(name) not in formats:
            given.refuse(f"option value is invalid: --{name}={given.text(name)}")
    source, target, path = (given.text(option.name) for option in OPTIONS)
    return once.run(lambda: convert(source, target, path))


def convert(source: str, target: str, path: str) -> int:
    """Convert standard input; return the exit status.

    Args:
        source: the format of the input.
        target: the format of the output.
        path: of the configuration.
    """
    from jubatus._core.schema import parse_json

    if (source, target) == ("datum", "json"):
        return once.complain(f"invalid input-output type: {source} -> {target}", FAILURE)
    try:
        value = parse_json(sys.stdin.buffer.read())
        datum = read_datum(value) if source == "datum" else make_datum(value)
    except ConfigError as error:
        return once.complain(f"invalid {source} format: {error}", FAILURE)
    if target == "json":
        return show(ordered(value))
    if target == "datum":
        return show(describe(datum))
    if not path:
        return once.complain("specify converter config with -c flag", FAILURE)
    features = make_vector(datum, path)
    return once.show(name + b": " + written(weight).encode() + b"\n" for name, weight in features)


def make_datum(value: object) -> Datum:
    """Return the datum of any JSON value: each number, text, bool and null with the path that leads to it."""
    datum: Datum = [[], [], []]
    pending = [(b"", value)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending += reversed([(path + b"/" + name, member) for name, member in members(value)])
        elif isinstance(value, list):
            pending += reversed([(path + b"[%d]" % index, element) for index, element in enumerate(value)])
        elif isinstance(value, int | float):
            datum[1].append((path, float(value)))
        else:
            datum[0].append((path, b"null" if value is None else encode(str(value))))
    return datum


def read_datum(value: object) -> Datum:
    """Return the datum that is written as a JSON object, sorted by key; raise ConfigError."""
    from jubatus._core.schema import FLOAT, STRING, Field, map_of, read, structure

    readers = {str: STRING, float: FLOAT}
    known = {name: member for name, member in value.items() if name in KINDS} if isinstance(value, dict) else value
    lists = read(known, structure({name: Field(map_of(readers[kind])) for name, kind in KINDS.items()}))
    return [
        sorted((encode(key), encode(value) if kind is str else value) for key, value in lists[name].items())
        for name, kind in KINDS.items()
    ]


def describe(datum: Datum) -> Any:
    """Return the JSON object of a datum, which has the first value of each key only."""
    lists = {}
    for name, pairs in zip(KINDS, datum, strict=True):
        first: dict[str, Any] = {}
        for key, value in pairs:
            first.setdefault(decode(key), decode(value) if isinstance(value, bytes) else value)
        lists[name] = {key: first[key] for key in sorted(first, key=encode)}
    return ordered(lists)


def make_vector(datum: Datum, path: str) -> list[tuple[bytes, float]]:
    """Return the features of a datum by a model that has learned nothing.

    Args:
        datum: what to convert.
        path: of a server's configuration, of which only the converter counts.

    Raises:
        ConfigError: the configuration cannot be used.
        ModelError: the datum cannot be converted.
    """
    from jubatus._core.convert.converter import Converter
    from jubatus._core.schema import made_by, parse_json, read
    from jubatus._core.wire import pack

    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ConfigError(f"cannot open converter config file: {path}: {error.strerror}") from error
    config = parse_json(content, path)
    if not isinstance(config, dict) or "converter" not in config:
        raise ConfigError(f'"converter" is not found in the configuration: {path}')
    converter: Converter = read(config["converter"], made_by(Converter), ".converter")
    try:
        return converter.vector(pack(datum))
    except BadArguments as error:
        raise ModelError(str(error)) from error


def members(value: dict[str, Any]) -> Iterator[tuple[bytes, Any]]:
    """Yield the members of an object in the order of the original's map."""
    from jubatus._core.order import order_names

    return ((name, value[decode(name)]) for name in order_names(map(encode, value)))


def ordered(value: Any) -> Any:
    """Return a parsed value with its members in the order of the original's map, to be printed."""
    if isinstance(value, dict):
        return Object((decode(name), ordered(member)) for name, member in members(value))
    return map(ordered, value) if isinstance(value, list) else value


def show(value: Any) -> int:
    """Print a value as JSON; return 0."""
    return once.show(encode(piece) for piece in pretty(value, quote, lambda number: f"{number:.12g}"))


def written(weight: float) -> str:
    """Return a weight with 6 significant digits; a NaN may have a sign."""
    return "-nan" if math.isnan(weight) and math.copysign(1.0, weight) < 0 else f"{weight:g}"


def encode(text: str) -> bytes:
    """Return the bytes of a text; surrogates stay, as the original has them."""
    return text.encode("utf-8", "surrogatepass")


def decode(raw: bytes) -> str:
    """Return the text of bytes."""
    return raw.decode("utf-8", "surrogatepass")
