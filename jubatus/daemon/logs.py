"""Where log records go, and how they look.

They look as those of Jubatus 1.1 do, and go to standard output unless a file says otherwise.

A file of ``--log_config`` is JSON (``logging.config.dictConfig``), an ini file (``logging.config.fileConfig``), or the
XML of log4cxx, of which console and file appenders and the level are understood. ``${NAME}`` in it stands for an
environment variable; JUBATUS_PROCESS, JUBATUS_PID, JUBATUS_HOST and JUBATUS_PORT are set for that purpose.
"""

import io
import logging
import os
import re
import sys
import threading
from logging.handlers import WatchedFileHandler
from typing import Any

from jubatus.errors import ConfigError

PATTERN = "%(asctime)s %(tid)d %(levelname)-5s [%(filename)s:%(lineno)d] %(message)s"

log = logging.getLogger("jubatus")

_LEVELS = {
    "all": logging.NOTSET,
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "off": logging.CRITICAL + 1,
}


def start(*, program: str, address: str, port: int, config: str, folder: str) -> None:
    """Set where log records go from now on.

    Args:
        program: name of the command.
        address: of the server, as part of names.
        port: of the server, as part of names.
        config: path of a configuration of the log, or nothing for standard output.
        folder: gets a copy ``<program>.<address>_<port>.log`` of what goes to standard output, if given.

    Raises:
        ConfigError: the configuration of the log cannot be used, or a file not be opened.
    """
    make: Any = logging.LogRecord

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made: logging.LogRecord = make(*args, **kwargs)
        made.tid = threading.get_native_id()
        return made

    logging.setLogRecordFactory(record)
    logging.addLevelName(logging.WARNING, "WARN")
    logging.addLevelName(logging.CRITICAL, "FATAL")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.raiseExceptions = False  # a log that cannot be written must not fill standard error
    names = {"PROCESS": program, "PID": str(os.getpid()), "HOST": address, "PORT": str(port)}
    os.environ.update({f"JUBATUS_{name}": value for name, value in names.items()})
    if config:
        read(config)
        return
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if folder:
        handlers.append(_file(os.path.join(folder, f"{program}.{address}_{port}.log")))
    _install(handlers, logging.INFO)


def reopen(config: str) -> None:
    """Read the configuration of the log again, and open files again that were moved away."""
    if config:
        log.info("reloading log configuration: %s", config)
        try:
            read(config)
        except ConfigError as error:
            log.error("invalid log configuration; reload aborted: %s", error)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, WatchedFileHandler):
            handler.acquire()
            try:
                handler.reopenIfNeeded()
            finally:
                handler.release()


def read(path: str) -> None:
    """Set up logging as a file says; raise ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"invalid log configuration: {path}: {_reason(error)}") from error
    try:
        if text.startswith("<"):
            _read_xml(text)
            return
        import logging.config

        text = _expand(text)
        if text.startswith("{"):
            import json

            logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, **json.loads(text)})
        elif text.startswith("["):
            logging.config.fileConfig(io.StringIO(text), disable_existing_loggers=False)
        else:
            raise ConfigError("a JSON, ini or log4cxx XML file is expected")
    except Exception as error:  # what logging.config raises is not declared
        raise ConfigError(f"invalid log configuration: {path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if error.__cause__ is None or isinstance(error, ConfigError):
        return str(error)
    return f"{error}: {error.__cause__}"


def _expand(text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), text)


def _file(path: str) -> logging.Handler:
    try:
        return WatchedFileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"cannot open log file: {path}: {error.strerror}") from error


def _install(handlers: list[logging.Handler], level: int) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(logging.Formatter(PATTERN))
        root.addHandler(handler)
    root.setLevel(level)


def _read_xml(text: str) -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(text)
    levels = [
        _level(element.get("value", "")) for element in root.findall("./root/level") + root.findall("./root/priority")
    ]
    handlers: list[logging.Handler] = []
    try:
        handlers.extend(_appender(element) for element in root.iter("appender"))
        if not handlers:
            raise ConfigError("an appender is expected")
    except ConfigError:
        for handler in handlers:
            handler.close()
        raise
    _install(handlers, levels[-1] if levels else logging.INFO)


def _level(name: str) -> int:
    if name.lower() not in _LEVELS:
        raise ConfigError(f"level {name!r} is none of {', '.join(_LEVELS)}")
    return _LEVELS[name.lower()]


def _appender(element: Any) -> logging.Handler:
    """Return the handler for an appender of log4cxx. The appender's layout is ignored: it is always that of PATTERN."""
    kind = element.get("class", "").rpartition(".")[2]
    options = {param.get("name", "").lower(): _expand(param.get("value", "")) for param in element.findall("param")}
    if kind == "ConsoleAppender":
        return logging.StreamHandler(sys.stderr if options.get("target") == "System.err" else sys.stdout)
    if kind == "FileAppender" and options.get("file"):
        return _file(options["file"])
    raise ConfigError(f"appender {kind!r}: a ConsoleAppender, or a FileAppender with a file, is expected")
