"""A mixed diff that is put into a model in slices."""

from jubatus._core.mix.part import Change
from jubatus._core.mix.snapshot import Snapshot
from jubatus._core.model import Model

BROKEN: str

class Patch:
    """A mixed diff that is put into a model in slices."""

    def __init__(self, model: Model, changes: list[Change], diff: bytes) -> None: ...
    def prepare(self, count: int) -> bool:
        """Do up to `count` rows of what no reader of the model can see. Return whether everything is prepared."""
    def apply(self, since: Snapshot | None = None) -> bool:
        """Add the mixed diff; what the model learned after `since` stays its diff. Return whether the versions fit."""
