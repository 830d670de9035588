from libc.stdint cimport uint32_t

from jubatus._core.kernels.bytes cimport Buffer


cdef class Writer:
    cdef Buffer buffer
    cdef int pack_container(self, v) except -1


cpdef bytes reply(uint32_t msgid, bytes result)
