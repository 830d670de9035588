from libc.stdint cimport uint32_t

from jubatus._core.kernels.bytes cimport Buffer


cdef class Writer:
    cdef Buffer buffer
    cdef int pack_container(self, v) except -1


cdef inline void put_reply_head(Buffer& out, uint32_t msgid) noexcept nogil:
    """Write what stands before the result of a response."""
    out.array(4)
    out.uint(1)
    out.uint(msgid)
    out.nil()


cpdef bytes reply(uint32_t msgid, bytes result)
