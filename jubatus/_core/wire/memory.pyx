"""Bytes objects made of memory."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.string cimport memcpy

from jubatus._core.kernels.bytes cimport Buffer

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char* p, Py_ssize_t size)


cdef bytes take(Buffer& buffer):
    """Copy a buffer into a bytes object."""
    return copied(<const char*>buffer.data, buffer.size)


cdef bytes copied(const char* p, Py_ssize_t size):
    cdef bytes out
    if size < LARGE:
        return p[:size]
    out = PyBytes_FromStringAndSize(NULL, size)
    copy(PyBytes_AS_STRING(out), p, size)
    return out


cdef void copy(char* target, const char* source, size_t size) noexcept:
    if size < LARGE:
        memcpy(target, source, size)
    else:
        with nogil:  # long: large results and models
            memcpy(target, source, size)
