"""How a server is to be started: what jubactl sends to a visor, and the command line that comes of it."""

from dataclasses import dataclass, fields
from typing import Any

from jubatus._core.wire import Reader


@dataclass(frozen=True)
class Argv:
    """What travels: an array of these fields in this order, of which the last ones may be missing.

    The names are those of the server's options, but for those that a visor does not look at: ``port``,
    ``bind_address``, ``program_name``, ``type``, ``z``, ``name``, ``eth``, ``daemon`` and ``config_test``.
    """

    port: int = 9199
    bind_address: str = ""
    bind_if: str = ""
    timeout: int = 10
    zookeeper_timeout: int = 10
    interconnect_timeout: int = 10
    threadnum: int = 2
    program_name: str = ""
    type: str = ""
    z: str = ""
    name: str = ""
    datadir: str = "/tmp"
    logdir: str = ""
    log_config: str = ""
    eth: str = ""
    interval_sec: int = 16
    interval_count: int = 512
    mixer: str = "linear_mixer"
    daemon: bool = False
    config_test: bool = False

    def values(self) -> list[int | str | bool]:
        """Return the array."""
        return [getattr(self, field.name) for field in fields(self)]

    @classmethod
    def read(cls, reader: Reader) -> "Argv":
        """Take an array from a reader; raise BadArguments."""
        count = reader.array()
        values: dict[str, Any] = {field.name: _READ[field.type](reader) for field in fields(cls)[:count]}
        for _ in range(count - len(values)):
            reader.skip()
        return cls(**values)

    def options(self, *, zookeeper: str, name: str, port: int) -> list[str]:
        """Return the words that follow the name of the server's program.

        Args:
            zookeeper: locations of ZooKeeper.
            name: of the cluster.
            port: where the server listens.
        """
        values = {
            "-z": zookeeper,
            "-n": name,
            "-p": port,
            "-B": self.bind_if,
            "-c": self.threadnum,
            "-t": self.timeout,
            "-Z": self.zookeeper_timeout,
            "-I": self.interconnect_timeout,
            "-d": self.datadir,
            "-l": self.logdir,
            "-g": self.log_config,
            "-s": self.interval_sec,
            "-i": self.interval_count,
            "-x": self.mixer,
        }
        return [word for letter, value in values.items() for word in (letter, str(value))]


def text(reader: Reader) -> str:
    """Take a string of any bytes from a reader; raise BadArguments."""
    return reader.string().decode("utf-8", "surrogateescape")


_READ: dict[Any, Any] = {int: Reader.integer, str: text, bool: Reader.boolean}
