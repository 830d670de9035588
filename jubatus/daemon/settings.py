"""Settings of programs that serve. Each is declared once, as a field of a dataclass, together with its option.

A field may also be a group of settings (``metadata={"group": Class}``). Its value is None if the group does not apply:
a standalone server has no settings of a cluster.

The usage of a command has the options in the order of the fields. The status and the log show the settings as their
options say. Commands read all this before they load anything else, so modules with settings import next to nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any


class Kind(Enum):
    """What an option takes."""

    FLAG = "nothing"
    INT = "int"
    UNSIGNED = "unsigned int"
    STRING = "string"
    FILE = "path of a file"
    FOLDER = "path of a folder"

    @property
    def usage(self) -> str:
        """The name in the usage."""
        return "string" if self in (Kind.FILE, Kind.FOLDER) else self.value


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
        status: its key in the status, or nothing if it is not there.
        line: its place among the first lines of the log, or 0 if it is not there.
        label: the name in that line, if it is another one.
        zero: what that line shows instead of 0.
    """

    name: str
    short: str
    kind: Kind
    text: str
    default: Value = ""
    low: int | None = None
    high: int | None = None
    mandatory: bool = False
    status: str = ""
    line: int = 0
    label: str = ""
    zero: str = ""

    def read(self, word: str) -> Value:
        """Return the value that a word stands for; raise ValueError."""
        if self.kind in (Kind.STRING, Kind.FILE, Kind.FOLDER):
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


def setting(option: Option, **changes: Any) -> Any:
    """Declare a field of settings.

    Args:
        option: says its value.
        **changes: what is different in the option of this program.
    """
    option = replace(option, **changes)
    return field(default=option.default, metadata={"option": option})


def own(settings: type) -> dict[str, Option]:
    """Return the options of settings by the name of the field, without those of their groups."""
    return {each.name: each.metadata["option"] for each in fields(settings) if "option" in each.metadata}


def options(settings: type) -> Iterator[Option]:
    """Yield all options in the order of the usage."""
    for each in fields(settings):
        if "option" in each.metadata:
            yield each.metadata["option"]
        elif "group" in each.metadata:
            yield from options(each.metadata["group"])


def values(settings: Any) -> Iterator[tuple[Option, Any]]:
    """Yield all options that apply, each with its value in the settings."""
    for each in fields(settings):
        value = getattr(settings, each.name)
        if "option" in each.metadata:
            yield each.metadata["option"], value
        elif "group" in each.metadata and value is not None:
            yield from values(value)


def words(settings: Any, *without: str) -> list[str]:
    """Return the words of a command line that say settings without flags; ``without`` names options to be left out."""
    return [f"--{option.name}={value}" for option, value in values(settings) if value and option.name not in without]


def status(settings: Any) -> dict[str, str]:
    """Return the entries that a status has of settings."""
    return {option.status: str(value) for option, value in values(settings) if option.status}


def lines(settings: Any) -> dict[str, object]:
    """Return what the first lines of the log tell of settings, by label."""
    told = [(option, value) for option, value in values(settings) if option.line]
    return {
        option.label or option.name.replace("_", " "): value or option.zero or value
        for option, value in sorted(told, key=lambda each: each[0].line)
    }


RPC_PORT = Option("rpc-port", "p", Kind.INT, "port number", 9199, 1, 65535)
LISTEN_ADDR = Option("listen_addr", "b", Kind.STRING, "address to listen on, and name of the server")
LISTEN_IF = Option("listen_if", "B", Kind.STRING, "network interface to listen on")
THREAD = Option("thread", "c", Kind.INT, "threads for long requests", 2, 1, status="threadnum", line=2)
TIMEOUT = Option(
    "timeout", "t", Kind.INT, "seconds after which an idle connection is closed; 0 is never", 10, 0,
    status="timeout", line=1,
)  # fmt: skip
LOGDIR = Option("logdir", "l", Kind.FOLDER, "folder that gets a copy of the log", status="logdir", line=4)
LOG_CONFIG = Option("log_config", "g", Kind.FILE, "configuration file of the log", status="log_config", line=5)
DAEMON = flag("daemon", "D", "run in the background")
ZOOKEEPER = Option("zookeeper", "z", Kind.STRING, "locations of ZooKeeper", status="zookeeper", line=8)
ZOOKEEPER_TIMEOUT = Option(
    "zookeeper_timeout", "Z", Kind.INT, "seconds of a ZooKeeper session", 10, status="zookeeper_timeout", line=13
)
INTERCONNECT_TIMEOUT = Option(
    "interconnect_timeout", "I", Kind.INT, "seconds of a call between servers", 10,
    status="interconnect_timeout", line=14,
)  # fmt: skip
TLS_CERT = Option("tls_cert", "", Kind.FILE, "own certificate (PEM); with it all connections have TLS")
TLS_KEY = Option("tls_key", "", Kind.FILE, "key of the certificate, unless it is in the same file")
TLS_CA = Option("tls_ca", "", Kind.FILE, "certificates of the CAs that all others must have theirs from")
MAX_MESSAGE_SIZE = Option("max_message_size", "", Kind.INT, "bytes that one message may have", 512 << 20, 1 << 10)


@dataclass(frozen=True)
class Guard:
    """Who may connect, how many at a time, and how many bytes may wait for them; see rpc.gate.Gate.

    Args:
        tls_cert: own certificate; with it all connections have TLS.
        tls_key: its key, unless it is in the same file.
        tls_ca: certificates of the CAs that all others must have theirs from.
        allow: networks that may connect, divided by commas; all if it is empty.
        max_connections: how many may be open; 0 for as many as descriptors allow.
        max_buffers: MiB of unfinished requests, and of replies that are not read; 0 for an eighth of the memory.
    """

    tls_cert: str = setting(TLS_CERT)
    tls_key: str = setting(TLS_KEY)
    tls_ca: str = setting(TLS_CA)
    allow: str = setting(
        Option(
            "allow", "", Kind.STRING, "networks that may connect, as 10.0.0.0/8,127.0.0.1; all if not given",
        )
    )  # fmt: skip
    max_connections: int = setting(
        Option("max_connections", "", Kind.INT, "connections at a time; 0 is as many as descriptors allow", 0, 0)
    )
    max_buffers: int = setting(
        Option(
            "max_buffers", "", Kind.INT,
            "MiB that unfinished requests, and unread replies, may take; 0 is an eighth of the memory or 2048",
            0, 0,
        )
    )  # fmt: skip


@dataclass(frozen=True)
class ZooKeeperAccess:
    """How a program connects to ZooKeeper; paths are real paths, or nothing.

    Args:
        auth: credentials.
        tls_ca: certificates to trust.
        tls_cert: own certificate.
        tls_key: its key.
    """

    auth: str = setting(
        Option(
            "zookeeper_auth",
            "",
            Kind.FILE,
            "file with user:password for ZooKeeper; nobody else can use what is created",
        )
    )
    tls_ca: str = setting(
        Option("zookeeper_tls_ca", "", Kind.FILE, "certificates that ZooKeeper is trusted by; turns TLS on")
    )
    tls_cert: str = setting(
        Option("zookeeper_tls_cert", "", Kind.FILE, "certificate that ZooKeeper is shown; turns TLS on")
    )
    tls_key: str = setting(Option("zookeeper_tls_key", "", Kind.FILE, "key of that certificate"))


class Daemon:
    """What the settings of every program that serves have; paths are real paths.

    Each program declares these fields again, in the order of its usage.

    Args:
        program: name of the command.
        port: to listen on.
        listen_addr: address to listen on, and name of the program; nothing for that of ``listen_if``.
        listen_if: interface to listen on; nothing for all.
        timeout: seconds after which an idle connection is closed; 0 is never.
        logdir: folder of a copy of the log, or nothing.
        log_config: configuration of the log, or nothing.
        daemon: run in the background.
        guard: who may connect.
    """

    program: str
    port: int
    listen_addr: str
    listen_if: str
    timeout: int
    logdir: str
    log_config: str
    daemon: bool
    guard: Guard
