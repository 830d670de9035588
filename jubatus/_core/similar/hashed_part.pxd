from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.names cimport Names
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart
from jubatus._core.rows.inverted cimport deque
from jubatus._core.rows.raw cimport RawRows
from jubatus._core.unlearn cimport Unlearner


cdef extern from "similar/hashed_rows.h" namespace "jubatus::hashed" nogil:
    cdef cppclass Form:
        size_t bits, tables, words, width
        Form() noexcept
        Form(size_t bits, size_t tables) noexcept
        const uint64_t* keys(const uint64_t* value) noexcept
    cdef cppclass Diff:
        Form form
        Names names
        const uint64_t* value(uint32_t at) noexcept
    void join(Diff& sum, const Diff& later) noexcept
    cdef cppclass Rows:
        Form form
        Names names
        vector[uint8_t] flags
        vector[float] shifts
        const uint64_t* value(uint32_t at) noexcept
        bint is_visible(uint32_t at) noexcept
        bint is_in_diff(uint32_t at) noexcept
        uint32_t find(const string& name) noexcept
        size_t count() noexcept
        void set(const string& name, const uint64_t* value) noexcept
        void remove(const string& name) noexcept
        void put(const string& name, const uint64_t* value) noexcept
        void copy_diff(Diff& out) noexcept
        void subtract(const Diff& given) noexcept
        void sweep_if_many() noexcept
        vector[int32_t] changed_rows() noexcept
        void carry(const Diff* since, Rows& theirs) noexcept
        void clear() noexcept
        void swap(Rows& other) noexcept


cdef extern from "similar/packed_rows.h" namespace "jubatus::hashed" nogil:
    void write_rows(Buffer& out, const Rows& rows) noexcept
    int read_rows(Cursor& c, Rows& rows) noexcept
    void write_diff(Buffer& out, const Diff& diff) noexcept
    int read_diff(Cursor& c, Diff& diff) noexcept


cdef class HashedPart(MixedPart):
    cdef Rows store
    cdef RawRows raw
    cdef Unlearner unlearner
    cdef void remove_row(self, const string& name) noexcept nogil
    cdef void put_row(self, const string& name, const uint64_t* value) noexcept nogil
    cdef void keep_if_there(self, const string& name) noexcept nogil


cdef class HashedCopy(Copy):
    cdef HashedPart part
    cdef Diff diff
    cdef bint is_taken


cdef class HashedChange(Change):
    cdef HashedPart part
    cdef Diff mixed


cdef class HashedJoint(Joint):
    cdef Form form
    cdef deque[Diff] read
    cdef size_t sum
