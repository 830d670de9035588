cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.kernels.pool cimport Pool
from jubatus._core.kernels.table cimport Table
from jubatus._core.linear.labels cimport Labels
from jubatus._core.linear.workspace cimport LinearWorkspace


cdef struct Row:
    uint64_t id
    uint64_t name
    char* block
    uint32_t count  # cells
    uint32_t room   # cells that the block has room for, and the flags below


cdef enum:
    ROOM = (1 << 28) - 1
    DENSE = 1 << 30
    LISTED = 1 << 29
    IN_TABLE = 1 << 28
    # Flags of a label in a sparse row.
    LABEL = (1 << 28) - 1  # a label that has neither of both is reserved: its cell does not exist yet
    MASTER = 1 << 30
    DIFF = 1 << 29


@cython.final
cdef class WeightTable:
    cdef readonly bint covariant
    cdef readonly bint distributed
    cdef Labels labels
    cdef Table[Row] table
    cdef Pool pool
    cdef uint32_t width
    cdef uint64_t version
    cdef uint64_t era     # changes with what the diff is of: whoever copied it knows whether it is the same still
    cdef uint64_t layout  # changes when rows, or cells of a row, move
    cdef vector[uint32_t] listed
    cdef uint32_t master_features
    cdef Buffer unmixed

    cdef dict status(self)
    cdef void find_rows(self, LinearWorkspace w) noexcept nogil
    cdef void score(self, LinearWorkspace w) noexcept nogil
    cdef void move(self, LinearWorkspace w, uint32_t label, uint32_t rival, double step) noexcept nogil
    cdef double variance(self, LinearWorkspace w, uint32_t label, uint32_t rival) noexcept nogil
    cdef uint32_t row_of(self, LinearWorkspace w, size_t i) noexcept nogil
    cdef void get(self, uint32_t at, uint32_t label, double* weight, double* covariance) noexcept nogil
    cdef void set(self, uint32_t at, uint32_t label, double weight, double covariance) noexcept nogil
    cdef void add(self, uint32_t at, uint32_t label, double step) noexcept nogil
    cdef bint forget(self, const string& label) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void swap(self, WeightTable other) noexcept
    cdef uint32_t touch(self, uint64_t id, const char* name, uint32_t size) noexcept nogil
    cdef uint32_t reserve(self, uint32_t at, uint32_t label) noexcept nogil
    cdef vector[string] labels_of_diff(self) noexcept nogil
    cdef void drop_diff(self) noexcept nogil
    cdef void drop_reserved(self, Row* row) noexcept nogil

    cdef size_t block_size(self, uint32_t room, bint dense) noexcept nogil
    cdef double* plane(self, Row* row, uint32_t number) noexcept nogil
    cdef int position(self, const Row* row, uint32_t label) noexcept nogil
    cdef uint32_t place(self, uint32_t at, uint32_t label) noexcept nogil
    cdef void make_room(self, Row* row, uint32_t room, bint dense) noexcept nogil
    cdef void remove(self, Row* row, uint32_t position) noexcept nogil
    cdef void mark(self, uint32_t at, uint32_t position, uint32_t flag) noexcept nogil
    cdef void settle(self, Row* row) noexcept nogil
    cdef void list_rows(self) noexcept nogil
    cdef void drop_empty_rows(self) noexcept nogil
    cdef void free_blocks(self) noexcept nogil
