from libc.stdint cimport uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.clustering.points cimport Centers, Lists, Mixture, Point, Points
from jubatus._core.clustering.stream cimport Stream
from jubatus._core.kernels.bytes cimport Buffer


cdef enum Method: KMEANS, GMM, DBSCAN


cdef class Clusters:
    cdef Method method
    cdef uint64_t k, least
    cdef double eps
    cdef object seed
    cdef bint by_angle
    cdef Stream stream
    cdef bint is_done
    cdef Centers centers
    cdef Mixture mixture
    cdef vector[Points] groups

    cdef int run(self, const Lists& lists) except -1
    cdef int forget(self) except -1
    cdef int run_kmeans(self, arrays, vector[string]& names) except -1
    cdef int run_gmm(self, arrays, vector[string]& names) except -1
    cdef int run_dbscan(self, arrays, const Lists& lists) except -1
    cdef size_t count(self) noexcept nogil
    cdef size_t nearest(self, const Point& point) noexcept nogil
    cdef void assign(self, const Lists& lists, vector[Points]* groups) noexcept nogil
    cdef void write_center(self, size_t i, Buffer* out) noexcept nogil


cdef object arrays_of(const Lists& lists, vector[string]* names)
