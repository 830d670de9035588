"""Labels of a linear model: their numbers, their order, and how often each was trained."""

class Labels:
    """Labels in slots, with the numbers that model files know them by."""

class LabelCounts:
    """How often each label was trained."""
