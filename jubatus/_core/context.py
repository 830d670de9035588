"""What a model is told of where it runs."""


class Context:
    """Where a model runs: alone, in process or in a test; it holds all keys there."""

    def holds(self, key: bytes) -> bool:
        """Return whether this server is responsible for a key. May be called on any thread; never raises."""
        return True


ALONE = Context()
