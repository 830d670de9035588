"""What LOF knows of its rows, as a part of a model. The rows themselves are a part of their own, which is mixed after it."""

from libc.stdint cimport int32_t, uint64_t
from libcpp.string cimport string

from jubatus._core.anomaly.detector cimport (
    Entries, Entry, join, read_entries, read_store, write_entries, write_store,
)
from jubatus._core.kernels.bytes cimport MISMATCH, Buffer, Cursor
from jubatus._core.mix.part cimport Part
from jubatus._core.mix.whole cimport Whole
from jubatus._core.similar.method cimport SimilarRows
from jubatus._core.unlearn cimport Unlearner

cdef enum:
    MOST = 0x7fffffff  # neighbours


cdef class LofPart(Whole):
    """The distance to the k-th neighbour and the density of each row.

    Args:
        k, reverse, ignores: of the configuration. A model file replaces them, as in 1.1.
        rows: the rows, which a row is removed from that is forgotten.
        unlearner: what limits their number, or None.
    """

    def __init__(self, k, reverse, bint ignores, SimilarRows rows not None, Unlearner unlearner=None):
        self.store.k, self.store.reverse, self.store.ignores = k, reverse, ignores
        self.rows = rows
        self.unlearner = unlearner

    cdef void remove_row(self, const string& id) noexcept nogil:
        """Remove a row; the others keep what was computed."""
        self.store.remove(id)
        self.rows.clear_row(id)

    cdef bint touch(self, const string& id) noexcept nogil:
        """Tell the unlearner that a row was stored; return whether another row was forgotten for it."""
        cdef string evicted
        cdef bint has_evicted = False
        if self.unlearner is None:
            return False
        self.unlearner.touch(id, &evicted, &has_evicted)
        if has_evicted:
            self.remove_row(evicted)
        return has_evicted

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_store(out[0], self.store)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef int status = read_store(c[0], self.store)
        if status == 0 and not (2 <= self.store.k <= self.store.reverse <= MOST):
            return MISMATCH
        return status

    cdef void swap(self, Part other) noexcept:
        self.store.swap((<LofPart>other).store)

    cdef void clear(self) noexcept nogil:
        self.store.clear()

    cdef void pack_diff(self, Buffer* out) noexcept nogil:
        write_entries(out[0], self.store.diff)

    cdef int skip_diff(self, Cursor* c) noexcept nogil:
        cdef Entries read
        return read_entries(c[0], read)

    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil:
        cdef Entries sum, later
        read_entries(a, sum)
        read_entries(b, later)
        join(sum, later)
        write_entries(out[0], sum)

    cdef void put_diff(self, Cursor mixed) noexcept nogil:
        cdef Entries read
        cdef int32_t at
        read_entries(mixed, read)
        for at in read.names.order():
            self.put(read.names.name(at), read.values[at])

    cdef void put(self, const string& id, const Entry& entry) noexcept nogil:
        """Put an entry of a mixed diff. One that the unlearner cannot take is left out."""
        cdef Entry* known
        if entry.is_removed():
            if self.unlearner is not None:
                self.unlearner.remove(id)
            self.store.put_removal(id)
            return
        if self.unlearner is not None:
            if not self.unlearner.can_touch(id):
                return
            self.touch(id)
        known = &self.store.master.enter(id)
        known[0] = entry

    cdef uint64_t time(self) noexcept nogil:
        return self.store.time

    cdef void subtract(self, Cursor given, uint64_t when) noexcept nogil:
        cdef Entries read
        read_entries(given, read)
        self.store.subtract(read, when)

    cdef void carry_diff(self, Whole other) noexcept nogil:
        (<LofPart>other).store.diff.swap(self.store.diff)
