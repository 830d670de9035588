"""The contract of a model."""

from jubatus._core.wire import Reader

class Model:
    """A learner of one service; each method of the declaration takes a Reader and returns the packed result."""

    def __init__(self, config: object, *, distributed: bool = False) -> None: ...
    @property
    def config(self) -> object: ...
    @property
    def distributed(self) -> bool: ...
    def clear(self, args: Reader) -> bytes:
        """Forget everything that was learned; return packed True."""
    def status(self) -> dict[str, str]:
        """Return the engine's entries of get_status; safe while another thread trains."""
    def pack(self) -> bytes:
        """Return the model as the bytes that a model file holds."""
    def unpack(self, data: bytes) -> None:
        """Become what pack returned; ModelFileError, and nothing changed, if the bytes are no such model."""
    def get_diff(self) -> bytes:
        """Return what was learned since the last MIX."""
    @staticmethod
    def mix(acc: bytes, new: bytes) -> bytes:
        """Join two diffs."""
    def put_diff(self, diff: bytes) -> bool:
        """Take in a mixed diff; return whether it was of this model's version."""
