"""The graph as the one part of its model.

The diff of a server is the next step of centralities and shortest paths for its own nodes; nodes and edges themselves
are not mixed. A mixed diff takes the place of all that was computed before. It is read once, and joined as in the
original, because sums depend on the order of its maps in their last bits.
"""

from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.graph.store cimport (
    Index, join, keep_changes, make_diff, normalize, read_diff, read_store, swap_indices, swap_stores, write_diff, write_store,
)
from jubatus._core.kernels.bytes cimport Buffer, Cursor, read_unsigned
from jubatus._core.mix.part cimport Change, Copy, Joint, Part
from jubatus._core.mix.whole cimport Whole, WholeCopy


cdef class GraphPart(Whole):
    """The nodes and edges that are here, and what is computed of the graph.

    Args:
        damping: the damping factor of the centralities.
        landmarks: how many trees of shortest paths a query has at most.
    """

    def __init__(self, double damping, uint64_t landmarks):
        self.store.damping, self.store.landmarks = damping, landmarks

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_store(out[0], self.store)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return read_store(c[0], self.store)

    cdef void swap(self, Part other) noexcept:
        swap_stores(self.store, (<GraphPart>other).store)

    cdef void clear(self) noexcept nogil:
        self.store.clear()

    cdef void pack_aside(self, Buffer* out) noexcept nogil:
        out.uint(self.store.next)  # a model file has the ids that are used; those of what was removed are not given again

    cdef int unpack_aside(self, Cursor* c) noexcept nogil:
        return read_unsigned(c[0], self.store.next)

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        cdef Index diff
        make_diff(self.store, diff)
        write_diff(out[0], diff)

    cdef Copy copy(self):
        return GraphCopy(self)

    cdef Change change(self):
        cdef GraphChange change = GraphChange()
        change.part = self
        return change

    cdef Joint joint(self):
        cdef GraphJoint joint = GraphJoint()
        joint.part = self
        return joint


cdef class GraphCopy(WholeCopy):
    """The diff at the time when it was copied, and the queries that there were."""

    cdef bint take(self, size_t* left) noexcept nogil:
        if not self.is_taken:
            self.known.note((<GraphPart>self.part).store.index)
        return WholeCopy.take(self, left)


cdef class GraphChange(Change):
    """A mixed diff."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return read_diff(c[0], self.diff)

    cdef bint prepare(self, size_t* left) noexcept nogil:
        if not self.is_prepared:
            normalize(self.diff)
            self.is_prepared = True
        return True

    cdef void apply(self, Copy since) except *:
        if since is not None:
            keep_changes(self.part.store.index, (<GraphCopy>since).known, self.diff)
        swap_indices(self.part.store.index, self.diff)


cdef class GraphJoint(Joint):
    """The join of several diffs."""

    cdef int add(self, Cursor* c) noexcept nogil:
        self.read.emplace_back()
        return read_diff(c[0], self.read.back())

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i
        swap_indices(self.sum, self.read[chosen[0][0]])
        for i in range(1, chosen.size()):
            join(self.sum, self.read[chosen[0][i]], self.part.store.landmarks)
        return 0

    cdef size_t room(self) noexcept nogil:
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_diff(out[0], self.sum)
