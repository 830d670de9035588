from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Cursor, Buffer, Span
from jubatus._core.kernels.names cimport Names
from jubatus._core.near.memory cimport Ranked
from jubatus._core.similar.method cimport FoundRow, Query, RowsWorkspace


cdef extern from "anomaly/entries.h" namespace "jubatus::lof" nogil:
    cdef cppclass Entry "jubatus::lof::Entry":
        double kdist, lrd
        bint is_removed() noexcept
    cdef cppclass Entries "jubatus::lof::Entries":
        Names names
        vector[Entry] values
        Entry& enter(const string& name) noexcept
        void swap(Entries& other) noexcept
    cdef cppclass Store "jubatus::lof::Store":
        Entries master, diff
        uint64_t time, k, reverse
        bint ignores
        const Entry* find(const string& name) noexcept
        Entry& change(const string& name) noexcept
        void remove(const string& name) noexcept
        void subtract(const Entries& given, uint64_t when) noexcept
        void put_removal(const string& name) noexcept
        void swap(Store& other) noexcept
        void clear() noexcept
    cdef cppclass OrderedSum "jubatus::lof::OrderedSum":
        void clear() noexcept
        void add(const Span& name, double value) noexcept
        double sum() noexcept
    void write_entries(Buffer& out, const Entries& entries) noexcept
    int read_entries(Cursor& c, Entries& entries) noexcept
    void join(Entries& sum, const Entries& later) noexcept
    void write_store(Buffer& out, const Store& store) noexcept
    int read_store(Cursor& c, Store& store) noexcept
    double score(size_t neighbours, double densities, double reach) noexcept


cdef class AnomalyWorkspace(RowsWorkspace):
    cdef vector[string] ids, stored
    cdef vector[FoundRow] own, lists
    cdef vector[Ranked] own_ranked
    cdef vector[size_t] ends
    cdef string id, own_id
    cdef vector[uint64_t] hash
    cdef double norm
    cdef bint knows_own
    cdef Query given
    cdef OrderedSum densities


cdef class Detector:
    cdef uint64_t ignored
    cdef bint ignores
    cdef bint updates
    cdef list parts(self)
    cdef int update(self, AnomalyWorkspace w, const string& id, double* score) noexcept nogil
    cdef int overwrite(self, AnomalyWorkspace w, const string& id, double* score) noexcept nogil
    cdef int clear_row(self, AnomalyWorkspace w, const string& id) noexcept nogil
    cdef int score_vector(self, AnomalyWorkspace w, double* score) noexcept nogil
    cdef int add_to_bulk(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil
    cdef int finish_bulk(self, AnomalyWorkspace w, Names& changed) noexcept nogil
    cdef void list_rows(self, AnomalyWorkspace w) noexcept nogil
    cdef bint is_large(self) noexcept
    cpdef dict status(self)
