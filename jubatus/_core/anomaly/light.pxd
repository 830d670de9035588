from libc.stdint cimport int64_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.anomaly.detector cimport AnomalyWorkspace, Detector
from jubatus._core.kernels.names cimport Names
from jubatus._core.near.memory cimport NearMemory, Ranked
from jubatus._core.near.neighbours cimport Neighbours
from jubatus._core.rows.table cimport VersionedTable
from jubatus._core.unlearn cimport Unlearner


cdef class ScoreTable(VersionedTable):
    cdef Neighbours neighbours
    cdef Unlearner unlearner
    cdef size_t k, reverse
    cdef NearMemory memory
    cdef vector[string] evicted
    cdef vector[Ranked] lists
    cdef vector[uint32_t] rows_of_lists
    cdef vector[size_t] ends
    cdef uint32_t row_of(self, const Ranked& near) noexcept nogil
    cdef void rank_like(self, NearMemory* m, const string& id, size_t most) noexcept nogil
    cdef void collect(self, const vector[Ranked]& ranked, size_t most, Names& changed) noexcept nogil
    cdef bint touch(self, NearMemory* m, const string& id) noexcept nogil
    cdef void forget(self, NearMemory* m, const string& id) noexcept nogil
    cdef void compute(
        self, NearMemory* m, const Names& changed, const string* own_id, const vector[Ranked]& own
    ) noexcept nogil
    cdef void compute_density(self, uint32_t row, size_t start, size_t end) noexcept nogil


cdef class LightLof(Detector):
    cdef ScoreTable scores
    cdef Neighbours neighbours
    cdef int64_t k, reverse
    cdef void hash(self, AnomalyWorkspace w) noexcept nogil
    cdef void add_row(self, const string& id) noexcept nogil
    cdef bint ignore(self, AnomalyWorkspace w) noexcept nogil
    cdef int score_ranked(self, AnomalyWorkspace w, const vector[Ranked]& ranked, double* result) noexcept nogil
