from jubatus._core.convert.converter cimport Converter
from jubatus._core.model cimport Model


cdef class Weight(Model):
    cdef Converter converter
