from jubatus._core.model cimport Model


cdef class Weight(Model):
    pass
