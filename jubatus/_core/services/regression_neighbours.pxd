from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport Cursor
from jubatus._core.model cimport Model
from jubatus._core.records.store cimport Beside, Records, RecordWorkspace
from jubatus._core.rows.table cimport VersionedTable


cdef class TargetTable(VersionedTable):
    cdef VersionedTable records


cdef class Targets(Beside):
    cdef TargetTable table


cdef class NeighbourRegression(Model):
    cdef Records records
    cdef Targets targets
    cdef bint by_distance
    cdef int train_one(self, RecordWorkspace w, Cursor* c) noexcept nogil
    cdef double estimate_one(self, RecordWorkspace w) noexcept nogil
    cdef bint target_of(self, RecordWorkspace w, size_t i, double* target) noexcept nogil
