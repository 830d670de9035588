"""JSON as the tools of the original print it: one element a line, two blanks a level.

An empty object or array takes two lines too. A value is None, a bool, a number, text or bytes, a mapping or `Object` of
members, or any other iterable, which is an array. Members and elements may be made while they are printed, so that a
large value is never there as a whole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ESCAPES = {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)}
_ESCAPES |= {ord(char): "\\" + letter for char, letter in zip('"\\/\b\f\n\r\t', '"\\/bfnrt', strict=True)}


@dataclass(frozen=True, slots=True)
class Object:
    """An object whose members are pairs of a name and a value."""

    members: Iterable[tuple[Any, Any]]


def quote(text: str) -> str:
    """Return a text in quotes. Only what must be and ``/`` is escaped."""
    return f'"{text.translate(_ESCAPES)}"'


def pretty(value: Any, text: Callable[[Any], str], number: Callable[[float], str]) -> Iterator[str]:
    """Yield the pieces of a printed value, which ends with a line feed.

    Args:
        value: what to print.
        text: writes a text, with its quotes; it gets names of members, str and bytes.
        number: writes a float.
    """

    def scalar(value: Any) -> str | None:
        """Return a value that is no object and no array, printed."""
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, str | bytes):
            return text(value)
        if isinstance(value, float):
            return number(value)
        return str(value) if isinstance(value, int) else None

    open: list[tuple[Iterator[Any], str]] = []  # objects and arrays that are being printed, each with its end
    head = ""
    while True:
        if (printed := scalar(value)) is not None:
            yield head + printed
        elif isinstance(value, Object | Mapping):
            members = value.members if isinstance(value, Object) else value.items()
            open.append((iter(members), "}"))
            yield head + "{"
        else:
            open.append((iter(value), "]"))
            yield head + "["
        comma = "" if printed is None else ","
        while open:
            elements, end = open[-1]
            try:
                value = next(elements)
            except StopIteration:
                open.pop()
                yield "\n" + "  " * len(open) + end
                comma = ","
                continue
            head = f"{comma}\n{'  ' * len(open)}"
            if end == "}":
                name, value = value
                head += text(name) + ": "
            break
        else:
            yield "\n"
            return
