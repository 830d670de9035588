"""Similar rows by a method of the service nearest_neighbor, whose table of hashes is what servers exchange."""

from libc.stdint cimport uint32_t
from libcpp.string cimport string

from jubatus._core.near.neighbours cimport Neighbours
from jubatus._core.similar.method cimport (
    DISTANCE, FoundRow, Measure, RowsWorkspace, SimilarRows, query_of_row, refuse_row, span_of, take_features,
)
from jubatus._core.unlearn cimport Unlearner


cdef class NearestRows(SimilarRows):
    """The method ``nearest_neighbor_recommender``.

    A row that is forgotten or removed here is not told to other servers, and rows of theirs are unknown to the unlearner.
    A row is compared by what was given here, so one of another server by nothing.

    Args:
        neighbours: the rows with their hashes.
        unlearner: what limits the number of rows, or None.
    """

    def __init__(self, Neighbours neighbours not None, Unlearner unlearner=None):
        SimilarRows.__init__(self, unlearner)
        self.uses_keys = True
        self.neighbours = neighbours
        neighbours.table.raw = self.raw

    cdef list parts(self):
        return [*SimilarRows.parts(self), self.neighbours.table]

    cdef int update_row(self, RowsWorkspace w, const string& name) noexcept nogil:
        w.has_evicted = False
        if self.unlearner is not None:
            if not self.unlearner.can_touch(name):
                return refuse_row(
                    w, b"cannot add new ID as number of sticky IDs reached the maximum size of unlearner: ", name
                )
            self.unlearner.touch(name, &w.evicted, &w.has_evicted)
            if w.has_evicted:
                self.remove_row(w.evicted)
        self.raw.store.update(name, w.vector)
        self.store_row(w, name)
        if self.unlearner is not None:
            self.sweep_raw_rows()
        return 0

    cdef void find(self, RowsWorkspace w, size_t most, Measure measure) noexcept nogil:
        cdef size_t i
        cdef double distance
        take_features(w)
        self.neighbours.hash(&w.near)
        self.neighbours.rank(&w.near, most)
        w.found.clear()
        for i in range(w.near.ranked.size()):
            distance = w.near.ranked[i].distance
            self.add_row(
                w, w.near.ranked[i].row, distance if measure == DISTANCE else self.neighbours.similarity(distance)
            )

    cdef void add_row(self, RowsWorkspace w, uint32_t row, double score) noexcept nogil:
        cdef FoundRow found
        found.name, found.score = span_of(self.neighbours.table.rows.keys.name(row)), score
        w.found.push_back(found)

    cdef void list_rows(self, RowsWorkspace w) noexcept nogil:
        cdef uint32_t row
        w.found.clear()
        for row in range(self.neighbours.table.rows.size()):
            self.add_row(w, row, 0.0)

    cdef size_t count_rows(self) noexcept nogil:
        return self.neighbours.table.rows.size()

    cdef size_t effort(self) noexcept nogil:
        return self.neighbours.table.rows.size() * self.neighbours.words

    cdef void store_row(self, RowsWorkspace w, const string& name) noexcept nogil:
        query_of_row(self.raw.store, self.raw.store.find(name), w.query)
        take_features(w)
        self.neighbours.hash(&w.near)
        self.neighbours.set_row(&w.near, name)

    cdef void remove_row(self, const string& name) noexcept nogil:
        self.raw.store.remove(name)
        self.neighbours.table.rows.remove(name)
