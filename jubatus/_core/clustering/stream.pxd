from jubatus._core.kernels.random cimport RandomStream


cdef class Stream:
    cdef RandomStream numbers
    cdef int seed(self, object seed) except -1
