"""What a model is told of where it runs."""


class Context:
    """Where a model runs: alone, in process or in a test; it holds all keys there.

    Args:
        name: of the server, ``<address>_<port>``; empty where there is none.
    """

    def __init__(self, name: bytes = b"") -> None:
        self.name = name

    def holds(self, key: bytes) -> bool:
        """Return whether this server is responsible for a key. May be called on any thread; never raises."""
        return True


ALONE = Context()
