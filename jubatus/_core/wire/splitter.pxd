from cpython.object cimport PyObject
from libc.stdint cimport uint32_t

from jubatus._core.kernels.bytes cimport Scan
from jubatus._core.wire.reader cimport Reader


cdef class Frame:
    cdef readonly int kind
    cdef readonly uint32_t msgid
    cdef readonly bytes method
    cdef readonly Reader params
    cdef readonly object error
    cdef readonly Reader result
    cdef readonly Py_ssize_t size


cdef class FrameSplitter:
    cdef readonly str failure
    cdef readonly Py_ssize_t max_size
    cdef readonly int max_depth
    cdef readonly bint responses
    cdef PyObject* held  # a bytes object with room for more than held_size
    cdef Py_ssize_t held_size
    cdef size_t scanned
    cdef Scan scan
    cdef int hold(self, const unsigned char* p, Py_ssize_t size) except -1
    cdef bytes release(self)
    cdef Frame frame(self, bytes owner, const unsigned char* start, const unsigned char* end)
