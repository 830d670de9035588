cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.kernels.order cimport Keyed
from jubatus._core.kernels.texts cimport Texts
from jubatus._core.linear.table cimport WeightTable
from jubatus._core.mix.part cimport Copy


cdef enum:
    TRIES = 3  # times that a copy or a plan may start again before it is made in one go


cdef extern from "linear/copied.h" namespace "jubatus" nogil:
    struct CopiedRow:
        uint64_t id
        uint64_t name
        uint32_t row
        uint32_t first, count
        uint32_t ordinal
    struct CopiedCell:
        double weight, covariance
        uint32_t slot, position
    cdef cppclass CopiedDiff:
        vector[CopiedRow] rows
        vector[CopiedCell] cells
        Texts names
        vector[string] labels
        vector[uint64_t] ids
        uint64_t version
        void clear() noexcept
        size_t room() noexcept
        void pack(Buffer& out) noexcept
    void sort_rows(vector[CopiedRow]& rows) noexcept
    struct PlannedRow:
        uint32_t row, count
    struct PlannedCell:
        double weight, covariance
        uint32_t position


@cython.final
cdef class WeightsCopy(Copy):
    cdef WeightTable weights
    cdef CopiedDiff diff  # does not change once it is complete: it is packed without a lock
    cdef vector[CopiedRow] found_rows  # the copied rows at their new places, if rows moved
    cdef vector[CopiedCell] found_cells
    cdef vector[Keyed] order
    cdef uint64_t era, layout
    cdef uint32_t begun
    cdef bint is_whole
    cdef void begin(self) noexcept nogil
    cdef void copy_row(self, uint32_t at, uint32_t ordinal) noexcept nogil
    cdef void subtract(self, const vector[PlannedRow]* rows, const vector[PlannedCell]* cells) noexcept nogil
    cdef void find_again(self) noexcept nogil


cdef void merge_rows(
    WeightTable weights,
    const vector[CopiedRow]* copied, const vector[CopiedCell]* copied_cells,
    const vector[PlannedRow]* rows, const vector[PlannedCell]* cells,
) noexcept nogil
