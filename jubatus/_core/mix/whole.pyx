"""A part with so little state that its diff is copied, joined and put in one go.

Its version is always 0, as in 1.1: any mixed diff fits, and a server that missed one is not behind.
"""

from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart


cdef class Whole(MixedPart):
    """A part that is mixed as one value.

    A subclass writes the first four functions below. The diff may be a summary of the present state, from which a MIX
    takes nothing. If it is what was learned since the last MIX, the subclass writes the last three as well; by them
    what was learned after the diff was handed out stays for the next MIX.
    """

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        """Write the diff as one MessagePack value."""
        out.nil()

    cdef int skip_diff(self, Cursor* c) noexcept nogil:
        """Step over a packed diff. Return a negative status if it is malformed. The state is not used."""
        return -1

    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil:
        """Write the join of two diffs, both of which skip_diff accepts. The state is not used: no lock is held."""
        out.nil()

    cdef void put_diff(self, Cursor mixed) noexcept nogil:
        """Take in a mixed diff that skip_diff accepts."""

    cdef uint64_t time(self) noexcept nogil:
        """Return the time as the part counts it. It need only tell what came before a copy from what came after."""
        return 0

    cdef void subtract(self, Cursor given, uint64_t when) noexcept nogil:
        """Take a diff that was handed out at a time out of the own diff, where both still are of the same things."""

    cdef void carry_diff(self, Whole other) noexcept nogil:
        """Replace the diff of another model's part by the own one; without a diff of that kind there is nothing to do."""

    cdef Copy copy(self):
        return WholeCopy(self)

    cdef Change change(self):
        return WholeChange(self)

    cdef Joint joint(self):
        return WholeJoint(self)


cdef class WholeCopy(Copy):
    """The diff at the time when it was copied."""

    def __init__(self, Whole part not None):
        self.part = part

    cdef bint take(self, size_t* left) noexcept nogil:
        if not self.is_taken:
            self.when = self.part.time()
            self.part.pack_diff(&self.diff)
            self.is_taken = True
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        with nogil:  # long: the whole diff is put on top of the other part
            if since is not None:
                (<WholeCopy>since).subtract()
            self.part.carry_diff((<WholeCopy>theirs).part)

    cdef void subtract(self) noexcept nogil:
        cdef Cursor given
        given.at, given.end = self.diff.data, self.diff.data + self.diff.size
        self.part.subtract(given, self.when)

    cdef size_t room(self) noexcept nogil:
        return self.diff.size

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.append(self.diff.data, self.diff.size)


cdef class WholeChange(Change):
    """A mixed diff."""

    def __init__(self, Whole part not None):
        self.part = part

    cdef int unpack(self, Cursor* c) noexcept nogil:
        self.diff = c[0]
        return self.part.skip_diff(c)

    cdef void apply(self, Copy since) except *:
        with nogil:  # long: the whole diff is read
            if since is not None:
                (<WholeCopy>since).subtract()
            self.part.put_diff(self.diff)


cdef class WholeJoint(Joint):
    """The join of several diffs."""

    def __init__(self, Whole part not None):
        self.part = part

    cdef int add(self, Cursor* c) noexcept nogil:
        cdef Cursor diff = c[0]
        cdef int status = self.part.skip_diff(c)
        diff.end = c.at
        self.read.push_back(diff)
        return status

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef Cursor sum = self.read[chosen[0][0]]
        cdef Buffer joined
        cdef size_t i
        for i in range(1, chosen.size()):
            joined.size = 0
            self.part.join_diffs(sum, self.read[chosen[0][i]], &joined)
            self.sum.swap(joined)
            sum.at, sum.end = self.sum.data, self.sum.data + self.sum.size
        if chosen.size() == 1:
            self.sum.append(sum.at, sum.end - sum.at)
        return 0

    cdef size_t room(self) noexcept nogil:
        return self.sum.size

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.append(self.sum.data, self.sum.size)
