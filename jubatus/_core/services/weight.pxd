from jubatus._core.convert.converter cimport Converter
from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.model cimport Model


cdef class Weight(Model):
    cdef Converter converter
    cdef bytes features(self, reader, bint update)
    cdef int write_features(self, Workspace w, Cursor* c, bint update, Buffer* out) noexcept nogil
