"""What the commands have in common that do something in ZooKeeper and end."""

import logging
import os
from collections.abc import Callable
from typing import Any

from jubatus.cli import args, once, start
from jubatus.cluster.coordinator import Coordinator
from jubatus.daemon.settings import TLS_CA, TLS_CERT, TLS_KEY, Kind, Option, ZooKeeperAccess, flag, options

ZOOKEEPER = Option(
    "zookeeper", "z", Kind.STRING, "locations of ZooKeeper; those of the environment variable ZK if not given"
)
ACCESS = tuple(options(ZooKeeperAccess))
DEBUG = flag("debug", "d", "has no effect")

TIMEOUT = 10.0
"""Seconds of a session with ZooKeeper, and that a call may take."""


def locations(given: args.Given) -> str:
    """Return where ZooKeeper is; end the process if nothing says it."""
    hosts = given.text("zookeeper") or os.environ.get("ZK", "")
    if not hosts:
        args.fail("can't get ZK location: set 'ZK' environment or specify '-z <somezkaddrs>'")
    return hosts


def tls(given: args.Given) -> Any:
    """Return how the servers' certificates are checked, None for no TLS; raise ConfigError."""
    cert, key, ca = (given.text(option.name) for option in (TLS_CERT, TLS_KEY, TLS_CA))
    if not (cert or ca):
        return None
    from jubatus.rpc.tls import client_context

    return client_context(ca, cert, key)


def run(hosts: str, given: args.Given, command: Callable[[Coordinator], int]) -> int:
    """Do a command in a session with ZooKeeper; return the exit status.

    Standard error gets one line if it fails, and no log.

    Args:
        hosts: where ZooKeeper is.
        given: says how to connect to it.
        command: returns the exit status; raises JubatusError.
    """
    access = start.read(ZooKeeperAccess, given)
    logging.getLogger().addHandler(logging.NullHandler())

    def connected() -> int:
        from jubatus.cluster.zookeeper import connect

        zk = connect(hosts, TIMEOUT, **vars(access))
        try:
            return command(zk)
        finally:
            zk.close()

    return once.run(connected)
