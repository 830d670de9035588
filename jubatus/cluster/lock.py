"""Locks between programs."""

from jubatus.cluster.coordinator import Coordinator

DIGITS = 10
"""Of the number at the end of a node of a sequence."""


class Lock:
    """A lock for many readers or one writer, which ends with the session and is not waited for.

    Args:
        zk: where it is.
        directory: its node.

    Attributes:
        directory: its node.
    """

    def __init__(self, zk: Coordinator, directory: str) -> None:
        self._zk = zk
        self.directory = directory
        self._path = ""
        self._epoch = -1

    @property
    def held(self) -> bool:
        """Whether it is held."""
        return self._epoch == self._zk.epoch

    def write(self) -> bool:
        """Return whether it is held now and nobody else holds it in any way; raise ClusterError."""
        return self._take("wlock_", ("wlock_", "rlock_"))

    def read(self) -> bool:
        """Return whether it is held now and nobody holds it for writing; raise ClusterError."""
        return self._take("rlock_", ("wlock_",))

    def release(self) -> None:
        """Give it back; if ZooKeeper cannot be reached, as soon as it can."""
        if self.held:
            self._epoch = -1
            self._zk.discard(self._path)

    def _take(self, prefix: str, rivals: tuple[str, ...]) -> bool:
        if self.held:
            return True
        epoch = self._zk.epoch
        path = self._zk.create(f"{self.directory}/{prefix}", ephemeral=True, sequence=True)
        taken = False
        try:
            numbers = [name[-DIGITS:] for name in self._zk.children(self.directory) if name.startswith(rivals)]
            # A node of an earlier session does not count, though it was the first.
            taken = min(numbers, default=path[-DIGITS:]) >= path[-DIGITS:] and epoch == self._zk.epoch
        finally:
            if not taken:
                self._zk.discard(path)
        if taken:
            self._path, self._epoch = path, epoch
        return taken
