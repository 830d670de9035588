"""What the commands have in common that run until a signal ends them."""

import os
import signal
import sys
from typing import Any, TypeVar

from jubatus import SERVICES
from jubatus.cli import args
from jubatus.daemon.settings import Kind, Option, Value, own

Settings = TypeVar("Settings")


def service(*endings: str) -> tuple[str, str]:
    """Return the name of the program and of the service that it serves; end the process if that is none.

    Args:
        *endings: what follows the name of the service in the names of its programs.
    """
    program = os.path.basename(sys.argv[0])
    programs = {f"juba{name}{ending}": name for name in SERVICES for ending in endings}
    if program not in programs:
        args.fail(f"no program is called {program}: one of {', '.join(programs)} is expected")
    return program, programs[program]


def parse(options: tuple[Option, ...], program: str) -> args.Given:
    """Read the command line; a signal before the program handles it itself ends the process as it ends any.

    Prints the version and ends the process where that is asked for.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    given = args.parse(options, sys.argv)
    if args.VERSION in options and given.flag("version"):
        from jubatus import __version__

        print(f"jubatus-{__version__} ({program})")
        raise SystemExit(0)
    return given


def read(kind: type[Settings], given: args.Given, **others: Any) -> Settings:
    """Return the settings that the options say; end the process if a file is not there.

    Args:
        kind: the class of the settings.
        given: the options.
        **others: members that are no options, or that the command knows better.
    """
    return kind(**{name: _value(option, given) for name, option in own(kind).items() if name not in others}, **others)


def _value(option: Option, given: args.Given) -> Value:
    value = given.values[option.name]
    if option.kind is Kind.FILE and value and not os.path.exists(str(value)):
        args.fail(f"no such file: --{option.name}={value}")
    return absolute(str(value)) if option.kind in (Kind.FILE, Kind.FOLDER) else value


def positive(given: args.Given, *options: str) -> None:
    """End the process if one of the numbers is less than 1."""
    for option in options:
        if given.number(option) < 1:
            given.refuse(f"can't start with {option} less than 1")


def absolute(path: str) -> str:
    """Return the real path, or nothing for nothing."""
    return os.path.realpath(path) if path else ""


def writable(folder: str) -> str:
    """Return why files cannot be made in a folder, or nothing."""
    import errno

    if not folder or (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        return ""
    if not os.path.exists(folder):
        return f"{os.strerror(errno.ENOENT)}: {folder}"
    return f"{os.strerror(errno.EACCES if os.path.isdir(folder) else errno.ENOTDIR)}: {folder}"
