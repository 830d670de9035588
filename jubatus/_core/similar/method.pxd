from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Vector, Workspace
from jubatus._core.kernels.bytes cimport Buffer, Span
from jubatus._core.near.memory cimport NearMemory
from jubatus._core.rows.inverted cimport Search
from jubatus._core.rows.raw cimport RawRow, RawRows, SparseRows
from jubatus._core.unlearn cimport Unlearner


cdef extern from "rows/query.h" namespace "jubatus" nogil:
    cdef cppclass Query:
        vector[uint64_t] ids, keys
        vector[double] values
        void clear() noexcept
    void query_of_vector(const Vector& vector, bint with_keys, Query& query) noexcept
    void query_of_row(const SparseRows& rows, const RawRow* row, Query& query) noexcept


cdef extern from "similar/search.h" namespace "jubatus::hashed" nogil:
    struct HashedFound "jubatus::hashed::Found":
        double score
        uint32_t row
    cdef cppclass HashedSearch "jubatus::hashed::Search":
        vector[HashedFound] found


cdef enum Measure:
    SIMILARITY, DISTANCE


cdef struct FoundRow:
    Span name  # stands in the model: good until the next update
    double score


cdef class RowsWorkspace(Workspace):
    cdef string name
    cdef Query query
    cdef vector[FoundRow] found
    cdef Search search
    cdef NearMemory near
    cdef HashedSearch hashed
    cdef string evicted
    cdef bint has_evicted


cdef class SimilarRows:
    cdef RawRows raw
    cdef Unlearner unlearner
    cdef bint uses_keys
    cdef list parts(self)
    cdef int update_row(self, RowsWorkspace w, const string& name) noexcept nogil
    cdef void sweep_raw_rows(self) noexcept nogil
    cdef void clear_row(self, const string& name) noexcept nogil
    cdef void ask_vector(self, RowsWorkspace w) noexcept nogil
    cdef void find(self, RowsWorkspace w, size_t most, Measure measure) noexcept nogil
    cdef void find_like(self, RowsWorkspace w, const string& name, size_t most, Measure measure) noexcept nogil
    cdef void list_rows(self, RowsWorkspace w) noexcept nogil
    cdef size_t count_rows(self) noexcept nogil
    cdef size_t effort(self) noexcept nogil
    cdef void store_row(self, RowsWorkspace w, const string& name) noexcept nogil
    cdef void remove_row(self, const string& name) noexcept nogil
    cpdef dict status(self)


cdef int refuse_row(RowsWorkspace w, const char* text, const string& name) noexcept nogil
cdef Span span_of(const string& name) noexcept nogil
cdef void take_features(RowsWorkspace w) noexcept nogil
