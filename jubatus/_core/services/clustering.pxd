from jubatus._core.clustering.storage cimport Storage
from jubatus._core.model cimport Model


cdef class Clustering(Model):
    cdef Storage storage
