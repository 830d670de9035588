"""The command ``jubaconfig``: configurations of clusters in ZooKeeper."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jubatus import SERVICES
from jubatus.cli import args, once, session
from jubatus.cluster import paths
from jubatus.cluster.coordinator import Coordinator, NodeExists, NoNode
from jubatus.daemon.settings import Kind, Option
from jubatus.errors import ClusterError, ConfigError

OPTIONS = (
    Option("cmd", "c", Kind.STRING, "what to do: write, read, delete or list", mandatory=True),
    Option("file", "f", Kind.STRING, "configuration file [write]"),
    Option("type", "t", Kind.STRING, "type of the servers [write, read, delete]"),
    Option("name", "n", Kind.STRING, "name of the cluster [write, read, delete]"),
    session.ZOOKEEPER,
    *session.ACCESS,
    session.DEBUG,
)

TRIES = 4
"""How often the lock is tried, a second apart."""

NEEDED = ("write", "read", "delete")
COMMANDS = (*NEEDED, "list")


def main() -> int:
    """Run ``jubaconfig``; return the exit status."""
    given = args.parse(OPTIONS, sys.argv)
    command, type, name, file = (given.text(option) for option in ("cmd", "type", "name", "file"))
    if command not in COMMANDS:
        args.fail(f"unknown cmd: {command}")
    if command in NEEDED and not (type and name):
        args.fail(f"can't execute {command} without type and name specified: type: {type} name: {name}")
    if command == "write" and not file:
        args.fail("can't execute write without file specified")
    hosts = session.locations(given)
    if command in NEEDED and not (paths.is_name(type) and paths.is_name(name)):
        args.fail(f"invalid type or name: type: {type} name: {name}")

    if command == "write" and type not in SERVICES:
        args.fail(f"unknown type: {type}: one of {', '.join(SERVICES)} is expected")

    if command == "write":
        try:
            content = checked(type, file)
        except ConfigError as error:
            return once.complain(str(error))
        return session.run(hosts, given, lambda zk: write(zk, type, name, content))
    if command == "read":
        return session.run(hosts, given, lambda zk: read(zk, type, name))
    if command == "delete":
        return session.run(hosts, given, lambda zk: delete(zk, type, name))
    return session.run(hosts, given, list_all)


def checked(type: str, path: str) -> bytes:
    """Return the content of a file with which servers of a type start; raise ConfigError with what they would say."""
    from jubatus.idl import service
    from jubatus.server.configuration import make_model, read

    content = read(path)
    if not content:
        raise ConfigError("config is empty")
    make_model(service(type), content, path, distributed=True)
    return content


def write(zk: Coordinator, type: str, name: str, content: bytes) -> int:
    """Set the configuration of a cluster; return 0."""
    from jubatus.cluster.membership import prepare

    prepare(zk, type, name)
    path = paths.config(type, name)
    with unused(zk, type, name):
        try:
            try:
                zk.create(path, content)
            except NodeExists:
                zk.set(path, content)
        except ClusterError as error:
            raise ClusterError(f"failed to set config to zookeeper: {path}: {error}") from error
    return 0


def read(zk: Coordinator, type: str, name: str) -> int:
    """Print the configuration of a cluster; return 0."""
    path = paths.config(type, name)
    content = zk.get(path)
    if content is None:
        raise ClusterError(f"config does not exist: {path}")
    return once.show([content])


def delete(zk: Coordinator, type: str, name: str) -> int:
    """Delete the configuration of a cluster; return 0."""
    path = paths.config(type, name)
    with unused(zk, type, name):
        if not zk.exists(path):
            raise ClusterError(f"config does not exist: {path}")
        zk.delete(path)
    return 0


def list_all(zk: Coordinator) -> int:
    """Print all configurations; return 0."""
    for type in zk.children(paths.configs()):
        for name in zk.children(paths.configs(type)):
            content = zk.get(paths.config(type, name))
            if content is not None:  # it was not deleted meanwhile
                once.show([f"type: {type}, name: {name}\n".encode(), content, b"\n"])
    return 0


@contextmanager
def unused(zk: Coordinator, type: str, name: str) -> Iterator[None]:
    """Lock a configuration that no server uses; raise ClusterError."""
    from jubatus.cluster.membership import Lock

    directory = paths.config_lock(type, name)
    if not zk.exists(directory):
        raise NoNode(directory)
    lock = Lock(zk, directory)
    for left in reversed(range(TRIES)):
        if lock.write():
            break
        if not left:
            raise ClusterError("any user is using config?")
        time.sleep(1)
    try:
        if zk.children(paths.nodes(type, name)):
            raise ClusterError(f"any server is running: {type}, {name}")
        yield
    finally:
        lock.release()
