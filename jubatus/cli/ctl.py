"""The command ``jubactl``: start, stop, save, load and show the servers of a cluster."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from jubatus.cli import args, once, session
from jubatus.cluster import paths
from jubatus.cluster.coordinator import Coordinator, NodeExists
from jubatus.cluster.paths import Node
from jubatus.daemon.settings import TLS_CA, TLS_CERT, TLS_KEY, Kind, Option, options
from jubatus.methods import COMMON
from jubatus.server.settings import Settings

FORWARDED = {
    "listen_if": "B",
    "thread": "C",
    "timeout": "T",
    "datadir": "D",
    "logdir": "L",
    "log_config": "G",
    "mixer": "X",
    "interval_sec": "S",
    "interval_count": "I",
    "zookeeper_timeout": "Z",
    "interconnect_timeout": "R",
}
"""Options of the servers that are started, which check them; and the letter that each has here."""

OPTIONS = (
    Option("cmd", "c", Kind.STRING, "what to do: start, stop, save, load or status", mandatory=True),
    Option("server", "s", Kind.STRING, "program of the servers, as jubaclassifier", mandatory=True),
    Option("name", "n", Kind.STRING, "name of the cluster", mandatory=True),
    Option("type", "t", Kind.STRING, "type of the servers, as classifier", mandatory=True),
    Option("num", "N", Kind.UNSIGNED, "servers on all machines; 0 is one on each [start]", 0),
    session.ZOOKEEPER,
    *session.ACCESS,
    Option("id", "i", Kind.STRING, "name of the model, that of the cluster if not given [save, load]"),
    *(
        replace(option, short=FORWARDED[option.name], low=None)
        for option in options(Settings)
        if option.name in FORWARDED
    ),
    session.DEBUG,
    TLS_CERT,
    TLS_KEY,
    TLS_CA,
)

MODEL_FILES = {method.name for method in COMMON if [argument.name for argument in method.args] == ["id"]}
"""Methods of servers that are told to all of a cluster, with the name of a model file: save and load."""

VISORS = {"start", "stop"}


def main() -> int:
    """Run ``jubactl``; return the exit status."""
    given = args.parse(OPTIONS, sys.argv)
    command, type, name = (given.text(option) for option in ("cmd", "type", "name"))
    if command not in {*VISORS, *MODEL_FILES, "status"}:
        args.fail(f"unknown cmd: {command}")
    if not (paths.is_name(type) and paths.is_name(name)):
        args.fail(f"invalid type or name: type: {type} name: {name}")
    hosts = session.locations(given)
    if command in VISORS:
        return session.run(hosts, given, lambda zk: tell_visors(zk, given, hosts))
    if command in MODEL_FILES:
        return session.run(hosts, given, lambda zk: tell_servers(zk, given))
    return session.run(hosts, given, lambda zk: status(zk, type, name))


def tell_visors(zk: Coordinator, given: args.Given, hosts: str) -> int:
    """Have all visors start or stop servers; return the exit status."""
    from jubatus.visor.argv import Argv
    from jubatus.visor.plan import shares

    command, type, name = (given.text(option) for option in ("cmd", "type", "name"))
    target = f"{given.text('server')}/{name}"
    more: list[Any] = []
    if command == "start":
        make(zk, type, name)
        argv = Argv(
            bind_if=given.text("listen_if"),
            timeout=given.number("timeout"),
            zookeeper_timeout=given.number("zookeeper_timeout"),
            interconnect_timeout=given.number("interconnect_timeout"),
            threadnum=given.number("thread"),
            program_name=type,
            z=hosts,
            name=target,
            datadir=given.text("datadir"),
            logdir=given.text("logdir"),
            log_config=given.text("log_config"),
            eth="localhost",
            interval_sec=given.number("interval_sec"),
            interval_count=given.number("interval_count"),
            mixer=given.text("mixer"),
        )
        more = [argv.values()]
    tls = session.tls(given)
    visors = zk.children(paths.supervisors())
    if not visors:
        return once.complain(f"no server to {command} {target}")
    counts = shares(given.number("num"), len(visors))
    done = [
        tell(visor, command, target, lambda result: result == 0, tls, target, count, *more)
        for visor, count in zip(visors, counts, strict=True)
    ]
    return int(not all(done))


def make(zk: Coordinator, type: str, name: str) -> None:
    """Create the cluster and the place of its servers, so that others can look there."""
    from jubatus.cluster.membership import prepare

    prepare(zk, type, name)
    with suppress(NodeExists):
        zk.create(paths.nodes(type, name))


def tell_servers(zk: Coordinator, given: args.Given) -> int:
    """Have all servers save or load a model; return the exit status."""
    command, name = given.text("cmd"), given.text("name")
    servers = zk.children(paths.nodes(given.text("type"), name))
    if not servers:
        return once.complain(f"no server to {command} {name}")
    id = given.text("id") or name
    tls = session.tls(given)
    done = [tell(server, command, name, lambda result: result is not False, tls, name, id) for server in servers]
    return int(not all(done))


def tell(member: str, command: str, target: str, accepts: Callable[[Any], bool], tls: Any, *arguments: Any) -> bool:
    """Call a method of a visor or server, and print how it goes.

    Args:
        member: its name in ZooKeeper.
        command: the method.
        target: of the method, for the output.
        accepts: whether a result says that it was done.
        tls: how its certificate is checked, None for no TLS.
        arguments: of the method.

    Returns:
        whether it was done.
    """
    from jubatus.rpc.client import Address, Client, RPCError

    node = Node.parse(member)
    print(f"sending {command} / {target} to {member}...", end="", flush=True)
    try:
        with Client(Address(*node), session.TIMEOUT, tls=tls) as client:
            result = client.call(command, *arguments)
        complaint = "" if accepts(result) else f"it answers {result}; its log says why"
    except RPCError as error:
        complaint = reason(error)
    print("failed." if complaint else "ok.", flush=True)
    if complaint:
        once.complain(f"can't do '{command} {target}' in {node.host} {node.port}: {complaint}")
    return not complaint


def reason(error: Exception) -> str:
    """Return what an RPCError says, as text."""
    what = error.args[0]
    return {1: "unknown method", 2: "wrong arguments"}[what] if what in (1, 2) else str(what)


def status(zk: Coordinator, type: str, name: str) -> int:
    """Print all keepers, visors and servers; return 0, or 1 if there is no such cluster."""
    groups = {
        f"juba{type}_keeper": paths.proxies(type),
        "jubavisor": paths.supervisors(),
        name: paths.nodes(type, name),
    }
    for group, path in groups.items():
        print(f"active {group} members:")
        for member in zk.children(path):
            print(f" {member}")
    sys.stdout.flush()
    if not (zk.exists(paths.cluster(type, name)) or zk.exists(paths.config(type, name))):
        return once.complain(f"cluster does not exist: type: {type} name: {name}")
    return 0
