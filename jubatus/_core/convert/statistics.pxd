cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.table cimport Table


cdef struct Count:
    # A counter of a keyword_weights record: its part that was not mixed yet, and its mixed part.
    uint64_t id
    uint64_t name
    double diff
    double master
    bint in_diff
    bint in_master


@cython.final
cdef class Counter:
    cdef Table[Count] table
    cdef vector[uint32_t] listed  # rows of the diff part, in the order in which they came into it
    cdef uint32_t diff_size, master_size  # counted, so that status needs no look at rows that may move
    cdef double total(self, uint64_t id) noexcept nogil
    cdef double documents(self, uint64_t id) noexcept nogil
    cdef Count* touch(self, uint64_t id, const char* name, uint32_t size) noexcept nogil
    cdef void add(self, Count* row, double value) noexcept nogil
    cdef void set_master(self, Count* row, double value) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void pack(self, Buffer* out, bint master, bint wrapped) noexcept nogil
    cdef int unpack(self, Cursor* c, bint master, bint wrapped) noexcept nogil
    cdef void drop_diff(self) noexcept nogil
    cdef void swap(self, Counter other) noexcept nogil


@cython.final
cdef class Statistics:
    cdef uint64_t version, diff_documents, master_documents
    cdef Counter documents, groups, lengths, user
    cdef bint counts, counts_groups
    cdef uint64_t era     # changes with what the diff is of
    cdef uint64_t layout  # changes when rows move
    cdef void update(self, Conversion* w) noexcept nogil
    cdef void apply(self, Conversion* w) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void pack(self, Buffer* out) noexcept nogil
    cdef int unpack(self, Cursor* c) noexcept nogil
    cdef void pack_record(self, Buffer* out, bint master) noexcept nogil
    cdef int unpack_record(self, Cursor* c, bint master) noexcept nogil
    cdef void pack_diff(self, Buffer* out) noexcept nogil
    cdef void drop_diff(self) noexcept nogil
    cdef void swap(self, Statistics other) noexcept nogil
    cpdef dict status(self)
