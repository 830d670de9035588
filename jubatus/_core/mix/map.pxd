cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.kernels.order cimport Keyed
from jubatus._core.kernels.table cimport NextIndex, Table
from jubatus._core.kernels.texts cimport Texts
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart


cdef union Number:
    double real
    uint64_t integer


cdef enum:
    # Flags of a row. A row that is in neither part does not exist for readers.
    IN_DIFF = 1
    IN_MASTER = 2
    LISTED = 4  # stands in Map.listed


cdef struct MapRow:
    uint64_t id
    uint64_t name
    Number diff
    Number master
    uint32_t birth  # Map.erasures when the name came, or when it was erased
    uint32_t flags


@cython.final
cdef class Map(MixedPart):
    cdef bint integers, by_name, sums, wrapped
    cdef Table[MapRow] table
    cdef vector[uint32_t] listed  # the rows of the diff in the order in which they came into it, and some that left it
    cdef uint32_t diff_size, master_size, size  # names in the diff, in the master, in one of both
    cdef uint32_t erasures
    cdef uint64_t version
    cdef uint64_t era     # changes when the diff is no longer the one that was copied
    cdef uint64_t layout  # changes when rows move
    cdef uint32_t touch(self, uint64_t id, const char* name, uint32_t size) noexcept nogil
    cdef uint32_t touch_like(self, Map other, uint32_t at) noexcept nogil
    cdef bint knows(self, const string& name) noexcept nogil
    cdef void increment(self, const string& name, uint64_t by) noexcept nogil
    cdef bint erase(self, const string& name) noexcept nogil
    cdef void enter(self, uint32_t at, uint32_t flag) noexcept nogil
    cdef void leave_diff(self, uint32_t at) noexcept nogil
    cdef void withdraw(self, uint32_t at) noexcept nogil
    cdef void trim_listed(self) noexcept nogil
    cdef void drop_erased_rows(self) noexcept nogil
    cdef void drop_diff(self) noexcept nogil
    cdef void pack_numbers(self, Buffer* out, uint32_t part) noexcept nogil
    cdef void pack_row(self, Buffer* out, uint32_t at, uint32_t part) noexcept nogil
    cdef void pack_number(self, Buffer* out, Number number) noexcept nogil
    cdef int unpack_numbers(self, Cursor* c, uint32_t part, bint adds) noexcept nogil


cdef inline double total(Map map, uint64_t id) noexcept nogil:
    """Return the sum of both parts; 0 for an unknown name."""
    cdef uint32_t at = map.table.find(id)
    return 0.0 if at == <uint32_t>-1 else map.table.rows[at].diff.real + map.table.rows[at].master.real


cdef inline void add(Map map, uint32_t at, double value) noexcept nogil:
    """Add to the diff of a row."""
    map.table.rows[at].diff.real += value
    if not map.table.rows[at].flags & IN_DIFF:
        map.enter(at, IN_DIFF)


cdef struct CopiedNumber:
    uint64_t id
    Number value
    uint64_t name  # its place in MapCopy.names
    uint32_t row
    uint32_t birth


@cython.final
cdef class MapCopy(Copy):
    cdef Map map
    cdef Texts names
    cdef vector[CopiedNumber] numbers
    cdef size_t listed, taken
    cdef uint64_t era, layout
    cdef uint32_t begun
    cdef bint is_whole
    cdef void begin(self) noexcept nogil
    cdef void pack_copied(self, Buffer* out, size_t i) noexcept nogil
    cdef void subtract(self) noexcept nogil


@cython.final
cdef class MapChange(Change):
    cdef Map map
    cdef vector[Span] names
    cdef vector[uint64_t] ids
    cdef vector[Number] values, sorted_values
    cdef vector[Keyed] found
    cdef vector[uint32_t] missing  # names that have no row yet
    cdef NextIndex index
    cdef size_t looked_up, made
    cdef uint64_t layout
    cdef uint32_t begun
    cdef bint has_room, is_sorted
    cdef void begin(self) noexcept nogil
    cdef void look_up(self, size_t* left) noexcept nogil
    cdef bint make_rows(self, size_t* left) noexcept nogil


@cython.final
cdef class MapJoint(Joint):
    cdef Map sum
    cdef vector[Cursor] read
