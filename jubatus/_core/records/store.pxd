from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Workspace
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.kernels.random cimport RandomStream
from jubatus._core.near.memory cimport NearMemory
from jubatus._core.near.neighbours cimport Neighbours
from jubatus._core.rows.inverted cimport InvertedIndex, Search
from jubatus._core.rows.table cimport GivenRow, VersionedTable
from jubatus._core.unlearn cimport Unlearner


cdef struct Found:
    Span id  # stands in the model: good until the next update
    double distance


cdef class RecordWorkspace(Workspace):
    cdef string id
    cdef NearMemory near
    cdef Search search
    cdef vector[Found] found


cdef class Beside:
    cdef void came(self, const string& id) noexcept nogil
    cdef void went(self, const string& id) noexcept nogil
    cdef void settle(self) noexcept


cdef class Records:
    cdef RandomStream numbers
    cdef size_t most
    cdef double exact
    cdef Beside beside
    cdef void draw_id(self, string* id) noexcept nogil
    cdef int store(self, RecordWorkspace w, const string& id) noexcept nogil
    cdef void remove(self, const string& id) noexcept nogil
    cdef void find(self, RecordWorkspace w) noexcept nogil
    cdef bint is_large(self) noexcept nogil
    cdef list parts(self)
    cpdef dict status(self)


cdef class RecordTable(VersionedTable):
    cdef HashedRecords records


cdef class HashedRecords(Records):
    cdef Neighbours neighbours
    cdef Unlearner unlearner
    cdef bint touch(self, const string& id) noexcept nogil
    cdef void forget(self, const string& id) noexcept nogil
    cdef void receive(self, const string& id) noexcept nogil


cdef class IndexedRecords(Records):
    cdef InvertedIndex index
    cdef bint by_distance
