cimport cython
from libc.stdint cimport uint64_t

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.wire.splitter cimport Frame


@cython.final
cdef class Turn:
    cdef public str refusing
    cdef public object wake
    cdef readonly uint64_t count
    cdef bint is_awake
    cdef Buffer records
    cdef list held
    cdef int append(self, const unsigned char* start, const unsigned char* end, bint good) except -1
    cpdef int append_frame(self, Frame frame, bint good) except -1
    cpdef int rouse(self) except -1
