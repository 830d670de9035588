"""Feature vectors: the memory that a conversion works on."""

class Workspace:
    """The memory of one conversion."""
