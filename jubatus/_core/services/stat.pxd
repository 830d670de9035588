from jubatus._core.model cimport Model
from jubatus._core.stat.window cimport Window


cdef class Stat(Model):
    cdef Window window
