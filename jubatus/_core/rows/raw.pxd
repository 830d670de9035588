from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Vector
from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.kernels.names cimport Names
from jubatus._core.kernels.table cimport Table
from jubatus._core.mix.part cimport Part


cdef extern from "rows/sparse.h" namespace "jubatus" nogil:
    struct RawFeature:
        uint64_t id
        uint64_t key
    struct RawCell:
        uint32_t feature
        double value
    ctypedef vector[RawCell] RawRow
    cdef cppclass SparseRows:
        Table[RawFeature] features
        Names names
        size_t size() noexcept
        Span feature_name(uint32_t feature) noexcept
        const RawRow* find(const string& name) noexcept
        void update(const string& name, const Vector& vector) noexcept
        bint remove(const string& name) noexcept
        void adopt(const SparseRows& other) noexcept
        void clear() noexcept
        void swap(SparseRows& other) noexcept
        void write(Buffer& out) noexcept
        int read(Cursor& c) noexcept


cdef class RawRows(Part):
    cdef SparseRows store
