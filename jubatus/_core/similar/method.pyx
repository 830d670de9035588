"""The contract of a method of finding similar rows.

A method keeps the rows as they were given (rows.raw), what it compares them by, and an unlearner if their number is
limited. It is used by the service recommender, and by anomaly for the neighbours of a point.
"""

from libc.stdint cimport int32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport REFUSED, Workspace
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.near.memory cimport HashedFeature
from jubatus._core.rows.raw cimport RawRows
from jubatus._core.unlearn cimport Unlearner

cdef enum:
    MANY_RAW_ROWS = 1024


cdef class RowsWorkspace(Workspace):
    """The memory of a call.

    Attributes (C level):
        name: of a row, for whoever reads one from the arguments.
        query: what rows are compared with.
        found: the result of a search or a listing.
        search, near, hashed: the memory of methods.
        evicted: the row that the last update_row made the unlearner forget, if `has_evicted`.
    """


cdef class SimilarRows:
    """A method of finding similar rows.

    Args:
        unlearner: what limits the number of rows, or None.

    Attributes (C level):
        raw: the rows that were given here.
        uses_keys: whether queries need the keys of features.
    """

    def __init__(self, Unlearner unlearner=None):
        self.raw = RawRows()
        self.unlearner = unlearner

    cdef list parts(self):
        """Return the parts as a model file nests them: the unlearner if there is one, the raw rows, the storage."""
        return [self.raw] if self.unlearner is None else [self.unlearner, self.raw]

    cdef int update_row(self, RowsWorkspace w, const string& name) noexcept nogil:
        """Give a row, which may be new, the values of w.vector; its other values stay.

        A row that is forgotten for it is removed, and named in w.evicted. Return REFUSED, with the text, if the
        unlearner cannot take the row; nothing was changed then.
        """
        w.has_evicted = False
        if self.unlearner is not None and not self.unlearner.can_touch(name):
            return refuse_row(
                w, b"cannot add new row as number of sticky rows reached the maximum size of unlearner: ", name
            )
        self.raw.store.update(name, w.vector)
        self.store_row(w, name)
        if self.unlearner is not None:
            self.unlearner.touch(name, &w.evicted, &w.has_evicted)
            if w.has_evicted:
                self.remove_row(w.evicted)
            self.sweep_raw_rows()
        return 0

    cdef void sweep_raw_rows(self) noexcept nogil:
        """Remove raw rows that the unlearner does not know, if they are many: a MIX removed what they are compared by."""
        cdef vector[string] unknown
        cdef string name
        cdef int32_t at
        if self.raw.store.size() <= 2 * self.unlearner.known.size() + MANY_RAW_ROWS:
            return
        for at in self.raw.store.names.order():
            if not self.unlearner.knows(self.raw.store.names.name(at)):
                unknown.push_back(self.raw.store.names.name(at))
        for name in unknown:
            self.raw.store.remove(name)

    cdef void clear_row(self, const string& name) noexcept nogil:
        """Remove a row; nothing is done for an unknown one."""
        self.remove_row(name)
        if self.unlearner is not None:
            self.unlearner.remove(name)

    cdef void ask_vector(self, RowsWorkspace w) noexcept nogil:
        """Make w.vector, which a datum was converted to, the query."""
        query_of_vector(w.vector, self.uses_keys, w.query)

    cdef void find(self, RowsWorkspace w, size_t most, Measure measure) noexcept nogil:
        """Put the rows that are most similar to w.query into w.found, the most similar one first.

        The score is the similarity, or the distance; what these are depends on the method.
        """
        w.found.clear()

    cdef void find_like(self, RowsWorkspace w, const string& name, size_t most, Measure measure) noexcept nogil:
        """Put the rows that are most similar to a row, and that row itself, into w.found.

        A row that was not given here is compared by nothing, or finds nothing, as the method has it.
        """
        query_of_row(self.raw.store, self.raw.store.find(name), w.query)
        self.find(w, most, measure)

    cdef void list_rows(self, RowsWorkspace w) noexcept nogil:
        """Put all rows that can be found into w.found, without scores."""
        w.found.clear()

    cdef size_t count_rows(self) noexcept nogil:
        """Return how many rows list_rows would give."""
        return 0

    cdef size_t effort(self) noexcept nogil:
        """Return how many words a search looks at, about."""
        return 0

    cdef void store_row(self, RowsWorkspace w, const string& name) noexcept nogil:
        """Store what a row is compared by. Its raw row has the values of w.vector already."""

    cdef void remove_row(self, const string& name) noexcept nogil:
        """Remove a raw row and what it is compared by; nothing is done for an unknown one."""
        self.raw.store.remove(name)

    cpdef dict status(self):
        """Return the entries of get_status."""
        return {} if self.unlearner is None else self.unlearner.status()


cdef int refuse_row(RowsWorkspace w, const char* text, const string& name) noexcept nogil:
    """Say that a row cannot be taken."""
    w.conversion.error.assign(text)
    w.conversion.error.append(name)
    return REFUSED


cdef Span span_of(const string& name) noexcept nogil:
    cdef Span span
    span.p, span.n = name.data(), name.size()
    return span


cdef void take_features(RowsWorkspace w) noexcept nogil:
    """Take over the features of the query to be hashed."""
    cdef HashedFeature feature
    cdef size_t i
    w.near.features.clear()
    for i in range(w.query.values.size()):
        feature.hash, feature.value = w.query.keys[i], w.query.values[i]
        w.near.features.push_back(feature)
