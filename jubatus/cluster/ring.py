"""Consistent hashing: which servers of a cluster are responsible for a key."""

from bisect import bisect_left
from collections.abc import Mapping, Set
from hashlib import md5

from jubatus.cluster.paths import Node

REPLICAS = 8
"""Entries that a server has in the ring."""


def position(key: bytes) -> str:
    """Return where in the ring a key is."""
    return md5(key, usedforsecurity=False).hexdigest()


def ring_entries(node: Node) -> list[str]:
    """Return the names of a server's entries."""
    names = [node.name, *(f"{node.name}_{number}" for number in range(1, REPLICAS))]
    return [position(name.encode()) for name in names]


class Ring:
    """A ring of servers; it does not change.

    Args:
        entries: names of entries, and which server each is of.
    """

    __slots__ = ("_names", "_nodes")

    def __init__(self, entries: Mapping[str, Node]) -> None:
        self._names = sorted(entries)
        self._nodes = [entries[name] for name in self._names]

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ring) and (self._names, self._nodes) == (other._names, other._nodes)

    __hash__ = None  # type: ignore[assignment]

    def entries(self) -> dict[str, Node]:
        """Return the names of all entries, and which server each is of."""
        return dict(zip(self._names, self._nodes, strict=True))

    def find(self, key: bytes, n: int, without: Set[Node] = frozenset()) -> tuple[Node, ...]:
        """Return the servers of a key.

        Args:
            key: the key.
            n: how many consecutive entries are taken; several may be of the same server, which is returned once.
            without: servers whose entries are passed over.
        """
        start = bisect_left(self._names, position(key))
        found: dict[Node, None] = {}
        for node in self._nodes[start:] + self._nodes[:start] if without else self._following(start, n):
            if n <= 0:
                break
            if node not in without:
                found[node] = None
                n -= 1
        return tuple(found)

    def _following(self, start: int, n: int) -> list[Node]:
        nodes = self._nodes[start : start + n]
        return nodes if len(nodes) == n else nodes + self._nodes[: n - len(nodes)]
