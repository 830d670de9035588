from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Vector
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.names cimport Names
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart
from jubatus._core.rows.raw cimport RawRows
from jubatus._core.unlearn cimport Unlearner


cdef extern from "rows/postings.h" namespace "jubatus::inverted" nogil:
    struct Ranked:
        double score
        uint32_t column
    cdef cppclass Best:
        vector[Ranked] items


cdef extern from "rows/index.h" namespace "jubatus::inverted" nogil:
    struct Norm:
        bint in_master, in_diff
    cdef cppclass Index:
        Names columns
        vector[Norm] norms
        vector[double] squares
        void update(const string& name, const Vector& vector) noexcept
        void remove_cell(uint64_t feature, uint32_t column) noexcept
        void remove_norm(uint32_t column) noexcept
        void sweep_if_many() noexcept
        bint is_listed(uint32_t column) noexcept
        size_t count_listed() noexcept
        void drop_diff() noexcept
        void adopt_diff(const Index& other) noexcept
        void clear() noexcept
        void swap(Index& other) noexcept
    cdef cppclass Search:
        Best best
    void search_cosine(
        const Index& index, const uint64_t* ids, const double* values, size_t n, size_t most, Search& search) noexcept
    void search_euclid(
        const Index& index, const uint64_t* ids, const double* values, size_t n, size_t most, bint met_only,
        Search& search) noexcept
    void write_index(Buffer& out, const Index& index) noexcept
    int read_index(Cursor& c, Index& index) noexcept


cdef extern from "rows/index_diff.h" namespace "jubatus::inverted" nogil:
    cdef cppclass Diff:
        pass
    cdef cppclass Taken:
        bint all
        void take "some.insert"(const string& name) noexcept
    cdef cppclass NamedColumns:
        Names names
        vector[uint8_t] grows
    void write_diff(Buffer& out, const Diff& diff) noexcept
    int read_diff(Cursor& c, Diff& diff) noexcept
    void join(Diff& sum, const Diff& later) noexcept
    void copy_diff(const Index& index, Diff& diff) noexcept
    void subtract(Index& index, const Diff& given) noexcept
    void put_diff(Index& index, const Diff& mixed, const Taken& taken) noexcept
    void name_columns(const Diff& mixed, NamedColumns& named) noexcept


cdef extern from "<deque>" namespace "std" nogil:
    cdef cppclass deque[T]:
        T& back() noexcept
        T& operator[](size_t i) noexcept
        void emplace_back() noexcept


cdef class InvertedIndex(MixedPart):
    cdef Index store
    cdef RawRows raw
    cdef Unlearner unlearner
    cdef void remove_row(self, const string& name) noexcept nogil
    cdef void choose(self, const Diff* mixed, Taken* taken, vector[string]* removed) noexcept nogil
    cdef void keep_if_there(self, const string& name) noexcept nogil
    cdef void forget(self, const string& name) noexcept nogil


cdef class IndexCopy(Copy):
    cdef InvertedIndex part
    cdef Diff diff
    cdef bint is_taken


cdef class IndexChange(Change):
    cdef InvertedIndex part
    cdef Diff mixed


cdef class IndexJoint(Joint):
    cdef deque[Diff] read
    cdef size_t sum
