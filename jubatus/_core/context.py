"""What a model is told of where it runs."""


class Context:
    """Where a model runs: alone, in process or in a test; it holds all keys there.

    Args:
        name: of its server, ``<address>_<port>``; empty in process. Rows that travel to other servers bear it.
        threads: how many threads one long call may use.
        max_new_names: bytes of new names that one request may bring; 0 is no limit.
    """

    def __init__(self, name: str = "", threads: int = 1, max_new_names: int = 0) -> None:
        self.name = name
        self.threads = threads
        self.max_new_names = max_new_names

    def holds(self, key: bytes) -> bool:
        """Return whether this server is responsible for a key. May be called on any thread; never raises."""
        return True


ALONE = Context()
