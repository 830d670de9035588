from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart


cdef class Whole(MixedPart):
    cdef void pack_diff(self, Buffer* out) noexcept nogil
    cdef int skip_diff(self, Cursor* c) noexcept nogil
    cdef void join_diffs(self, Cursor a, Cursor b, Buffer* out) noexcept nogil
    cdef void put_diff(self, Cursor mixed) noexcept nogil
    cdef uint64_t time(self) noexcept nogil
    cdef void subtract(self, Cursor given, uint64_t when) noexcept nogil
    cdef void carry_diff(self, Whole other) noexcept nogil


cdef class WholeCopy(Copy):
    cdef Whole part
    cdef Buffer diff
    cdef uint64_t when
    cdef bint is_taken
    cdef void subtract(self) noexcept nogil


cdef class WholeChange(Change):
    cdef Whole part
    cdef Cursor diff


cdef class WholeJoint(Joint):
    cdef Whole part
    cdef vector[Cursor] read
    cdef Buffer sum
