from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.anomaly.detector cimport AnomalyWorkspace, Detector
from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.model cimport Model


cdef class Anomaly(Model):
    cdef Detector detector
    cdef uint64_t next  # number of the next id
    cdef uint64_t highest  # number of the ids of rows

    cdef int read_point(self, Cursor* args, AnomalyWorkspace w, int flags) noexcept nogil
    cdef int store(self, AnomalyWorkspace w, bint replaces, double* score) noexcept nogil
    cdef int store_all(self, Cursor points, uint32_t n, AnomalyWorkspace w, Buffer* out) noexcept nogil
    cdef void note_id(self, const char* p, size_t n) noexcept nogil
    cdef void note_rows(self, AnomalyWorkspace w) noexcept nogil
