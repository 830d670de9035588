from jubatus._core.kernels.bytes cimport Cursor


cdef class Reader:
    cdef bytes owner
    cdef const unsigned char* base
    cdef Cursor cursor
    cpdef arguments(self, Py_ssize_t count)
    cdef object _unpack(self)


cdef Reader cut(bytes owner, const unsigned char* at, const unsigned char* end)
