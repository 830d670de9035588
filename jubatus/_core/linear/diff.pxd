cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.kernels.order cimport Keyed
from jubatus._core.kernels.table cimport NextIndex
from jubatus._core.linear.copy cimport PlannedCell, PlannedRow
from jubatus._core.linear.table cimport WeightTable
from jubatus._core.mix.map cimport Map
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart
from jubatus._core.unlearn cimport Unlearner


cdef extern from "linear/average.h" namespace "jubatus" nogil:
    cdef cppclass DiffCell:
        uint32_t label
        double number(int k) noexcept
    struct DiffRow:
        const char* name
        uint32_t size
        uint32_t first, count
    struct DiffHead:
        uint64_t version
    cdef cppclass Names:
        vector[Span] spans
    cdef cppclass ReadDiffs:
        vector[DiffHead] heads
        vector[DiffRow] rows
        vector[DiffCell] cells
        Names labels
        size_t room
        int read(Cursor& c) noexcept
        void pack_average(const vector[size_t]& chosen, Buffer& out) noexcept


@cython.final
cdef class Weights(MixedPart):
    cdef WeightTable table
    cdef Map counts
    cdef Unlearner unlearner
    cdef void touch(self, const string& label) noexcept nogil
    cdef bint forget(self, const string& label) noexcept nogil


@cython.final
cdef class WeightsChange(Change):
    cdef Weights part
    cdef WeightTable weights
    cdef Unlearner unlearner
    cdef ReadDiffs diff
    cdef vector[uint64_t] ids
    cdef vector[string] labels
    cdef vector[uint32_t] last_seen  # the labels, in the order in which they are seen for the last time
    # The plan: what is added to which cells, ordered by row.
    cdef vector[uint32_t] slots
    cdef vector[char] wanted
    cdef bint all_wanted
    cdef vector[Keyed] found
    cdef vector[uint32_t] missing  # rows of the diff whose features have no row yet
    cdef NextIndex index
    cdef bint has_room
    cdef vector[PlannedRow] rows
    cdef vector[PlannedCell] cells
    cdef uint64_t layout
    cdef uint32_t begun
    cdef size_t looked_up, made, planned
    cdef bint is_sorted
    cdef bint is_wanted(self, size_t label) noexcept nogil
    cdef bint holds(self) noexcept nogil
    cdef void begin(self) noexcept nogil
    cdef void look_up(self, size_t* left) noexcept nogil
    cdef bint make_rows(self, size_t* left) noexcept nogil
    cdef void plan(self, size_t* left) noexcept nogil
    cdef void plan_row(self, uint32_t at, const DiffRow* row) noexcept nogil
    cdef void touch_labels(self) noexcept nogil


@cython.final
cdef class WeightsJoint(Joint):
    cdef ReadDiffs diffs
    cdef vector[size_t] chosen
