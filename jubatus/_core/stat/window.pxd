from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.deque cimport deque
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Cursor
from jubatus._core.kernels.extremes cimport Extremes
from jubatus._core.kernels.names cimport Names
from jubatus._core.mix.whole cimport Whole


cdef struct Entry:
    uint64_t time
    double value
    uint32_t at  # place of the key


cdef struct Key:
    uint64_t count
    double sum, squares, max, min


cdef class Window(Whole):
    cdef uint64_t size
    cdef deque[Entry] entries  # the oldest first
    cdef Names names
    cdef vector[Key] keys
    cdef vector[Extremes] values  # of each key
    cdef double mixed_sum, mixed_count
    cdef uint32_t enter(self, const string& name) noexcept nogil
    cdef void append(self, uint32_t at, uint64_t when, double value) noexcept nogil
    cdef void push(self, const string& name, uint64_t when, double value) noexcept nogil
    cdef void evict(self) noexcept nogil
    cdef double moment(self, uint32_t at, int32_t degree, double center) noexcept nogil
    cdef double entropy(self) noexcept nogil
    cdef int unpack_keys(self, Cursor* c) noexcept nogil
    cdef int unpack_entries(self, Cursor* c) noexcept nogil


