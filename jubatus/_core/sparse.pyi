"""Feature vectors: the memory that a conversion works on."""

from typing import final

@final
class Workspace:
    """The memory of one conversion."""
