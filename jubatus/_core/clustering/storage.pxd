from libc.stdint cimport uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.clustering.clusters cimport Clusters
from jubatus._core.clustering.points cimport Given, Lists, Point, Points
from jubatus._core.clustering.stream cimport Stream
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.random cimport RandomStream
from jubatus._core.mix.whole cimport Whole, WholeChange


cdef class Storage(Whole):
    cdef Clusters clusters
    cdef string name
    cdef bint is_compressive, by_score
    cdef uint64_t bucket_size, pushed
    cdef uint64_t bucket_length, compressed_size, base
    cdef double factor, threshold
    cdef Stream stream
    cdef vector[Points] buckets
    cdef vector[Given] others
    cdef uint64_t revision, status
    # Of the last search for clusters: how many points the first bucket had, and where the random numbers stood.
    cdef uint64_t sought
    cdef RandomStream before

    cdef bint add(self, const Point& point) noexcept nogil
    cdef int advance(self) except -1
    cdef int cluster(self) except -1
    cdef int seek(self) except -1
    cdef int write_search(self, Buffer* out) except -1
    cdef int read_search(self, Cursor* c) except? -1
    cdef Lists lists(self) noexcept nogil
    cdef Lists own(self) noexcept nogil
    cdef int compress(self, Points* points, size_t size) except -1
    cdef int carry(self, size_t r) except -1


cdef class StorageChange(WholeChange):
    pass
