"""The weights' part of a MIX: what servers learned, joined by averaging."""

from typing import final

@final
class WeightsDiff:
    """A diff whose texts point into the bytes that it was read from."""
