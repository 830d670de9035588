from jubatus._core.convert cimport Converter
from jubatus._core.kernels cimport Buffer, Cursor
from jubatus._core.model cimport Model
from jubatus._core.sparse cimport Work


cdef class Weight(Model):
    cdef Converter converter
    cdef bytes features(self, reader, bint update)
    cdef int write_features(self, Work* w, Cursor* c, bint update, Buffer* out) noexcept nogil
