"""What the commands have in common that do something in ZooKeeper and end."""

import logging
import os
import signal
import sys
from collections.abc import Callable

from jubatus.cli import args
from jubatus.cluster.coordinator import Coordinator
from jubatus.daemon.settings import Kind, Option, flag
from jubatus.errors import JubatusError

ZOOKEEPER = Option(
    "zookeeper", "z", Kind.STRING, "locations of ZooKeeper; those of the environment variable ZK if not given"
)
DEBUG = flag("debug", "d", "has no effect")

TIMEOUT = 10.0
"""Seconds of a session with ZooKeeper, and that a call may take."""


def locations(given: args.Given) -> str:
    """Return where ZooKeeper is; end the process if nothing says it."""
    hosts = given.text("zookeeper") or os.environ.get("ZK", "")
    if not hosts:
        args.fail("can't get ZK location: set 'ZK' environment or specify '-z <somezkaddrs>'")
    return hosts


def run(hosts: str, command: Callable[[Coordinator], int]) -> int:
    """Do a command in a session with ZooKeeper; return the exit status.

    Standard error gets one line if it fails, and no log.

    Args:
        hosts: where ZooKeeper is.
        command: returns the exit status; raises JubatusError.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from jubatus.cluster.zookeeper import connect

        zk = connect(hosts, TIMEOUT)
        try:
            return command(zk)
        finally:
            zk.close()
    except JubatusError as error:
        return complain(str(error))
    except OSError as error:  # standard output is closed or full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written at the end
        return complain(f"cannot write: {error.strerror or error}")


def complain(message: str) -> int:
    """Print a line on standard error and return the exit status of a failure."""
    print(message.replace("\n", " "), file=sys.stderr)
    return 1
