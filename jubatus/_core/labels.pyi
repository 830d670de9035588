"""Labels of a linear model: their numbers, their order, and how often each was trained."""

from typing import final

from jubatus._core.mixing import Change, Copy, Joint

@final
class Labels:
    """Labels in slots, with the numbers that model files know them by."""

@final
class LabelCounts:
    """How often each label was trained."""

@final
class CountsCopy(Copy):
    """The diff of label counts."""

    def __init__(self, counts: LabelCounts) -> None: ...

@final
class CountsChange(Change):
    """Mixed label counts."""

    def __init__(self, counts: LabelCounts) -> None: ...

@final
class CountsJoint(Joint):
    """Sums of label counts."""
