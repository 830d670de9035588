"""To which servers a call goes."""

from collections.abc import Callable, Set

from jubatus.cluster.paths import Node
from jubatus.cluster.view import Members
from jubatus.idl import Method, Route


def targets(
    method: Method,
    key: bytes,
    members: Members,
    dead: Set[Node],
    random: Callable[[], float],
    failed: Set[Node] = frozenset(),
) -> tuple[Node, ...]:
    """Return the servers that a call goes to, each once.

    Args:
        method: row of the declaration.
        key: first argument of a call that goes by the ring.
        members: the servers that there are.
        dead: servers to pass over while there are others; a broadcast goes to them as well, because a server that
            lives must not miss it.
        random: returns numbers from 0 to 1.
        failed: servers that were tried in vain.

    Returns:
        nothing if there is no server.
    """
    if method.route is Route.RANDOM:
        nodes = members.actives
        if dead or failed:
            left = tuple(node for node in nodes if node not in failed)
            nodes = tuple(node for node in left if node not in dead) or left
        return (nodes[int(random() * len(nodes))],) if nodes else ()
    if method.route is Route.CHT:
        ring = members.ring
        return ring.find(key, method.replicas, dead | failed) or ring.find(key, method.replicas, failed)
    return tuple(dict.fromkeys(node for node in members.actives if node not in failed))
