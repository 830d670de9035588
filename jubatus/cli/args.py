"""Options of all commands: declared once as data, parsed with the syntax and the messages of Jubatus 1.1.

``--name=value``, ``--name value``, ``-x value``; letters behind one dash are flags in a row, of which the last may take
a value. Of a repeated option the last counts; words that are no option are kept aside.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NoReturn


class Kind(Enum):
    """What an option takes; the value is its name in the usage."""

    FLAG = ""
    INT = "int"
    UNSIGNED = "unsigned int"
    STRING = "string"


Value = int | str | bool


@dataclass(frozen=True)
class Option:
    """An option of a command.

    Args:
        name: the long name.
        short: the letter, or nothing.
        kind: what it takes.
        text: what the usage says.
        default: the value when it is not given; for a flag False.
        low: least value of a number.
        high: greatest value of a number.
        mandatory: whether it must be given.
    """

    name: str
    short: str
    kind: Kind
    text: str
    default: Value = ""
    low: int | None = None
    high: int | None = None
    mandatory: bool = False

    def read(self, word: str) -> Value:
        """Return the value that a word stands for; raise ValueError."""
        if self.kind is Kind.STRING:
            return word
        if self.kind is Kind.FLAG or not re.fullmatch(r"[+-]?[0-9]+", word):
            raise ValueError(word)
        number = int(word)
        if self.kind is Kind.UNSIGNED and number < 0:
            number += 1 << 32
        low = -(1 << 31) if self.low is None else self.low
        high = ((1 << 32) if self.kind is Kind.UNSIGNED else (1 << 31)) - 1 if self.high is None else self.high
        if not low <= number <= high:
            raise ValueError(word)
        return number


def flag(name: str, short: str, text: str) -> Option:
    """Declare an option that takes no value."""
    return Option(name, short, Kind.FLAG, text, False)


HELP = flag("help", "?", "print this message")


@dataclass(frozen=True)
class Given:
    """What the words of a command line say.

    Args:
        program: the first word.
        values: by long name, of every option of the command.
        usage: the text.
        others: words that are no option.
    """

    program: str
    values: dict[str, Value]
    usage: str
    others: list[str] = field(default_factory=list)

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
        """End the process with status 1 and a message and the usage on standard error."""
        fail(f"{message}\n{self.usage}".rstrip("\n"))


def fail(message: str) -> NoReturn:
    """End the process with status 1 and a message on standard error."""
    print(message, file=sys.stderr)
    raise SystemExit(1)


def parse(options: Sequence[Option], argv: Sequence[str]) -> Given:
    """Read a command line; on ``--help`` or an error print usage to standard error and end the process (0 or 1).

    Args:
        options: of the command, in the order of the usage; ``--help`` is added.
        argv: the words, of which the first is the program.
    """
    options = [*options, HELP]
    given = Given(argv[0], {option.name: option.default for option in options}, usage(options, argv[0]))
    seen: set[str] = set()
    errors = _read(options, argv[1:], given, seen)
    errors += [f"need option: --{option.name}" for option in _missing(options, seen)]
    if HELP.name in seen or (errors and len(argv) == 1):
        print(given.usage, end="", file=sys.stderr)
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
            given.others.append(word)
    return errors


def usage(options: Sequence[Option], program: str) -> str:
    """Return the text that tells the options."""
    needed = "".join(f"--{option.name}={option.kind.value} " for option in options if option.mandatory)
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
    return f"{option.text} ({option.kind.value}{default})"


MIXERS = ("linear_mixer", "random_mixer", "broadcast_mixer", "skip_mixer")

RPC_PORT = Option("rpc-port", "p", Kind.INT, "port number", 9199, 1, 65535)
LISTEN_ADDR = Option("listen_addr", "b", Kind.STRING, "address to listen on, and name of the server")
LISTEN_IF = Option("listen_if", "B", Kind.STRING, "network interface to listen on")
THREAD = Option("thread", "c", Kind.INT, "threads for long requests", 2, 1)
TIMEOUT = Option("timeout", "t", Kind.INT, "seconds after which an idle connection is closed; 0 is never", 10, 0)
DATADIR = Option("datadir", "d", Kind.STRING, "folder of the model files", "/tmp")
LOGDIR = Option("logdir", "l", Kind.STRING, "folder that gets a copy of the log")
LOG_CONFIG = Option("log_config", "g", Kind.STRING, "configuration file of the log")
DAEMON = flag("daemon", "D", "run in the background")
ZOOKEEPER = Option("zookeeper", "z", Kind.STRING, "locations of ZooKeeper; without them the server is standalone")
MIXER = Option("mixer", "x", Kind.STRING, "how models are mixed [distributed]", MIXERS[0])
INTERVAL_SEC = Option("interval_sec", "s", Kind.INT, "seconds between two mixes; 0 is no limit [distributed]", 16, 0)
INTERVAL_COUNT = Option(
    "interval_count", "i", Kind.INT, "updates between two mixes; 0 is no limit [distributed]", 512, 0
)
ZOOKEEPER_TIMEOUT = Option("zookeeper_timeout", "Z", Kind.INT, "seconds of a ZooKeeper session", 10)
INTERCONNECT_TIMEOUT = Option("interconnect_timeout", "I", Kind.INT, "seconds of a call between servers", 10)
MAX_MESSAGE_SIZE = Option("max_message_size", "", Kind.INT, "bytes that one message may have", 512 << 20, 1 << 10)
VERSION = flag("version", "v", "print the version")

SERVER = (
    RPC_PORT,
    LISTEN_ADDR,
    LISTEN_IF,
    THREAD,
    TIMEOUT,
    DATADIR,
    LOGDIR,
    LOG_CONFIG,
    Option("configpath", "f", Kind.STRING, "configuration file [standalone]"),
    Option("model_file", "m", Kind.STRING, "model file to start with, and its configuration [standalone]"),
    DAEMON,
    flag("config_test", "T", "check the configuration and end"),
    ZOOKEEPER,
    Option("name", "n", Kind.STRING, "name of the cluster [distributed]"),
    MIXER,
    INTERVAL_SEC,
    INTERVAL_COUNT,
    ZOOKEEPER_TIMEOUT,
    INTERCONNECT_TIMEOUT,
    MAX_MESSAGE_SIZE,
    VERSION,
)
"""Options of ``juba<service>``."""

CONFIG = (
    Option("cmd", "c", Kind.STRING, "what to do: write, read, delete or list", mandatory=True),
    Option("file", "f", Kind.STRING, "configuration file [write]"),
    Option("type", "t", Kind.STRING, "type of the servers [write, read, delete]"),
    Option("name", "n", Kind.STRING, "name of the cluster [write, read, delete]"),
    Option("zookeeper", "z", Kind.STRING, "locations of ZooKeeper; those of the environment variable ZK if not given"),
    flag("debug", "d", "has no effect"),
)
"""Options of ``jubaconfig``."""

CTL = (
    Option("cmd", "c", Kind.STRING, "what to do: start, stop, save, load or status", mandatory=True),
    Option("server", "s", Kind.STRING, "program of the servers, as jubaclassifier", mandatory=True),
    Option("name", "n", Kind.STRING, "name of the cluster", mandatory=True),
    Option("type", "t", Kind.STRING, "type of the servers, as classifier", mandatory=True),
    Option("num", "N", Kind.UNSIGNED, "servers on all machines; 0 is one on each [start]", 0),
    CONFIG[4],
    Option("id", "i", Kind.STRING, "name of the model, that of the cluster if not given [save, load]"),
    replace(LISTEN_IF, short="B"),
    replace(THREAD, short="C", low=None),
    replace(TIMEOUT, short="T", low=None),
    replace(DATADIR, short="D"),
    replace(LOGDIR, short="L"),
    replace(LOG_CONFIG, short="G"),
    replace(MIXER, short="X"),
    replace(INTERVAL_SEC, short="S", low=None),
    replace(INTERVAL_COUNT, short="I", low=None),
    replace(ZOOKEEPER_TIMEOUT, short="Z"),
    replace(INTERCONNECT_TIMEOUT, short="R"),
    CONFIG[5],
)
"""Options of ``jubactl``; those from ``--listen_if`` on are passed to the servers that are started."""

VISOR = (
    replace(RPC_PORT, default=9198),
    LISTEN_ADDR,
    LISTEN_IF,
    Option("zookeeper", "z", Kind.STRING, "locations of ZooKeeper", mandatory=True),
    Option("logdir", "l", Kind.STRING, "folder of the log and of what servers print; /tmp in the background"),
    LOG_CONFIG,
    TIMEOUT,
    replace(DAEMON, short="d"),
)
"""Options of ``jubavisor``."""

KEEPER = (
    RPC_PORT,
    LISTEN_ADDR,
    LISTEN_IF,
    replace(THREAD, text="connections to each server", default=4),
    TIMEOUT,
    ZOOKEEPER_TIMEOUT,
    INTERCONNECT_TIMEOUT,
    DAEMON,
    replace(ZOOKEEPER, text="locations of ZooKeeper", default="localhost:2181"),
    Option("pool_expire", "E", Kind.INT, "seconds after which an unused connection to a server is closed", 60, 0),
    Option("pool_size", "S", Kind.INT, "connections to all servers; 0 is no limit", 0, 0),
    LOGDIR,
    LOG_CONFIG,
    MAX_MESSAGE_SIZE,
    VERSION,
)
"""Options of ``juba<service>_keeper``, also called ``juba<service>_proxy``."""
