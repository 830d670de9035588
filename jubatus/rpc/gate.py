"""Who may connect to a server, how many at a time, and how many bytes may wait for them."""

import logging
import resource
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from jubatus.errors import ConfigError

if TYPE_CHECKING:
    from ssl import SSLContext

log = logging.getLogger("jubatus")

BUFFERS = 2 << 30
"""Bytes of unfinished requests, and of replies that are not read, where no limit is given and memory allows it."""

QUIET = 10.0
"""Seconds between two lines in the log about connections that were turned away."""

LEAST_SPARE = 32
"""Descriptors at least that are kept for files and for connections to others."""


class Files(NamedTuple):
    """Paths of what TLS takes; see rpc.tls.

    Args:
        cert: own certificate; nothing for no TLS.
        key: its key, unless it is in the same file.
        ca: certificates of the CAs that the others must have theirs from.
    """

    cert: str = ""
    key: str = ""
    ca: str = ""


class Gate:
    """Decides about connections.

    Args:
        allow: networks and addresses that may connect, divided by commas; all if it is empty.
        max_connections: how many may be open; 0 for as many as descriptors allow.
        max_buffers: MiB that unfinished requests of all connections may take, and as many that unread replies may take;
            0 for an eighth of the memory, and 2 GiB at most.
        tls: the files of TLS.

    Attributes:
        allow: as given.
        open: connections that are open now.
        max_connections: how many may be.
        max_buffers: the limit in bytes.
        refused: connections so far that were turned away.
        inward: TLS of those who connect; None for none.
        outward: TLS of calls to others; None for none.

    Raises:
        ConfigError: a network is none, there are not enough descriptors, or a file of TLS cannot be used.
    """

    def __init__(
        self,
        allow: str = "",
        max_connections: int = 0,
        max_buffers: int = 0,
        tls: Files = Files(),  # noqa: B008
    ) -> None:
        self.allow = allow
        self.open = 0
        self.refused = 0
        self.max_connections = max_connections or most_connections()
        if max_connections > most_connections(LEAST_SPARE):
            raise ConfigError(
                f"max_connections: {max_connections} connections are more than descriptors allow, which are "
                f"{descriptors()}, {LEAST_SPARE} of them for other purposes"
            )
        self.max_buffers = max_buffers << 20 if max_buffers else min(BUFFERS, memory() // 8)
        self._networks = networks(allow) if allow else None
        self.inward: SSLContext | None = None
        self.outward: SSLContext | None = None
        if tls.cert:
            from jubatus.rpc.tls import client_context, server_context

            self.inward = server_context(tls.cert, tls.key, tls.ca)
            self.outward = client_context(tls.ca, tls.cert, tls.key)
        elif tls.key or tls.ca:
            raise ConfigError("tls_key and tls_ca need a certificate, tls_cert")
        self._told = float("-inf")
        self._untold = 0

    def admit(self, peer: Any) -> bool:
        """Return whether a peer may connect now, and count its connection if so.

        Args:
            peer: its address, as sockets give it; None if it is gone already.
        """
        if self._networks is not None and not (peer and self._is_allowed(peer[0])):
            self.complain(peer, "its address is not allowed")
        elif self.open >= self.max_connections:
            self.complain(peer, f"{self.open} are open, which are all that are allowed")
        else:
            self.open += 1
            return True
        return False

    def leave(self) -> None:
        """Note the end of a connection that was admitted."""
        self.open -= 1

    def complain(self, peer: Any, reason: str) -> None:
        """Say in the log why a connection was turned away, but not too often."""
        self.refused += 1
        now = monotonic()
        if now - self._told < QUIET:
            self._untold += 1
            return
        more = f"; so were {self._untold} others since the last such line" if self._untold else ""
        name = f"{peer[0]}:{peer[1]}" if peer else "a peer that is gone"
        log.warning("connection of %s turned away: %s%s", name, reason, more)
        self._told, self._untold = now, 0

    @property
    def is_wide(self) -> bool:
        """Whether anybody may connect."""
        return self._networks is None and self.inward is None

    def status(self) -> dict[str, str]:
        """Return the entries of a status."""
        return {
            "allow": self.allow,
            "tls": str(int(self.inward is not None)),
            "connections": str(self.open),
            "max_connections": str(self.max_connections),
            "refused_connections": str(self.refused),
            "max_buffers": str(self.max_buffers >> 20),
        }

    def _is_allowed(self, host: str) -> bool:
        from ipaddress import IPv6Address, ip_address

        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks or ())


def networks(text: str) -> Sequence[Any]:
    """Return the networks of a list that is divided by commas; raise ConfigError."""
    from ipaddress import ip_network

    try:
        return [ip_network(word.strip()) for word in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"allow: {error}: networks like 10.0.0.0/8 and addresses are expected") from error


def descriptors() -> int:
    """Return how many descriptors a program may have, once it has raised its own limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if hard == resource.RLIM_INFINITY else hard


def most_connections(spare: int = 0) -> int:
    """Return how many connections there are descriptors for.

    Args:
        spare: descriptors that are left; 0 for an eighth.
    """
    limit = descriptors()
    return max(limit - (spare or max(LEAST_SPARE, limit // 8)), 1)


def memory() -> int:
    """Return the bytes of memory of the machine."""
    import os

    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
