"""The contract of a model."""

from collections.abc import Sequence
from typing import Self

from jubatus._core.context import Context
from jubatus._core.mix.patch import Patch
from jubatus._core.mix.snapshot import Snapshot
from jubatus._core.wire import Reader

class Model:
    """A learner of one service; each method of the declaration takes a Reader and returns the packed result."""

    def __init__(self, config: object, *, distributed: bool = False, context: Context = ...) -> None: ...
    @property
    def config(self) -> object: ...
    @property
    def distributed(self) -> bool: ...
    @property
    def context(self) -> Context: ...
    def clear(self, args: Reader) -> bytes:
        """Forget everything that was learned; return packed True."""
    def status(self) -> dict[str, str]:
        """Return the engine's entries of get_status; safe while another thread trains."""
    def warm_up(self) -> None:
        """Do at once what the first calls would have to wait for."""
    @property
    def longest(self) -> int:
        """How many bytes of a request are surely converted within a millisecond."""
    def fresh(self) -> Self:
        """Return an empty model of the same configuration and context."""
    def reassign(self) -> None:
        """Ask the context again which keys are held here. Called, as an update, when the ring has changed."""
    def pack(self) -> bytes:
        """Return the model as the bytes that a model file holds."""
    def unpack(self, data: bytes) -> None:
        """Become what pack returned; ModelFileError, and nothing changed, if the bytes are no such model."""
    def pack_aside(self) -> bytes:
        """Return what decides how the model goes on and is in no model file."""
    def unpack_aside(self, data: bytes) -> None:
        """Go on as the model of which pack_aside returned these bytes; ModelFileError if they are of no such model."""
    @property
    def version(self) -> int:
        """How many MIXes the model has behind it: a mixed diff must have this version."""
    def snapshot(self) -> Snapshot:
        """Return a copy of what was learned since the last MIX, still to be taken."""
    def patch(self, diff: bytes) -> Patch:
        """Read a mixed diff, without a lock; ModelError if it is none."""
    def mix(self, diffs: Sequence[bytes], *, raw: bool = False) -> bytes:
        """Join diffs of models of this configuration in their order; ModelError if one of them is none.

        The result is a packed string where `raw` says so.
        """
    def get_diff(self) -> bytes:
        """Return what was learned since the last MIX."""
    def put_diff(self, diff: bytes, since: Snapshot | None = None) -> bool:
        """Take in a mixed diff, keep what was learned after `since`, or all, and return whether the versions fit."""
    def catch_up(self, fresh: Model, since: Snapshot | None = None) -> None:
        """Become another model, whose own diff is dropped, but keep the own diff but what `since` has of it."""
    def pull_argument(self) -> bytes:
        """Return up to where the rows of each server are known."""
    def pull_rows(self, argument: bytes) -> bytes:
        """Return the rows that the server does not know whose pull_argument it is."""
    def push_rows(self, rows: bytes) -> None:
        """Take in what pull_rows of another server returned."""
