from libc.stdint cimport uint32_t

from jubatus._core.near.neighbours cimport Neighbours
from jubatus._core.similar.method cimport RowsWorkspace, SimilarRows


cdef class NearestRows(SimilarRows):
    cdef Neighbours neighbours
    cdef void add_row(self, RowsWorkspace w, uint32_t row, double score) noexcept nogil
