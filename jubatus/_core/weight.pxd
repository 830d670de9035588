from jubatus._core.convert cimport Converter
from jubatus._core.model cimport Model


cdef class Weight(Model):
    cdef Converter converter
    cdef bytes features(self, reader, bint update)
