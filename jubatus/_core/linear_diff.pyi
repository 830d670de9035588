"""The weights' part of a MIX: parameter mixing with the surer of both confidences."""

from typing import final

from jubatus._core.labels import LabelCounts
from jubatus._core.linear import Storage
from jubatus._core.mixing import Change, Copy, Joint
from jubatus._core.unlearn import Unlearner

@final
class WeightsCopy(Copy):
    """The diff of a table of weights."""

    def __init__(self, storage: Storage) -> None: ...

@final
class WeightsChange(Change):
    """A mixed diff on its way into a table of weights."""

    def __init__(self, storage: Storage, counts: LabelCounts, unlearner: Unlearner | None) -> None: ...

@final
class WeightsJoint(Joint):
    """The average of diffs."""
