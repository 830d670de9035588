"""Which keys a server of a cluster holds: the ring gives each key to some servers."""

from jubatus._core.context import Context
from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring

REPLICAS = 2
"""Consecutive entries of the ring whose servers hold a key."""


class Holdings(Context):
    """Where a model of a cluster runs.

    Args:
        me: the server.
        threads: how many threads one long call may use.
        max_new_names: bytes of new names that one request may bring; 0 is no limit.

    Attributes:
        ring: as it was seen last; None before that.
    """

    def __init__(self, me: Node, threads: int = 1, max_new_names: int = 0) -> None:
        super().__init__(me.name, threads, max_new_names)
        self._me = me
        self.ring: Ring | None = None

    def holds(self, key: bytes) -> bool:
        """Return whether the ring gives a key to this server. While nobody is in it, no key is left to others."""
        ring = self.ring
        return not ring or self._me in ring.find(key, REPLICAS)

    def follow(self, ring: Ring) -> bool:
        """Take in the present ring; return whether it is another one than before."""
        if ring == self.ring:
            return False
        self.ring = ring
        return True
