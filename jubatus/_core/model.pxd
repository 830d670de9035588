from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.kernels cimport Buffer, Cursor


cdef enum:
    LONG = 1 << 15  # bytes of arguments from which a call drops the GIL


cdef class Model:
    cdef readonly object config
    cdef readonly bint distributed

    cdef list copies(self)
    cdef list changes(self)
    cdef void pack_into(self, Buffer* out) noexcept nogil
    cdef int unpack_from(self, Cursor* c) noexcept nogil
    cdef void take_over(self, Model other) noexcept


cdef bytes packed_bool(bint value)
cdef int end_of_struct(Cursor* c, uint32_t more) noexcept nogil
cdef int start_of_struct(Cursor* c, uint32_t wanted, uint32_t* more) noexcept nogil
cdef int read_version(Cursor* c, uint64_t* version) noexcept nogil
