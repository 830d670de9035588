"""The contract of a part of a model, and what a part does in a MIX."""

class Packed:
    """Something that can be packed without a lock and without the GIL."""

class Copy(Packed):
    """The diff of a part at the time when it was copied."""

class Change:
    """A part's element of a mixed diff."""

class Joint(Packed):
    """A part's elements of several diffs, joined in their order."""

class Part:
    """One piece of a model's state."""

class MixedPart(Part):
    """A part that takes part in a MIX."""

class PushedPart(MixedPart):
    """A part of rows, of which servers may also give each other what the other one has not seen, without a master."""
