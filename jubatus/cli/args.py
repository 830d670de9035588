"""The command line of all commands: parsed with the syntax and the messages of Jubatus 1.1.

``--name=value``, ``--name value``, ``-x value``; letters behind one dash are flags in a row, of which the last may take
a value. Of a repeated option the last counts. A word that is no option is an error, but for a lone dash.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from jubatus.daemon.settings import Kind, Option, Value, flag

HELP = flag("help", "?", "print this message")
VERSION = flag("version", "v", "print the version")


@dataclass(frozen=True)
class Given:
    """What the words of a command line say.

    Args:
        program: the first word.
        values: by long name, of every option of the command.
    """

    program: str
    values: dict[str, Value]

    def text(self, name: str) -> str:
        """Return the value of a text."""
        value = self.values[name]
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> int:
        """Return the value of a number."""
        value = self.values[name]
        assert isinstance(value, int), name
        return value

    def flag(self, name: str) -> bool:
        """Return whether a flag is given."""
        return bool(self.values[name])

    def refuse(self, message: str) -> NoReturn:
        """End the process with status 1 and one line on standard error: a message, and where to find help."""
        fail(f"{message}; see {os.path.basename(self.program)} --help")


def fail(message: str) -> NoReturn:
    """End the process with status 1 and a message, as one line, on standard error."""
    print(message.replace("\n", " "), file=sys.stderr)
    raise SystemExit(1)


def parse(options: Sequence[Option], argv: Sequence[str]) -> Given:
    """Read a command line.

    ``--help`` ends the process with the usage on standard error and status 0, an error with one line and status 1.

    Args:
        options: of the command, in the order of the usage; ``--help`` is added.
        argv: the words, of which the first is the program.
    """
    options = [*options, HELP]
    given = Given(argv[0], {option.name: option.default for option in options})
    seen: set[str] = set()
    errors = _read(options, argv[1:], given, seen)
    errors += [f"need option: --{option.name}" for option in _missing(options, seen)]
    if HELP.name in seen or (errors and len(argv) == 1):
        print(usage(options, argv[0]), end="", file=sys.stderr)
        raise SystemExit(0)
    if errors:
        given.refuse(errors[0])
    return given


def _missing(options: Sequence[Option], seen: set[str]) -> list[Option]:
    missing = [option for option in options if option.mandatory and option.name not in seen]
    return sorted(missing, key=lambda option: option.name)


def _read(options: Sequence[Option], words: Sequence[str], given: Given, seen: set[str]) -> list[str]:
    """Put what the words say into ``given`` and ``seen``; return the errors."""
    names = {option.name: option for option in options}
    letters = {option.short: option for option in options if option.short}
    errors: list[str] = []
    rest = iter(words)

    def put(option: Option, word: str | None) -> None:
        if word is None and option.kind is not Kind.FLAG:
            errors.append(f"option needs value: --{option.name}")
            return
        try:
            given.values[option.name] = True if word is None else option.read(word)
            seen.add(option.name)
        except ValueError:
            errors.append(f"option value is invalid: --{option.name}={word}")

    def take(option: Option) -> None:
        put(option, None if option.kind is Kind.FLAG else next(rest, None))

    for word in rest:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in names:
                errors.append(f"undefined option: --{name}")
            elif equals:
                put(names[name], value)
            else:
                take(names[name])
        elif word.startswith("-"):
            for position, letter in enumerate(word[1:], 2):
                if letter not in letters:
                    errors.append(f"undefined short option: -{letter}")
                elif position == len(word):
                    take(letters[letter])
                else:
                    put(letters[letter], None)
        else:
            errors.append(f"unexpected word: {word}")
    return errors


def usage(options: Sequence[Option], program: str) -> str:
    """Return the text that tells the options."""
    needed = "".join(f"--{option.name}={option.kind.usage} " for option in options if option.mandatory)
    width = max(len(option.name) for option in options) + 4
    lines = [f"usage: {program} {needed}[options] ... ", "options:"]
    for option in options:
        letter = f"-{option.short}, " if option.short else "    "
        lines.append(f"  {letter}--{option.name:{width}}{_described(option)}")
    return "\n".join(lines) + "\n"


def _described(option: Option) -> str:
    if option.kind is Kind.FLAG:
        return option.text
    default = "" if option.mandatory else f" [={option.default}]"
    return f"{option.text} ({option.kind.usage}{default})"
