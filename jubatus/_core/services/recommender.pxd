from libc.stdint cimport uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Conversion, NumberValue, Vector
from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.model cimport Model
from jubatus._core.rows.raw cimport RawRow, SparseRows
from jubatus._core.similar.method cimport RowsWorkspace, SimilarRows


cdef extern from "similar/arithmetic.h" namespace "jubatus" nogil:
    double norm_of(const vector[double]& values) noexcept
    double cosine_of(const Vector& a, const Vector& b) noexcept
    void average_rows(const SparseRows& raw, const vector[const RawRow*]& rows, vector[NumberValue]& mean) noexcept
    void name_row(const SparseRows& raw, const RawRow* row, vector[NumberValue]& features) noexcept


cdef class RecommenderWorkspace(RowsWorkspace):
    cdef Conversion other  # of a second datum
    cdef Vector other_vector
    cdef vector[NumberValue] features


cdef class Recommender(Model):
    cdef SimilarRows rows
    cdef uint64_t updates, removals  # calls since the start or the last clear

    cdef int read_query(self, Cursor* args, RowsWorkspace w) noexcept nogil
    cdef void write_mean(self, RecommenderWorkspace w, Buffer* out) noexcept nogil
