from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.mix.part cimport Change, Copy, Joint, PushedPart
from jubatus._core.rows.raw cimport RawRows


cdef extern from "rows/table.h" namespace "jubatus" nogil:
    cdef cppclass Keys:
        uint32_t size() noexcept
        const string& name(uint32_t row) noexcept
        uint32_t find(const string& name) noexcept
        uint32_t find(const char* p, size_t n) noexcept
    cdef cppclass Column:
        uint32_t bits
        size_t words() noexcept
        uint64_t* at(uint32_t row) noexcept
        const double* numbers() noexcept
        double number(uint32_t row) noexcept
        void set_number(uint32_t row, double v) noexcept
    struct GivenRow:
        Span key, owner
        uint64_t clock
    cdef cppclass Horizon:
        void pack(Buffer& out) noexcept
        int unpack(Cursor& c) noexcept
    cdef cppclass VersionedRows:
        Keys keys
        vector[Column] columns
        uint64_t clock, removals
        Horizon seen
        void add_column(uint32_t bits) noexcept
        void swap(VersionedRows& o) noexcept
        uint32_t size() noexcept
        void clear() noexcept
        uint32_t owner(const string& name) noexcept
        uint32_t set(const char* key, size_t n) noexcept
        void touch(uint32_t row) noexcept
        bint remove(const string& key) noexcept
        void see(const vector[GivenRow]& given) noexcept
        void receive(const GivenRow& given, const uint64_t* cells) noexcept
        bint is_own_since(uint32_t row, uint64_t when) noexcept
        bint is_new(uint32_t row, const Horizon& to) noexcept
        size_t words_of_row() noexcept
        void carry_to(VersionedRows& other) noexcept
        void pack_row(Buffer& out, uint32_t row) noexcept
        int read_row(Cursor& c, GivenRow& given, vector[uint64_t]& cells) noexcept
        void pack(Buffer& out) noexcept
        int unpack(Cursor& c) noexcept


cdef class VersionedTable(PushedPart):
    cdef VersionedRows rows
    cdef RawRows raw
    cdef bint distributed
    cdef void receiving(self, const GivenRow* given) noexcept nogil
    cdef void received(self) noexcept nogil


cdef class TableCopy(Copy):
    cdef VersionedTable table
    cdef Buffer packed
    cdef size_t count
    cdef uint32_t next
    cdef uint64_t removals, end
    cdef int begun
    cdef bint is_whole


cdef class TableChange(Change):
    cdef VersionedTable table
    cdef bint is_wrapped
    cdef vector[GivenRow] given
    cdef vector[uint64_t] cells
    cdef size_t taken


cdef class TableJoint(Joint):
    cdef VersionedTable table
    cdef vector[Cursor] read
    cdef vector[uint32_t] counts
    cdef Buffer sum
    cdef size_t count
