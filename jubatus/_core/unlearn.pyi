"""Unlearners bound how many ids (labels, rows) a model keeps."""

class Unlearner:
    """Chooses what to forget."""

    def __init__(self, max_size: int) -> None: ...
    def status(self) -> dict[str, str]:
        """Return the entries of get_status."""

class Lru(Unlearner):
    """Forgets the least recently used id; those that match a pattern are sticky: never forgotten."""

    def __init__(self, max_size: int, sticky_pattern: str | None) -> None: ...

class Random(Unlearner):
    """Forgets an id chosen at random (MT19937)."""

    def __init__(self, max_size: int, seed: int | None) -> None: ...

def make_unlearner(name: str | None, parameter: object, path: str) -> Unlearner | None:
    """Return the unlearner that a configuration names, or None."""
