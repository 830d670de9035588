"""A mixed diff on its way into a model."""

from jubatus._core.mix.part import Change
from jubatus._core.mix.snapshot import Snapshot
from jubatus._core.model import Model

BROKEN: str

class Patch:
    """A mixed diff on its way into a model."""

    def __init__(self, model: Model, changes: list[Change], diff: bytes) -> None: ...
    def prepare(self, count: int) -> bool:
        """Prepare up to `count` rows, unseen; nothing else may use the model meanwhile. Return whether all is done."""
    def apply(self, since: Snapshot | None = None) -> bool:
        """Take the mixed diff in at once, keep what was learned after `since`; return False where it does not fit."""
