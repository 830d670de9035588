"""MIX without a stop: a diff is copied in slices, mixed, and taken in, while the model goes on learning.

A diff is an array with one element for each part of a model. A Snapshot copies the parts' diffs, some rows at a time.
A Patch is a mixed diff: it is read without the model, then prepared, some rows at a time, so that nobody sees it, and
applied at once. What was learned after the snapshot was taken is the diff that is left. A part offers three classes:

- Copy: its diff as it was when it was copied.
- Change: its element of a mixed diff.
- Joint: joins the elements of several diffs.
"""

from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor


cdef class Packed:
    """What can be packed: no lock and no GIL are needed."""

    cdef size_t room(self) noexcept nogil:
        """How many bytes surely suffice."""
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        """Write one element of a diff."""
        out.array(0)


cdef class Copy(Packed):
    """The diff of a part as it was when it was copied."""

    cdef bint take(self, size_t* left) noexcept nogil:
        """Copy up to `left` rows, and count them off; whether the copy is whole. Starts anew where rows moved."""
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        """Put the part's diff, but what `since` has of it, in the place of the diff of another model's part."""


cdef class Change:
    """A part's element of a mixed diff."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read it; a negative status where it is none."""
        return MISMATCH

    cdef bint fits(self) noexcept nogil:
        """Whether it is of the part's version."""
        return True

    cdef bint prepare(self, size_t* left) noexcept nogil:
        """Do up to `left` rows of what nobody sees, and count them off; whether all is done. Anew where rows moved."""
        return True

    cdef void apply(self, Copy since) except *:
        """Take it in and keep what was learned since the copy, which may be None."""


cdef class Joint(Packed):
    """Elements of several diffs, folded in their order."""

    cdef int add(self, Cursor* c) noexcept nogil:
        """Read one more; what it is read from must outlive this. A negative status where it is none."""
        return MISMATCH

    cdef uint64_t version(self, size_t i) noexcept nogil:
        """The version of one that was read; 0 for a part that has none."""
        return 0

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        """Fold some of those that were read, given by ascending number; a negative status where one is none."""
        return 0
