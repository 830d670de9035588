from libc.stdint cimport uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.near.memory cimport NearMemory
from jubatus._core.rows.table cimport VersionedTable


cdef enum:
    LARGE_SEARCH = 1 << 16  # words of rows from which a search may take over a tenth of a millisecond


cdef enum Method:
    LSH
    EUCLID_LSH
    MINHASH


cdef class Neighbours:
    cdef Method method
    cdef size_t bits
    cdef size_t words
    cdef uint32_t blocks
    cdef uint32_t threads
    cdef vector[double] cosines
    cdef VersionedTable table
    cdef void hash(self, NearMemory* m) noexcept nogil
    cdef void set_row(self, NearMemory* m, const string& id) noexcept nogil
    cdef bint load_row(self, NearMemory* m, const string& id) noexcept nogil
    cdef void rank(self, NearMemory* m, size_t most) noexcept nogil
    cdef double similarity(self, double distance) noexcept nogil
    cdef bint is_large(self) noexcept nogil
