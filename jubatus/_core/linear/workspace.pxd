from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Workspace


cdef class LinearWorkspace(Workspace):
    cdef vector[uint32_t] rows
    cdef vector[double] scores
