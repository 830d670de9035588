"""The contract of a part of a model, and what a part does in a MIX.

A model is a list of parts. Each part packs, reads, swaps and clears its own state. A part that takes part in a MIX
also has a diff: what it learned since the last MIX. The diff of a model is an array with one element for each such
part.

No request waits for a whole MIX. A Snapshot copies the diffs of the parts in slices of some rows, and the model learns
between two slices. A Patch reads a mixed diff without the model, prepares its rows in slices, and applies it in one
step. What was learned after the snapshot was taken remains in the diff. A part offers three classes for this:

- Copy: its diff at the time when it was copied.
- Change: its element of a mixed diff.
- Joint: joins its elements of several diffs.
"""

from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor, skip


cdef class Packed:
    """Something that can be packed without a lock and without the GIL."""

    cdef size_t room(self) noexcept nogil:
        """Return an upper bound of the packed size in bytes."""
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        """Write one element of a diff."""
        out.array(0)


cdef class Copy(Packed):
    """The diff of a part at the time when it was copied."""

    cdef bint take(self, size_t* left) noexcept nogil:
        """Copy up to `left` rows and subtract their number from `left`. Return whether the copy is complete.

        If rows moved since the last call, start again.
        """
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        """Replace the diff of another model's part by this part's diff.

        Args:
            since: a copy whose rows are left out, or None.
            theirs: a copy of the other model's part.
        """


cdef class Change:
    """A part's element of a mixed diff."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read the element. Return a negative status if it is malformed."""
        return MISMATCH

    cdef bint fits(self) noexcept nogil:
        """Return whether the element has the version of the part."""
        return True

    cdef bint prepare(self, size_t* left) noexcept nogil:
        """Do up to `left` rows of the work that no reader of the part can see, and subtract their number from `left`.

        If rows moved since the last call, start again. Return whether everything is prepared.
        """
        return True

    cdef void apply(self, Copy since) except *:
        """Add the element to the part. What it learned after the copy `since`, which may be None, stays its diff."""


cdef class Joint(Packed):
    """A part's elements of several diffs, joined in their order."""

    cdef int add(self, Cursor* c) noexcept nogil:
        """Read one more element. The bytes must outlive this object. Return a negative status if it is malformed."""
        return MISMATCH

    cdef uint64_t version(self, size_t i) noexcept nogil:
        """Return the version of the element number `i`; 0 if the part has no version."""
        return 0

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        """Join some of the elements, given by ascending number. Return a negative status if one is malformed."""
        return 0


cdef class Part:
    """One piece of a model's state."""

    cdef void pack(self, Buffer* out) noexcept nogil:
        """Write the state as it stands in a model file."""
        out.array(0)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read a packed state into a part that is empty. Return a negative status if it is malformed."""
        return MISMATCH

    cdef void swap(self, Part other) noexcept:
        """Swap states with the same part of a model of the same configuration."""

    cdef void clear(self) noexcept nogil:
        """Forget everything that was learned. The version stays, so that the model still fits its cluster."""

    cdef void pack_aside(self, Buffer* out) noexcept nogil:
        """Write, as one value, what decides how the part goes on and is in no model file."""
        out.nil()

    cdef int unpack_aside(self, Cursor* c) noexcept nogil:
        """Read what pack_aside wrote. Return a negative status if it is malformed."""
        return skip(c[0])


cdef class MixedPart(Part):
    """A part that takes part in a MIX."""

    cdef uint64_t current_version(self) noexcept nogil:
        """Return how many MIXes the part has behind it: a mixed diff must have this version."""
        return 0

    cdef Copy copy(self):
        """Return a copy of the diff that is still to be taken."""
        return Copy()

    cdef Change change(self):
        """Return an element of a mixed diff that is still to be read."""
        return Change()

    cdef Joint joint(self):
        """Return a join of no elements."""
        return Joint()

    cdef void finish_catch_up(self) noexcept:
        """Bring parts that belong together into line, after the model became another one and kept its own diff."""


cdef class PushedPart(MixedPart):
    """A part of rows, of which servers may also give each other what the other one has not seen, without a master."""

    cdef void pack_argument(self, Buffer* out) noexcept nogil:
        """Write up to where the rows of each server have been seen."""
        out.map(0)

    cdef int pull(self, Cursor* argument, Buffer* out) noexcept nogil:
        """Write the rows that another server has not seen, by its argument. Return a negative status if that is none."""
        return MISMATCH

    cdef Change pushed(self):
        """Return rows of another server that are still to be read."""
        return Change()
