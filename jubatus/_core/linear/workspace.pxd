from libc.stdint cimport int32_t, uint32_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Workspace


cdef class LinearWorkspace(Workspace):
    cdef vector[uint32_t] rows
    cdef vector[double] scores
    cdef vector[int32_t] labels
