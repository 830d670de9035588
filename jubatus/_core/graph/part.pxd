from libcpp.vector cimport vector

from jubatus._core.graph.store cimport Index, Known, Store
from jubatus._core.mix.part cimport Change, Joint
from jubatus._core.mix.whole cimport Whole, WholeCopy


cdef class GraphPart(Whole):
    cdef Store store


cdef class GraphCopy(WholeCopy):
    cdef Known known


cdef class GraphChange(Change):
    cdef GraphPart part
    cdef Index diff
    cdef bint is_prepared


cdef class GraphJoint(Joint):
    cdef GraphPart part
    cdef vector[Index] read
    cdef Index sum
