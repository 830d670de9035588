cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.map cimport map as ordered_map
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.chains cimport Chains
from jubatus._core.mix.part cimport Change, Copy, Joint


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


cdef struct LabelCount:
    uint64_t diff
    uint64_t master
    uint64_t birth  # which of all labels that were ever counted
    bint in_diff
    bint in_master


cdef struct CopiedCount:
    uint64_t diff
    uint64_t birth


@cython.final
cdef class LabelCounts:
    cdef ordered_map[string, LabelCount] counts
    cdef uint64_t version
    cdef uint64_t era  # changes with what the diff is of
    cdef uint64_t births
    cdef LabelCount* touch(self, const string& name) noexcept nogil
    cdef void increment(self, const string& name, uint64_t by) noexcept nogil
    cdef bint erase(self, const string& name) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void pack_labels(self, Buffer* out) noexcept nogil
    cdef void pack(self, Buffer* out) noexcept nogil
    cdef int unpack(self, Cursor* c) noexcept nogil
    cdef void pack_part(self, Buffer* out, bint master) noexcept nogil
    cdef int unpack_part(self, Cursor* c, bint master) noexcept nogil
    cdef void drop_diff(self) noexcept nogil
    cdef void swap(self, LabelCounts other) noexcept nogil


@cython.final
cdef class CountsCopy(Copy):
    cdef LabelCounts counts
    cdef ordered_map[string, CopiedCount] copied
    cdef string last
    cdef bint is_begun, is_whole
    cdef uint64_t era
    cdef void subtract(self) noexcept nogil


@cython.final
cdef class CountsChange(Change):
    cdef LabelCounts counts, mixed


@cython.final
cdef class CountsJoint(Joint):
    cdef LabelCounts sum
    cdef vector[Cursor] read
