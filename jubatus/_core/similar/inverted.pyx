"""Similar rows by an inverted index: exact cosine similarity or euclidean distance.

A query looks only at the values that rows share with it. Of equal scores the row that came last is first.
"""

from libc.stdint cimport uint32_t
from libcpp.string cimport string

from jubatus._core.rows.inverted cimport InvertedIndex, search_cosine, search_euclid
from jubatus._core.similar.method cimport DISTANCE, FoundRow, Measure, RowsWorkspace, SimilarRows, span_of
from jubatus._core.unlearn cimport Unlearner


cdef class InvertedIndexRows(SimilarRows):
    """Rows in an inverted index. A row without values is never found.

    The similarity by cosine is from -1 to 1, and rows that have nothing in common with the query are not found; the
    distance is 1 minus that. By euclidean distance the similarity is its negative.

    Args:
        unlearner: what limits the number of rows, or None.
        by_distance: whether rows are ranked by euclidean distance.
        met_only: whether rows that share no feature with the query are left out of a ranking by distance.
    """

    def __init__(self, Unlearner unlearner=None, *, bint by_distance=False, bint met_only=False):
        SimilarRows.__init__(self, unlearner)
        self.index = InvertedIndex(self.raw, unlearner)
        self.by_distance = by_distance
        self.met_only = met_only

    cdef list parts(self):
        return [*SimilarRows.parts(self), self.index]

    cdef void find(self, RowsWorkspace w, size_t most, Measure measure) noexcept nogil:
        cdef size_t n = w.query.ids.size(), i
        cdef double score
        if self.by_distance:
            search_euclid(
                self.index.store, w.query.ids.data(), w.query.values.data(), n, most, self.met_only, w.search
            )
        else:
            search_cosine(self.index.store, w.query.ids.data(), w.query.values.data(), n, most, w.search)
        w.found.clear()
        for i in range(w.search.best.items.size()):
            score = w.search.best.items[i].score
            if not self.by_distance:
                score = max(-1.0, min(1.0, score))
            if measure == DISTANCE:
                score = -score if self.by_distance else 1.0 - score
            self.add_found(w, w.search.best.items[i].column, score)

    cdef void list_rows(self, RowsWorkspace w) noexcept nogil:
        cdef uint32_t column, n = self.index.store.norms.size()
        cdef int mixed
        w.found.clear()
        for mixed in range(1, -1, -1):
            for column in range(n):
                if self.index.store.is_listed(column) and self.index.store.norms[column].in_master == mixed:
                    self.add_found(w, column, 0.0)

    cdef void add_found(self, RowsWorkspace w, uint32_t column, double score) noexcept nogil:
        cdef FoundRow row
        row.name, row.score = span_of(self.index.store.columns.name(column)), score
        w.found.push_back(row)

    cdef size_t count_rows(self) noexcept nogil:
        return self.index.store.count_listed()

    cdef size_t effort(self) noexcept nogil:
        return 8 * self.index.store.norms.size()  # a guess: how many lists a query walks is up to it

    cdef void store_row(self, RowsWorkspace w, const string& name) noexcept nogil:
        self.index.store.update(name, w.vector)

    cdef void remove_row(self, const string& name) noexcept nogil:
        self.index.remove_row(name)
