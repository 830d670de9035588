from libc.stdint cimport uint32_t
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.convert.matchers cimport Matcher
from jubatus._core.kernels.bytes cimport Cursor
from jubatus._core.kernels.random cimport RandomStream
from jubatus._core.mix.part cimport Part


cdef class Unlearner(Part):
    cdef size_t max_size
    cdef unordered_map[string, uint32_t] known
    cdef bint can_touch(self, const string& id) noexcept nogil
    cdef bint touch(self, const string& id, string* removed, bint* has_removed) noexcept nogil
    cdef bint knows(self, const string& id) noexcept nogil
    cdef bint remove(self, const string& id) noexcept nogil
    cpdef dict status(self)


cdef struct Link:
    uint32_t newer
    uint32_t older


cdef class Lru(Unlearner):
    cdef object pattern
    cdef Matcher matcher
    cdef bint has_sticky_pattern
    cdef vector[string] ids
    cdef vector[Link] links
    cdef vector[uint32_t] idle
    cdef uint32_t newest, oldest
    cdef size_t loose
    cdef vector[string] sticky
    cdef void link(self, const string& id) noexcept nogil
    cdef void unlink(self, uint32_t at) noexcept nogil
    cdef int unpack_ids(self, Cursor* c, bint are_sticky) noexcept nogil


cdef class Random(Unlearner):
    cdef RandomStream numbers
    cdef vector[string] ids
