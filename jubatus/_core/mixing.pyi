"""MIX without a stop: a diff is copied in slices, mixed, and taken in, while the model goes on learning."""

from jubatus._core.model import Model

BROKEN: str

class Packed:
    """What can be packed."""

class Copy(Packed):
    """The diff of a part of a model as it was when it was copied."""

class Change:
    """A part's element of a mixed diff."""

class Joint(Packed):
    """Elements of several diffs, folded in their order."""

class Snapshot:
    """The diff of a model, copied while the model goes on learning."""

    def __init__(self, model: Model, copies: list[Copy]) -> None: ...
    def take(self, count: int) -> bool:
        """Copy up to `count` rows; the model must not change meanwhile. Return whether the copy is whole."""
    def pack(self, *, raw: bool = False) -> bytes:
        """Return the packed diff, as a packed string where `raw` says so; no lock is needed."""

class Patch:
    """A mixed diff on its way into a model."""

    def __init__(self, model: Model, changes: list[Change], diff: bytes) -> None: ...
    def prepare(self, count: int) -> bool:
        """Prepare up to `count` rows, unseen; nothing else may use the model meanwhile. Return whether all is done."""
    def apply(self, since: Snapshot | None = None) -> bool:
        """Take the mixed diff in at once, keep what was learned after `since`; return False where it does not fit."""
