"""Locks between programs."""

from jubatus.cluster.coordinator import Coordinator

DIGITS = 10
"""Digits of the number that ZooKeeper appends to the name of a sequential node."""


class Lock:
    """A lock for many readers or one writer. It ends with the session. Nobody waits for it: it is held at once or not.

    Args:
        zk: where it is.
        directory: its node.
        owner: who holds it, for others to see.

    Attributes:
        directory: its node.
    """

    def __init__(self, zk: Coordinator, directory: str, owner: str = "") -> None:
        self._zk = zk
        self.directory = directory
        self._owner = owner.encode()
        self._path = ""
        self._epoch = -1

    @property
    def held(self) -> bool:
        """Whether it is held."""
        return self._epoch == self._zk.epoch

    @property
    def number(self) -> int:
        """Number of its node while it is held; nobody who holds it before or after has the same."""
        return int(self._path[-DIGITS:])

    def first(self) -> tuple[int, str] | None:
        """Return number and owner of the node that stands first: who holds the lock, or tries to; raise ClusterError.

        The owner is empty where a program of Jubatus 1.1 holds it.
        """
        names = [name for name in self._zk.children(self.directory) if name.startswith(("wlock_", "rlock_"))]
        if not names:
            return None
        name = min(names, key=lambda name: name[-DIGITS:])
        owner = self._zk.get(f"{self.directory}/{name}")
        return None if owner is None else (int(name[-DIGITS:]), owner.decode(errors="replace"))

    def write(self) -> bool:
        """Try to lock for writing, which excludes all others; return whether it is held now; raise ClusterError."""
        return self._take("wlock_", ("wlock_", "rlock_"))

    def read(self) -> bool:
        """Try to lock for reading, which excludes writers; return whether it is held now; raise ClusterError."""
        return self._take("rlock_", ("wlock_",))

    def release(self) -> None:
        """Release the lock. If ZooKeeper cannot be reached, release it as soon as it can."""
        if self.held:
            self._epoch = -1
            self._zk.discard(self._path)

    def _take(self, prefix: str, rivals: tuple[str, ...]) -> bool:
        if self.held:
            return True
        epoch = self._zk.epoch
        path = self._zk.create(f"{self.directory}/{prefix}", self._owner, ephemeral=True, sequence=True)
        taken = False
        try:
            numbers = [name[-DIGITS:] for name in self._zk.children(self.directory) if name.startswith(rivals)]
            # A node of an earlier session is not ours any more, even if it stands first.
            taken = min(numbers, default=path[-DIGITS:]) >= path[-DIGITS:] and epoch == self._zk.epoch
        finally:
            if not taken:
                self._zk.discard(path)
        if taken:
            self._path, self._epoch = path, epoch
        return taken
