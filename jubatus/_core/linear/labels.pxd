cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.chains cimport Chains


@cython.final
cdef class Labels:
    cdef unordered_map[string, uint32_t] slots
    cdef unordered_map[string, uint32_t] reserved
    cdef vector[string] names
    cdef vector[uint64_t] ids
    cdef vector[uint32_t] idle
    cdef vector[int32_t] order
    cdef Chains by_id, by_name
    cdef uint64_t next_id
    cdef uint32_t find(self, const string& name) noexcept nogil
    cdef uint32_t add(self, const string& name) noexcept nogil
    cdef uint32_t reserve(self, const string& name) noexcept nogil
    cdef void insert(self, const string& name, uint64_t id) noexcept nogil
    cdef uint32_t free_slot(self) noexcept nogil
    cdef void remove(self, uint32_t slot) noexcept nogil
    cdef void rebuild(self) noexcept nogil
    cdef void list_order(self, vector[int32_t]* out) noexcept nogil
    cdef vector[int32_t]* arrange(self) noexcept nogil
    cdef vector[int32_t]* in_order(self, vector[int32_t]* spare) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void pack(self, Buffer* out) noexcept nogil
    cdef int unpack(self, Cursor* c) noexcept nogil
    cdef void swap(self, Labels other) noexcept nogil
