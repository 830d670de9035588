from libc.stdint cimport int64_t, uint64_t

from jubatus._core.kernels.bytes cimport Buffer, Cursor


cdef class Shape:
    cdef int kind
    cdef int64_t least
    cdef uint64_t most
    cdef type cls
    cdef tuple names
    cdef tuple parts
    cdef int write(self, Buffer& out, object value) except -1
    cdef int write_parts(self, Buffer& out, object values) except -1
    cdef int write_fields(self, Buffer& out, object value) except -1
    cdef int write_map(self, Buffer& out, dict values) except -1
    cdef object read(self, Cursor& c)
    cdef object read_list(self, Cursor& c, uint64_t n)
    cdef object read_tuple(self, Cursor& c, uint64_t n)
    cdef object read_map(self, Cursor& c, uint64_t n)
    cdef object read_object(self, Cursor& c, uint64_t n)


cdef class Encoder:
    cdef tuple kinds
    cdef tuple shapes
    cdef int write(self, Buffer& out, tuple values) except -1


cdef class Decoder:
    cdef object kind
    cdef Shape shape
