cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.mix.map cimport Map, MapChange, MapCopy, MapJoint, Number
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart


cdef struct NotedNumber:
    void* map
    uint64_t id
    bint in_diff
    Number value


@cython.final
cdef class Statistics(MixedPart):
    cdef uint64_t version, diff_documents, master_documents
    cdef Map documents, groups, lengths, user
    cdef bint counts, counts_groups
    cdef vector[NotedNumber] noted
    cdef void note(self, Conversion* w) noexcept nogil
    cdef void update(self, Conversion* w) noexcept nogil
    cdef void restore(self) noexcept nogil
    cdef void apply(self, Conversion* w) noexcept nogil
    cdef void pack_record(self, Buffer* out, bint master) noexcept nogil
    cdef int unpack_record(self, Cursor* c, bint master) noexcept nogil
    cpdef dict status(self)


@cython.final
cdef class StatisticsCopy(Copy):
    cdef Statistics statistics
    cdef MapCopy documents, groups, lengths, user
    cdef uint64_t version, count
    cdef bint is_whole
    cdef void subtract_documents(self) noexcept nogil


@cython.final
cdef class StatisticsChange(Change):
    cdef Statistics statistics
    cdef MapChange documents, groups, lengths, user
    cdef uint64_t version, count


@cython.final
cdef class StatisticsJoint(Joint):
    cdef MapJoint documents, groups, lengths, user
    cdef vector[uint64_t] counts, versions
    cdef uint64_t count, mixed_version
