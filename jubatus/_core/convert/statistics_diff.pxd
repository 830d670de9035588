cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.statistics cimport Counter, Statistics
from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.kernels.order cimport Keyed
from jubatus._core.kernels.table cimport NextIndex
from jubatus._core.mix.part cimport Change, Copy, Joint


cdef struct CopiedCount:
    double value
    uint64_t name  # where it stands
    uint32_t size
    uint32_t row


@cython.final
cdef class CounterCopy:
    cdef Counter counter
    cdef Buffer names
    cdef vector[CopiedCount] counts
    cdef size_t listed, taken
    cdef void begin(self) noexcept nogil
    cdef bint take(self, size_t* left) noexcept nogil
    cdef size_t room(self) noexcept nogil
    cdef void pack(self, Buffer* out, bint wrapped) noexcept nogil
    cdef void subtract(self, bint adds) noexcept nogil
    cdef void carry(self, Counter other) noexcept nogil


@cython.final
cdef class StatisticsCopy(Copy):
    cdef Statistics statistics
    cdef CounterCopy documents, groups, lengths, user
    cdef uint64_t version, count, era
    cdef bint is_whole
    cdef void subtract(self) noexcept nogil


@cython.final
cdef class CounterChange:
    cdef Counter counter
    cdef vector[Span] names
    cdef vector[uint64_t] ids
    cdef vector[double] values, sorted_values
    cdef vector[Keyed] found
    cdef vector[uint32_t] missing  # what has no row yet
    cdef NextIndex index
    cdef size_t looked_up, made
    cdef bint has_room, is_sorted
    cdef int unpack(self, Cursor* c, bint wrapped) noexcept nogil
    cdef void begin(self) noexcept nogil
    cdef bint prepare(self, size_t* left) noexcept nogil
    cdef void look_up(self, size_t* left) noexcept nogil
    cdef bint make_rows(self, size_t* left) noexcept nogil
    cdef void apply(self, bint adds) noexcept nogil


@cython.final
cdef class StatisticsChange(Change):
    cdef Statistics statistics
    cdef CounterChange documents, groups, lengths, user
    cdef uint64_t version, count, layout


@cython.final
cdef class StatisticsJoint(Joint):
    cdef Statistics sum
    cdef vector[Cursor] records
    cdef vector[uint64_t] versions
    cdef size_t size
