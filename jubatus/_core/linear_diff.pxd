cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels cimport Buffer, Cursor
from jubatus._core.sparse cimport Span


cdef struct DiffCell:
    Span label
    double[3] values


cdef struct DiffRow:
    Span feature
    uint32_t first, last  # its cells


@cython.final
cdef class WeightsDiff:
    cdef vector[DiffRow] rows
    cdef vector[DiffCell] cells
    cdef uint64_t count, version
    cdef int unpack(self, Cursor* c) noexcept nogil
    cdef int unpack_row(self, Cursor* c) noexcept nogil
    cdef void pack(self, Buffer* out) noexcept nogil
    cdef void sort(self) noexcept nogil
    cdef WeightsDiff mixed(self, WeightsDiff new)
    cdef void average(self, WeightsDiff acc, WeightsDiff new) noexcept nogil
    cdef void add(self, const DiffCell* one, double share, const DiffCell* other, double other_share) noexcept nogil
