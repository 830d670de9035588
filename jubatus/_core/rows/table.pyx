"""A part that is a table of rows with versions (rows/table.h).

Servers exchange whole rows: of two writings of a row the one with the later clock stays. A removed row is not told to
the others. By linear MIX the new rows of all servers go to everybody. By push each server takes from another one what
it has not seen, and gives it what that one has not seen.

A row is whole by itself, so the rows of a mixed diff are put one after the other, and a reader between two slices may
see some of them already. The version of the part is always 0: any mixed diff fits.
"""

from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span, read_array, read_raw
from jubatus._core.mix.part cimport Change, Copy, Joint, Part, PushedPart

cdef enum:
    TRIES = 3  # times that a copy may start again before it is done in one go


cdef class VersionedTable(PushedPart):
    """A table of rows.

    Args:
        columns: of each column its number of bits, or 0 for a column of numbers.
        owner: the name of the server, which rows that are written here bear.
        distributed: whether the rows go to other servers.

    Attributes (C level):
        raw: the rows as they were given, if these are kept; a server that becomes the model of another one keeps its own.
    """

    def __init__(self, columns, str owner not None, bint distributed):
        self.distributed = distributed
        for bits in columns:
            self.rows.add_column(bits)
        self.rows.owner(owner.encode())

    cdef void receiving(self, const GivenRow* given) noexcept nogil:
        """Is called for each row of other servers before it is put."""

    cdef void received(self) noexcept nogil:
        """Is called when all rows of other servers were put."""

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.rows.pack(out[0])

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return self.rows.unpack(c[0])

    cdef void swap(self, Part other) noexcept:
        self.rows.swap((<VersionedTable>other).rows)

    cdef void clear(self) noexcept nogil:
        self.rows.clear()
        if not self.distributed:  # otherwise it goes on, and others see that what comes now is new; in 1.1 they do not
            self.rows.clock = 0

    cdef Copy copy(self):
        return TableCopy(self)

    cdef Change change(self):
        return TableChange(self, True)

    cdef Joint joint(self):
        return TableJoint(self)

    cdef void pack_argument(self, Buffer* out) noexcept nogil:
        self.rows.seen.pack(out[0])

    cdef int pull(self, Cursor* argument, Buffer* out) noexcept nogil:
        cdef Horizon seen
        cdef vector[uint32_t] chosen
        cdef uint32_t row
        cdef int status = seen.unpack(argument[0])
        if status:
            return status
        for row in range(self.rows.size()):
            if self.rows.is_new(row, seen):
                chosen.push_back(row)
        out.array(chosen.size())
        for row in chosen:
            self.rows.pack_row(out[0], row)
        return 0

    cdef Change pushed(self):
        return TableChange(self, False)


cdef class TableCopy(Copy):
    """The rows that were new when the copy began, as far as they did not change before they were copied.

    A row that is written here while the copy is taken is left for the next one: it comes with a clock from which on
    nothing may count as seen.
    """

    def __init__(self, VersionedTable table not None):
        self.table = table
        self.removals = table.rows.removals
        self.end = table.rows.clock

    cdef bint take(self, size_t* left) noexcept nogil:
        if self.is_whole:
            return True
        if self.removals != self.table.rows.removals:
            self.removals = self.table.rows.removals
            self.end = self.table.rows.clock
            self.next = self.count = self.packed.size = 0
            self.begun += 1
        while self.next < self.table.rows.size():
            if left[0] == 0 and self.begun <= TRIES:
                return False
            if self.table.rows.is_new(self.next, self.table.rows.seen) and not self.table.rows.is_own_since(
                self.next, self.end
            ):
                self.table.rows.pack_row(self.packed, self.next)
                self.count += 1
            self.next += 1
            left[0] -= left[0] > 0
        self.is_whole = True
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef VersionedTable other = (<TableCopy>theirs).table
        with nogil:  # long: all rows are looked at
            self.table.rows.carry_to(other.rows)
            if other.raw is not None:
                other.raw.store.adopt(self.table.raw.store)

    cdef size_t room(self) noexcept nogil:
        return self.packed.size

    cdef void pack(self, Buffer* out) noexcept nogil:
        pack_rows(self.count, &self.packed, out)


cdef void pack_rows(size_t count, const Buffer* rows, Buffer* out) noexcept nogil:
    """Write packed rows as a raw string that contains an array."""
    cdef Buffer head
    head.array(count)
    out.raw_head(head.size + rows.size)
    out.append(head.data, head.size)
    out.append(rows.data, rows.size)


cdef int open_rows(Cursor* c, bint is_wrapped, Cursor* rows, uint32_t* count) noexcept nogil:
    """Find the rows of a diff, or without a wrap those of a push, and how many they are.

    Of a diff, the cursor moves behind it. The rows must end where `rows` ends.
    """
    cdef Span raw
    cdef int status = 0
    rows[0] = c[0]
    if is_wrapped:
        status = read_raw(c[0], raw.p, raw.n)
        if status == 0:
            rows.at = <const unsigned char*>raw.p
            rows.end = rows.at + raw.n
    return status if status else read_array(rows[0], count[0])


cdef class TableChange(Change):
    """Rows of other servers.

    Args:
        table: the table.
        is_wrapped: whether they are packed as a raw string, as an element of a diff.
    """

    def __init__(self, VersionedTable table not None, bint is_wrapped):
        self.table = table
        self.is_wrapped = is_wrapped

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef Cursor rows
        cdef uint32_t n = 0
        cdef GivenRow row
        cdef int status = open_rows(c, self.is_wrapped, &rows, &n)
        while status == 0 and n:
            status = self.table.rows.read_row(rows, row, self.cells)
            self.given.push_back(row)
            n -= 1
        if not self.is_wrapped:
            c[0] = rows
        elif status == 0 and rows.at != rows.end:
            status = -1
        return status

    cdef bint prepare(self, size_t* left) noexcept nogil:
        cdef size_t words = self.table.rows.words_of_row()
        while left[0] and self.taken < self.given.size():
            self.table.receiving(&self.given[self.taken])
            self.table.rows.receive(self.given[self.taken], self.cells.data() + self.taken * words)
            self.taken += 1
            left[0] -= 1
        return self.taken == self.given.size()

    cdef void apply(self, Copy since) except *:
        cdef size_t all_rows = <size_t>-1
        with nogil:  # long: every row that is not prepared is put
            self.prepare(&all_rows)
            self.table.rows.see(self.given)
            self.table.received()


cdef class TableJoint(Joint):
    """The rows of several diffs, one after the other."""

    def __init__(self, VersionedTable table not None):
        self.table = table

    cdef int add(self, Cursor* c) noexcept nogil:
        cdef Cursor rows
        cdef uint32_t n = 0
        cdef int status = open_rows(c, True, &rows, &n)
        self.read.push_back(rows)
        self.counts.push_back(n)
        return status

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i, at
        self.count = 0
        for i in range(chosen.size()):
            at = chosen[0][i]
            self.sum.append(self.read[at].at, self.read[at].end - self.read[at].at)
            self.count += self.counts[at]
        return 0

    cdef size_t room(self) noexcept nogil:
        return self.sum.size

    cdef void pack(self, Buffer* out) noexcept nogil:
        pack_rows(self.count, &self.sum, out)
