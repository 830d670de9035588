"""The diff of a model, copied in slices and packed."""

from jubatus._core.mix.part import Copy
from jubatus._core.model import Model

class Snapshot:
    """The diff of a model, copied while the model goes on learning."""

    def __init__(self, model: Model, copies: list[Copy]) -> None: ...
    def take(self, count: int) -> bool:
        """Copy up to `count` rows. The model must not change meanwhile. Return whether the copy is complete."""
    def pack(self, *, raw: bool = False) -> bytes:
        """Return the packed diff, or with `raw` a packed string of it. No lock is needed."""
