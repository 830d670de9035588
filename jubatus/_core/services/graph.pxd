from jubatus._core.graph.part cimport GraphPart
from jubatus._core.model cimport Model


cdef class Graph(Model):
    cdef GraphPart graph
