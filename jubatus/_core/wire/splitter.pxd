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
    cdef const unsigned char* call  # where the method's name stands before the params; only while these are kept


cdef class FrameSplitter:
    cdef readonly str failure
    cdef readonly Py_ssize_t max_size
    cdef readonly int max_depth
    cdef readonly bint responses
    cdef PyObject* held  # a bytes object with room for more than held_size
    cdef Py_ssize_t held_size
    cdef size_t scanned
    cdef Scan scan
    # The chunk that is being cut.
    cdef bytes owner
    cdef const unsigned char* at   # where its next message starts
    cdef const unsigned char* end
    cdef Py_ssize_t first          # size of its first message, where that is known already
    cdef int begin(self, bytes data) except -1
    cdef bint next(self, const unsigned char** start, const unsigned char** end) except -1
    cdef int check(self, int status) except -1
    cdef int hold(self, const unsigned char* p, Py_ssize_t size) except -1
    cdef bytes release(self)
    cdef Frame broken(self, str reason)
    cdef Frame frame(self, const unsigned char* start, const unsigned char* end)
