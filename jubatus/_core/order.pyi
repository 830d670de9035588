"""The order in which the original's maps give names."""

from collections.abc import Iterable

def order_names(names: Iterable[bytes]) -> list[bytes]:
    """Return names as a map of the original gives them that got them one after the other."""
