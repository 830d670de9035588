"""What a model is told of where it runs."""


class Context:
    """Where a model runs: alone, in process or in a test; it holds all keys there.

    Args:
        name: of its server, ``<address>_<port>``; empty in process. Rows that travel to other servers bear it.
        threads: how many threads one long call may use.
    """

    def __init__(self, name: str = "", threads: int = 1) -> None:
        self.name = name
        self.threads = threads

    def holds(self, key: bytes) -> bool:
        """Return whether this server is responsible for a key. May be called on any thread; never raises."""
        return True


ALONE = Context()
