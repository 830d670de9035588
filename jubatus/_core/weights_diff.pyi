"""The document statistics' part of a MIX."""

from typing import final

from jubatus._core.mixing import Change, Copy, Joint
from jubatus._core.weights import Counter, WeightManager

@final
class CounterCopy:
    """The diff of a counter."""

    def __init__(self, counter: Counter) -> None: ...

@final
class CounterChange:
    """The mixed diff of a counter."""

    def __init__(self, counter: Counter) -> None: ...

@final
class StatisticsCopy(Copy):
    """The diff of document statistics."""

    def __init__(self, manager: WeightManager) -> None: ...

@final
class StatisticsChange(Change):
    """Mixed document statistics."""

    def __init__(self, manager: WeightManager) -> None: ...

@final
class StatisticsJoint(Joint):
    """Sums of document statistics."""
