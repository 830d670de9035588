from libc.stdint cimport uint64_t

from jubatus._core.model cimport Model
from jubatus._core.near.neighbours cimport Neighbours


cdef class NearestNeighbor(Model):
    cdef Neighbours neighbours
    cdef uint64_t updates
