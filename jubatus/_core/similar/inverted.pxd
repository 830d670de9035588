from libc.stdint cimport uint32_t

from jubatus._core.rows.inverted cimport InvertedIndex
from jubatus._core.similar.method cimport RowsWorkspace, SimilarRows


cdef class InvertedIndexRows(SimilarRows):
    cdef InvertedIndex index
    cdef bint by_distance, met_only
    cdef void add_found(self, RowsWorkspace w, uint32_t column, double score) noexcept nogil
