"""A mixed diff that is put into a model in slices."""

from libc.stdint cimport uint32_t

from jubatus._core.kernels.bytes cimport Cursor, read_array
from jubatus._core.kernels.pool cimport NO_MEMORY
from jubatus._core.mix.part cimport Change, Copy
from jubatus._core.mix.snapshot cimport Snapshot
from jubatus._core.reserve cimport begin_change, no_memory
from jubatus._core.wire.reader cimport Reader

from jubatus.errors import ModelError

cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    int guard_unpack "jubatus::guarded"(int (*call)(Change, Cursor*) noexcept nogil, Change part, Cursor* c) noexcept
    int guard_prepare "jubatus::guarded"(int (*call)(Change, size_t*) noexcept nogil, Change part, size_t* left) noexcept

BROKEN = "the diff of a MIX is broken"


cdef int unpack_part(Change part, Cursor* c) noexcept nogil:
    return part.unpack(c)


cdef int prepare_part(Change part, size_t* left) noexcept nogil:
    return part.prepare(left)


cdef class Patch:
    """A mixed diff that is put into a model in slices.

    Args:
        model: the model.
        changes: a Change of each part that takes part in a MIX.
        diff: packed.

    Raises:
        ModelError: if the diff is malformed.
    """

    def __init__(self, model, list changes not None, bytes diff not None):
        cdef Reader reader = Reader(diff)
        cdef Change part
        cdef uint32_t parts = 0
        cdef int status = read_array(reader.cursor, parts)
        self.model = model
        self.packed = diff
        self.changes = changes
        if status or parts != <uint32_t>len(changes):
            raise ModelError(BROKEN)
        for part in changes:
            with nogil:  # long: every cell of the diff is read
                status = guard_unpack(unpack_part, part, &reader.cursor)
            if status == NO_MEMORY:
                no_memory()
            if status:
                raise ModelError(BROKEN)
        if not reader.at_end:
            raise ModelError(BROKEN)

    cdef bint fits(self) except -1:
        """Return whether all elements have the versions of the model's parts."""
        return all((<Change>part).fits() for part in self.changes)

    def prepare(self, size_t count):
        """Do up to `count` rows of the work that no reader of the model can see. Return whether everything is prepared.

        Nothing else may use the model meanwhile.
        """
        cdef Change part
        cdef size_t left = count
        cdef int is_ready
        if not self.fits():
            return True
        for part in self.changes:
            with nogil:  # long: that many rows are looked up
                is_ready = guard_prepare(prepare_part, part, &left)
            if is_ready == NO_MEMORY:
                no_memory()
            if not is_ready:
                return False
        return True

    def apply(self, Snapshot since=None):
        """Add the mixed diff to the model. Nothing else may use the model meanwhile.

        Args:
            since: the snapshot whose diff was mixed. What the model learned after it stays in the model's diff. With
                None all that it learned stays there.

        Returns:
            whether the mixed diff has the version of the model; otherwise nothing was changed.

        Raises:
            ModelError: if `since` is a snapshot of another model or not complete; nothing was changed.
        """
        cdef Change part
        cdef Copy copy
        cdef Py_ssize_t i
        if since is not None and (since.model is not self.model or not since.is_whole):
            raise ModelError("the snapshot is not of this model")
        if not self.fits():
            return False
        begin_change()
        for i in range(len(self.changes)):
            part = self.changes[i]
            copy = since.copies[i] if since is not None else None
            part.apply(copy)
        return True
