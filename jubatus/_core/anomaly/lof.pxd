from libcpp.string cimport string

from jubatus._core.anomaly.detector cimport AnomalyWorkspace, Detector, Entry
from jubatus._core.anomaly.part cimport LofPart
from jubatus._core.kernels.names cimport Names
from jubatus._core.similar.method cimport FoundRow, SimilarRows


cdef class Lof(Detector):
    cdef LofPart part
    cdef SimilarRows rows
    cdef bint has_prefixes
    cdef bint can_store(self, const string& id) noexcept nogil
    cdef bint ignore(self, AnomalyWorkspace w, const string& id) noexcept nogil
    cdef int store_point(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil
    cdef void find_own(self, AnomalyWorkspace w, const string& id) noexcept nogil
    cdef void find_near(self, AnomalyWorkspace w, const string& id, size_t most) noexcept nogil
    cdef void collect(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil
    cdef int compute(self, AnomalyWorkspace w, const Names& changed) noexcept nogil
    cdef int compute_density(
        self, AnomalyWorkspace w, const string& id, const FoundRow* near, size_t n
    ) noexcept nogil
    cdef const Entry* look_up(self, AnomalyWorkspace w, const FoundRow& row) noexcept nogil
    cdef int score_row(self, AnomalyWorkspace w, const string& id, double* result) noexcept nogil
    cdef int score_found(self, AnomalyWorkspace w, double* result) noexcept nogil
