"""What the parts of a model offer to a MIX."""

class Packed:
    """What can be packed."""

class Copy(Packed):
    """The diff of a part of a model as it was when it was copied."""

class Change:
    """A part's element of a mixed diff."""

class Joint(Packed):
    """Elements of several diffs, folded in their order."""
