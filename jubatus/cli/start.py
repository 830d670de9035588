"""What the commands have in common that run until a signal ends them."""

import os
import signal
import sys
from typing import TypedDict

from jubatus.cli import args


class Common(TypedDict):
    """The settings of every such program; see daemon.life.Daemon."""

    program: str
    port: int
    listen_addr: str
    listen_if: str
    timeout: int
    logdir: str
    log_config: str
    daemon: bool


def parse(options: tuple[args.Option, ...], program: str) -> args.Given:
    """Read the command line; a signal before the program handles it itself ends the process with status 1.

    Prints the version and ends the process where that is asked for.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    given = args.parse(options, sys.argv)
    if args.VERSION in options and given.flag("version"):
        from jubatus import __version__

        print(f"jubatus-{__version__} ({program})")
        raise SystemExit(0)
    return given


def common(given: args.Given, program: str, logdir: str) -> Common:
    """Return what the options say that all programs have.

    Args:
        given: the options.
        program: name of the command.
        logdir: folder of a copy of the log, or nothing.
    """
    return Common(
        program=program,
        port=given.number("rpc-port"),
        listen_addr=given.text("listen_addr"),
        listen_if=given.text("listen_if"),
        timeout=given.number("timeout"),
        logdir=absolute(logdir),
        log_config=existing(given, "log_config"),
        daemon=given.flag("daemon"),
    )


def positive(given: args.Given, *options: str) -> None:
    """End the process if one of the numbers is less than 1."""
    for option in options:
        if given.number(option) < 1:
            given.refuse(f"can't start with {option} less than 1")


def absolute(path: str) -> str:
    """Return the real path, or nothing for nothing."""
    return os.path.realpath(path) if path else ""


def existing(given: args.Given, option: str) -> str:
    """Return the real path of an option's file, or nothing; end the process if it is not there."""
    path = given.text(option)
    if path and not os.path.exists(path):
        args.fail(f"no such file: --{option}={path}")
    return absolute(path)


def writable(folder: str) -> str:
    """Return why files cannot be made in a folder, or nothing."""
    import errno

    if not folder or (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        return ""
    if not os.path.exists(folder):
        return f"{os.strerror(errno.ENOENT)}: {folder}"
    return f"{os.strerror(errno.EACCES if os.path.isdir(folder) else errno.ENOTDIR)}: {folder}"
