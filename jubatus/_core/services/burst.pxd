from jubatus._core.model cimport Model
from jubatus._core.burst.keywords cimport Keywords


cdef class Burst(Model):
    cdef Keywords keywords
