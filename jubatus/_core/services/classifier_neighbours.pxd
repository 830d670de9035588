from libcpp.map cimport map as ordered_map
from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.mix.map cimport Map
from jubatus._core.model cimport Model
from jubatus._core.records.store cimport Beside, Records, RecordWorkspace
from jubatus._core.rows.table cimport VersionedTable


cdef class LabelCounts(Beside):
    cdef Map counts
    cdef VersionedTable table
    cdef void list_labels(self, ordered_map[string, double]* labels) noexcept nogil


cdef class NeighbourClassifier(Model):
    cdef Records records
    cdef LabelCounts labels
    cdef float sensitivity
    cdef int train_one(self, RecordWorkspace w, Cursor* c, string* label) noexcept nogil
    cdef void write_scores(
        self, RecordWorkspace w, const ordered_map[string, double]* labels, Buffer* out
    ) noexcept nogil
    cdef bint forget_label(self, const string& label) noexcept nogil
