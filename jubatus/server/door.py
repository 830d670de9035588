"""Lets only the servers of the cluster call what servers call on each other."""

import asyncio
import ipaddress
import logging
import socket
import time
from concurrent.futures import Executor
from contextlib import suppress

from jubatus.cluster.paths import Node
from jubatus.cluster.view import Directory
from jubatus.errors import JubatusError
from jubatus.rpc.server import Connection

log = logging.getLogger("jubatus")

AGAIN = 0.5
"""Seconds after which members are read again for a caller that is none of them: the news of it may be late."""

TOLD = 1000
"""Addresses whose refusal is logged, each once; more are not, lest they fill the log."""


class Outsider(JubatusError):
    """A caller that is no server of the cluster; the arguments are the method and its address."""

    def __str__(self) -> str:
        method, address = self.args
        return f"{method} is answered to servers of the cluster only, {address} is none"


class Door:
    """Knows the addresses of a cluster's servers.

    Ports do not matter: a caller's is any. A caller on this machine is let in, since this server is on it too.

    Args:
        directory: the nodes of the servers.
        blocking: its threads ask ZooKeeper and resolve names.
    """

    def __init__(self, directory: Directory, blocking: Executor) -> None:
        self._directory = directory
        self._blocking = blocking
        self._names: tuple[str, ...] = ()
        self._known: frozenset[str] = frozenset()
        self._read = 0.0
        self._told: set[str] = set()

    def lets(self, connection: Connection) -> bool:
        """Return whether a caller is known to be a server; never blocks."""
        caller = connection.caller
        return not caller or (self._directory.armed and caller in self._known)

    async def check(self, method: str, connection: Connection) -> None:
        """Look whether a caller is a server.

        Raises:
            Outsider: it is none.
            ClusterError: ZooKeeper does not answer.
        """
        caller = connection.caller
        loop = asyncio.get_running_loop()
        if caller in await loop.run_in_executor(self._blocking, self._addresses, False):
            return
        if time.monotonic() - self._read > AGAIN:
            self._read = time.monotonic()
            if caller in await loop.run_in_executor(self._blocking, self._addresses, True):
                return
        error = Outsider(method, caller)
        if caller not in self._told and len(self._told) < TOLD:
            self._told.add(caller)
            log.warning("%s", error)
        raise error

    def _addresses(self, again: bool) -> frozenset[str]:
        """Return the addresses of all servers; read the nodes from ZooKeeper where they may have changed, or again."""
        if again:
            self._directory.armed = False
        names = tuple(self._directory.names())
        if again or names != self._names:
            hosts = {Node.parse(name).host for name in names}
            self._known = frozenset(address for host in hosts for address in resolve(host))
            self._names = names
        return self._known


def resolve(host: str) -> list[str]:
    """Return the addresses of a host, which may be given by one of them."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    with suppress(OSError, UnicodeError):
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    return []
