"""The contract of a model.

A model is made from a configuration and answers the methods that its service declares. A method takes a Reader that
stands on its first argument and returns the packed result. It checks all its arguments before it changes anything.
Models hold no locks: whoever calls keeps updates apart from everything else.

A model packs to the bytes that 1.1 stores in a model file, and takes part in a MIX: a snapshot has what it learned
since the last one, ``mix`` joins these of several servers, a patch takes in the joined one (see mixing). Its parts that
are mixed are what ``copies`` and ``changes`` list, in the order of the elements of a diff.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, read_array
from jubatus._core.mix.part cimport Copy
from jubatus._core.mix.patch cimport Patch
from jubatus._core.mix.snapshot cimport Snapshot
from jubatus._core.wire.memory cimport take
from jubatus._core.wire.reader cimport Reader

from jubatus.errors import ModelError, ModelFileError

cdef size_t ALL = <size_t>-1

cdef enum:
    LARGE = 1 << 16  # features


cdef class Model:
    """A learner of one service.

    Args:
        config: the whole configuration as parsed JSON.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False):
        self.config = config
        self.distributed = distributed
        self.idle = []

    cdef Workspace workspace(self):
        """Make the memory that one call needs."""
        return Workspace()

    cdef Workspace borrow(self):
        """A workspace that no other call uses."""
        return self.idle.pop() if self.idle else self.workspace()

    cdef int give_back(self, Workspace space) except -1:
        if space.conversion.features.capacity() <= LARGE:  # the memory of one huge datum is not kept
            self.idle.append(space)
        return 0

    def status(self):
        """Return the engine's entries of get_status; safe while another thread trains."""
        return {}

    def pack(self):
        """Return the model as the bytes that a model file holds (the "driver" of 1.1)."""
        cdef Buffer out
        with nogil:  # long: every feature is written
            self.pack_into(&out)
        return take(out)

    def unpack(self, bytes data not None):
        """Become what pack returned, also on another machine or by the original.

        Raises:
            ModelFileError: if the bytes are no such model; this one is unchanged then.
        """
        cdef Model fresh = type(self)(self.config, distributed=self.distributed)
        cdef Cursor c
        cdef int status
        c.at = <const uint8_t*>PyBytes_AS_STRING(data)
        c.end = c.at + len(data)
        with nogil:  # long: every feature is read
            status = fresh.unpack_from(&c)
        if status or c.at != c.end:
            raise ModelFileError("user data is broken")
        self.take_over(fresh)

    @property
    def version(self):
        """Of which version a mixed diff must be; how many MIXes the model has behind it."""
        return 0

    def snapshot(self):
        """Return a copy of what was learned since the last MIX, still to be taken."""
        return Snapshot(self, self.copies())

    def patch(self, bytes diff not None):
        """Read a mixed diff; no lock is needed.

        Raises:
            ModelError: if it is none.
        """
        if not self.distributed:
            raise ModelError("a standalone model takes no diff")
        return Patch(self, self.changes(), diff)

    def get_diff(self):
        """Return what was learned since the last MIX, packed."""
        cdef Snapshot snapshot = Snapshot(self, self.copies())
        snapshot.take(ALL)
        return snapshot.pack()

    def put_diff(self, bytes diff not None, Snapshot since=None):
        """Take in a mixed diff: Patch.apply in one go.

        Raises:
            ModelError: if it is no diff; nothing was changed.
        """
        cdef Patch patch = self.patch(diff)
        return patch.apply(since)

    def catch_up(self, Model fresh not None, Snapshot since=None):
        """Become another model, but keep the own diff.

        Args:
            fresh: what another server's model was unpacked into; its own diff is dropped, it is of no use afterwards.
            since: what of the own diff is part of the other model already.

        Raises:
            ModelError: if one of both is not of this kind; nothing was changed.
        """
        cdef list mine = self.copies(), theirs = fresh.copies()
        cdef Py_ssize_t i
        if type(fresh) is not type(self) or fresh.config != self.config or not (self.distributed and fresh.distributed):
            raise ModelError("the models are not of the same kind")
        if since is not None and (since.model is not self or not since.is_whole):
            raise ModelError("the snapshot is not of this model")
        for i in range(len(mine)):
            (<Copy>mine[i]).carry(since.copies[i] if since is not None else None, <Copy>theirs[i])
        self.take_over(fresh)

    def pull_argument(self):
        """Return up to where the rows of each server are known, packed: one element for each part that is pushed."""
        return b"\x90"

    def pull_rows(self, bytes argument not None):
        """Return the rows that the server does not know whose pull_argument it is, packed.

        Raises:
            ModelError: if it is none.
        """
        if not is_empty_array(argument):
            raise ModelError("pull array failed")
        return b"\x90"

    def push_rows(self, bytes rows not None):
        """Take in what pull_rows of another server returned.

        Raises:
            ModelError: if these are no rows of such a model.
        """
        if not is_empty_array(rows):
            raise ModelError("push failed")

    cdef list copies(self):
        """A Copy of each part that is mixed, with nothing in it yet."""
        return []

    cdef list changes(self):
        """A Change of each part that is mixed, with nothing in it yet."""
        return []

    cdef void pack_into(self, Buffer* out) noexcept nogil:
        out.array(0)

    cdef int unpack_from(self, Cursor* c) noexcept nogil:
        """Read a packed model into one that has learned nothing; a negative status where it is none."""
        return MISMATCH

    cdef void take_over(self, Model other) noexcept:
        """Swap contents with a model of the same configuration."""


cdef bint is_empty_array(bytes packed) except -1:
    cdef Reader reader = Reader(packed)
    cdef uint32_t n = 0
    return read_array(reader.cursor, n) == 0 and n == 0 and reader.at_end
