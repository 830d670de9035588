from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor


cdef class Packed:
    cdef size_t room(self) noexcept nogil
    cdef void pack(self, Buffer* out) noexcept nogil


cdef class Copy(Packed):
    cdef bint take(self, size_t* left) noexcept nogil
    cdef void carry(self, Copy since, Copy theirs) except *


cdef class Change:
    cdef int unpack(self, Cursor* c) noexcept nogil
    cdef bint fits(self) noexcept nogil
    cdef bint prepare(self, size_t* left) noexcept nogil
    cdef void apply(self, Copy since) except *


cdef class Joint(Packed):
    cdef int add(self, Cursor* c) noexcept nogil
    cdef uint64_t version(self, size_t i) noexcept nogil
    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil


cdef class Part:
    cdef void pack(self, Buffer* out) noexcept nogil
    cdef int unpack(self, Cursor* c) noexcept nogil
    cdef void swap(self, Part other) noexcept
    cdef void clear(self) noexcept nogil
    cdef void pack_aside(self, Buffer* out) noexcept nogil
    cdef int unpack_aside(self, Cursor* c) noexcept nogil


cdef class MixedPart(Part):
    cdef uint64_t current_version(self) noexcept nogil
    cdef Copy copy(self)
    cdef Change change(self)
    cdef Joint joint(self)
    cdef void finish_catch_up(self) noexcept


cdef class PushedPart(MixedPart):
    cdef void pack_argument(self, Buffer* out) noexcept nogil
    cdef int pull(self, Cursor* argument, Buffer* out) noexcept nogil
    cdef Change pushed(self)
