from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.similar.hashed_part cimport HashedPart, Rows
from jubatus._core.similar.method cimport FoundRow, HashedSearch, Measure, RowsWorkspace, SimilarRows


cdef extern from "similar/listing.h" namespace "jubatus" nogil:
    void order_as_set(vector[FoundRow]& rows) noexcept


cdef extern from "similar/search.h" namespace "jubatus::hashed" nogil:
    void search_bits(const Rows& rows, const uint64_t* bits, size_t most, HashedSearch& s) noexcept
    void make_value(
        const Rows& rows, const float* sums, float bin_width, double norm, uint64_t* value, HashedSearch& s
    ) noexcept
    void search_buckets(
        const Rows& rows, const uint64_t* value, size_t probes, const double* cosines, size_t most, HashedSearch& s
    ) noexcept


cdef class HashedRows(SimilarRows):
    cdef HashedPart part
    cdef size_t bits
    cdef void hash(self, RowsWorkspace w) noexcept nogil
    cdef void rank(self, RowsWorkspace w, size_t most, Measure measure, bint probes) noexcept nogil
    cdef void add_row(self, RowsWorkspace w, uint32_t at, double score) noexcept nogil


cdef class ProjectedRows(HashedRows):
    cdef uint32_t blocks


cdef class MinHashRows(HashedRows):
    pass


cdef class EuclidLshRows(HashedRows):
    cdef uint32_t blocks
    cdef size_t probes
    cdef float bin_width
    cdef vector[double] cosines
