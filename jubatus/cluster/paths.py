"""Names of nodes in ZooKeeper."""

import re
from typing import NamedTuple

from jubatus.errors import ClusterError

ROOT = "/jubatus"

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")


class Node(NamedTuple):
    """A process, as the address that it answers on.

    Args:
        host: its address.
        port: its port.
    """

    host: str
    port: int

    @property
    def name(self) -> str:
        """What the process is called in ZooKeeper."""
        return f"{self.host}_{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Node":
        """Return the node of a name: the host ends at the first underscore, a port that is no number is 0."""
        host, _, port = text.partition("_")
        number = _NUMBER.match(port)
        return cls(host, int(number[1]) if number else 0)


def is_name(name: str) -> bool:
    """Return whether ZooKeeper accepts a text as the name of a cluster."""
    return name not in {"", ".", ".."} and "/" not in name and all(_allowed(ord(letter)) for letter in name)


def _allowed(code: int) -> bool:
    return 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xF900 <= code < 0xFFF0


def check_name(name: str) -> None:
    """Raise ClusterError if a text cannot be the name of a cluster."""
    if not is_name(name):
        raise ClusterError(f"invalid cluster name: {name!r}")


def supervisors() -> str:
    """Return where the agents of all machines register."""
    return f"{ROOT}/supervisors"


def all_proxies() -> str:
    """Return where the keepers of all types register."""
    return f"{ROOT}/jubaproxies"


def proxies(type: str) -> str:
    """Return where the keepers of a type register."""
    return f"{ROOT}/jubaproxies/{type}"


def actors() -> str:
    """Return where the clusters of all types are."""
    return f"{ROOT}/actors"


def clusters(type: str) -> str:
    """Return where the clusters of a type are."""
    return f"{ROOT}/actors/{type}"


def cluster(type: str, name: str) -> str:
    """Return the node that holds all about a cluster except its configuration."""
    return f"{ROOT}/actors/{type}/{name}"


def config_lock(type: str, name: str) -> str:
    """Return the lock of a cluster's configuration."""
    return f"{ROOT}/actors/{type}/{name}/config_lock"


def master_lock(type: str, name: str) -> str:
    """Return the lock that the master of a MIX holds."""
    return f"{ROOT}/actors/{type}/{name}/master_lock"


def nodes(type: str, name: str) -> str:
    """Return where all servers of a cluster register."""
    return f"{ROOT}/actors/{type}/{name}/nodes"


def actives(type: str, name: str) -> str:
    """Return where those servers of a cluster register whose model is up to date."""
    return f"{ROOT}/actors/{type}/{name}/actives"


def cht(type: str, name: str) -> str:
    """Return where the entries of a cluster's ring are."""
    return f"{ROOT}/actors/{type}/{name}/cht"


def id_generator(type: str, name: str) -> str:
    """Return the node whose versions are the ids of a cluster."""
    return f"{ROOT}/actors/{type}/{name}/id_generator"


def configs(type: str = "") -> str:
    """Return where the configurations are, of one type or of all."""
    return f"{ROOT}/config/{type}" if type else f"{ROOT}/config"


def config(type: str, name: str) -> str:
    """Return the configuration of a cluster."""
    return f"{ROOT}/config/{type}/{name}"
