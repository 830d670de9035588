"""Labels of a linear model: their numbers, their order, and how often each was trained."""

from typing import final

@final
class Labels:
    """Labels in slots, with the numbers that model files know them by."""

@final
class LabelCounts:
    """How often each label was trained."""
