"""The document statistics' part of a MIX: counts are added up, of equal user weights the last one holds.

A diff is [record, [version]]. The mixed diff goes into the master; what was counted after it was copied stays the diff.
"""

cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp
from libcpp.vector cimport vector

from jubatus._core.convert.statistics cimport Count, Counter, Statistics
from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, Span, close_struct, open_struct, read_double, read_map, read_raw, read_unsigned, read_version,
    skip,
)
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.kernels.order cimport Keyed, sort_by_key
from jubatus._core.kernels.table cimport NONE, NextIndex, prefetch
from jubatus._core.mix.part cimport Change, Copy, Joint

cdef enum:
    AHEAD = 8


@cython.final
cdef class CounterCopy:
    """The diff of a counter."""

    def __init__(self, Counter counter not None):
        self.counter = counter

    cdef void begin(self) noexcept nogil:
        self.names.size = 0
        self.counts.clear()
        self.taken = 0
        self.listed = self.counter.listed.size()
        self.counts.reserve(self.listed)

    cdef bint take(self, size_t* left) noexcept nogil:
        cdef CopiedCount copied
        cdef const char* name
        while left[0] and self.taken < self.listed:
            copied.row = self.counter.listed[self.taken]
            copied.value = self.counter.table.rows[copied.row].diff
            copied.name = self.names.size
            name = self.counter.table.name(copied.row, copied.size)
            self.names.append(name, copied.size)
            self.counts.push_back(copied)
            self.taken += 1
            left[0] -= 1
        return self.taken == self.listed

    cdef size_t room(self) noexcept nogil:
        return 6 + self.names.size + 14 * self.counts.size()

    cdef void pack(self, Buffer* out, bint wrapped) noexcept nogil:
        cdef size_t i
        if wrapped:
            out.array(1)
        out.map(self.counts.size())
        for i in range(self.counts.size()):
            out.raw(self.names.data + self.counts[i].name, self.counts[i].size)
            out.number(self.counts[i].value)

    cdef void subtract(self, bint adds) noexcept nogil:
        """Take what was copied out of the diff; what did not change since leaves it."""
        cdef size_t i, kept = 0
        cdef uint32_t at
        cdef Count* row
        for i in range(self.counts.size()):
            row = &self.counter.table.rows[self.counts[i].row]
            if memcmp(&row.diff, &self.counts[i].value, 8) == 0:
                row.diff, row.in_diff = 0.0, False
            elif adds:
                row.diff -= self.counts[i].value
        for i in range(self.counter.listed.size()):
            at = self.counter.listed[i]
            if self.counter.table.rows[at].in_diff:
                self.counter.listed[kept] = at
                kept += 1
        self.counter.listed.resize(kept)
        self.counter.diff_size = kept

    cdef void carry(self, Counter other) noexcept nogil:
        """Put the diff in the place of another counter's."""
        cdef uint32_t at, size = 0
        cdef const char* name
        cdef Count* row
        other.drop_diff()
        for at in self.counter.listed:
            name = self.counter.table.name(at, size)
            row = other.touch(self.counter.table.rows[at].id, name, size)
            other.add(row, self.counter.table.rows[at].diff)


@cython.final
cdef class StatisticsCopy(Copy):
    """The diff of document statistics."""

    def __init__(self, Statistics statistics not None):
        self.statistics = statistics
        self.documents = CounterCopy(statistics.documents)
        self.groups = CounterCopy(statistics.groups)
        self.lengths = CounterCopy(statistics.lengths)
        self.user = CounterCopy(statistics.user)

    cdef bint take(self, size_t* left) noexcept nogil:
        if self.is_whole:
            return True
        if self.era != self.statistics.era:
            self.era, self.version = self.statistics.era, self.statistics.version
            self.count = self.statistics.diff_documents
            self.documents.begin()
            self.groups.begin()
            self.lengths.begin()
            self.user.begin()
        self.is_whole = (
            self.documents.take(left) and self.groups.take(left) and self.lengths.take(left) and self.user.take(left)
        )
        return self.is_whole

    cdef size_t room(self) noexcept nogil:
        return 32 + self.documents.room() + self.groups.room() + self.lengths.room() + self.user.room()

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(2)
        out.array(5)
        out.uint(self.count)
        self.documents.pack(out, True)
        self.groups.pack(out, True)
        self.lengths.pack(out, True)
        self.user.pack(out, False)
        out.array(1)
        out.uint(self.version)

    cdef void subtract(self) noexcept nogil:
        if self.era != self.statistics.era:
            return
        self.statistics.diff_documents -= self.count
        self.documents.subtract(True)
        self.groups.subtract(True)
        self.lengths.subtract(True)
        self.user.subtract(False)

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef Statistics other = (<StatisticsCopy>theirs).statistics
        cdef StatisticsCopy copy = <StatisticsCopy>since
        with nogil:  # long: the whole diff is put on top of the other model
            if since is not None:
                copy.subtract()
            other.diff_documents = self.statistics.diff_documents
            self.documents.carry(other.documents)
            self.groups.carry(other.groups)
            self.lengths.carry(other.lengths)
            self.user.carry(other.user)


@cython.final
cdef class CounterChange:
    """The mixed diff of a counter."""

    def __init__(self, Counter counter not None):
        self.counter = counter

    cdef int unpack(self, Cursor* c, bint wrapped) noexcept nogil:
        cdef uint32_t n = 0, more = 0
        cdef Span name
        cdef double value = 0
        cdef int status = 0
        if wrapped:
            status = open_struct(c[0], 1, more)
        if status == 0:
            status = read_map(c[0], n)
        while status == 0 and n:
            status = read_raw(c[0], name.p, name.n)
            if status == 0:
                status = read_double(c[0], value)
            if status == 0:
                self.names.push_back(name)
                self.ids.push_back(name_id(name.p, name.n))
                self.values.push_back(value)
            n -= 1
        return status if status else close_struct(c[0], more)

    cdef void begin(self) noexcept nogil:
        self.found.clear()
        self.found.reserve(self.ids.size())
        self.missing.clear()
        self.index.clear()
        self.looked_up = self.made = 0
        self.has_room = self.is_sorted = False

    cdef bint prepare(self, size_t* left) noexcept nogil:
        """Find the rows; new ones are in no part yet and read as 0."""
        cdef vector[Keyed] spare
        cdef size_t i
        self.look_up(left)
        if self.looked_up < self.ids.size() or not self.make_rows(left):
            return False
        if not self.is_sorted:
            sort_by_key(self.found, spare)
            self.sorted_values.resize(self.found.size())
            for i in range(self.found.size()):
                self.sorted_values[i] = self.values[self.found[i].at]
            self.is_sorted = True
        return True

    cdef void look_up(self, size_t* left) noexcept nogil:
        cdef Keyed item
        cdef size_t i = self.looked_up, n = self.ids.size()
        cdef const Count* guess
        while left[0] and i < n:
            if i + 2 * AHEAD < n:
                self.counter.table.prefetch(self.ids[i + 2 * AHEAD])
            if i + AHEAD < n:
                guess = self.counter.table.guess(self.ids[i + AHEAD])
                if guess != NULL:
                    prefetch(guess)
            item.key = self.counter.table.find(self.ids[i])
            item.at, item.size = i, 0
            if item.key == NONE:
                self.missing.push_back(i)
            else:
                self.found.push_back(item)
            i += 1
            left[0] -= 1
        self.looked_up = i

    cdef bint make_rows(self, size_t* left) noexcept nogil:
        """Make rows for new names; whether all are made. The table's index grows beforehand."""
        cdef Keyed item
        cdef size_t n = self.missing.size()
        if n and not self.has_room:
            self.has_room = self.counter.table.make_room(n, self.index, left[0])
        while self.has_room and left[0] and self.made < n:
            if self.made + 2 * AHEAD < n:
                self.counter.table.prefetch(self.ids[self.missing[self.made + 2 * AHEAD]])
            item.at, item.size = self.missing[self.made], 0
            item.key = self.counter.touch(
                self.ids[item.at], self.names[item.at].p, self.names[item.at].n
            ) - self.counter.table.rows
            self.found.push_back(item)
            self.made += 1
            left[0] -= 1
        return self.made == n

    cdef void apply(self, bint adds) noexcept nogil:
        """Add to the master, or take its place."""
        cdef size_t i, n = self.found.size()
        cdef Count* row
        for i in range(n):
            if i + 1 < n and self.found[i + 1].key == self.found[i].key:
                continue  # of equal names the last one holds
            row = &self.counter.table.rows[self.found[i].key]
            self.counter.set_master(row, (row.master if adds else 0.0) + self.sorted_values[i])


@cython.final
cdef class StatisticsChange(Change):
    """Mixed document statistics."""

    def __init__(self, Statistics statistics not None):
        self.statistics = statistics
        self.documents = CounterChange(statistics.documents)
        self.groups = CounterChange(statistics.groups)
        self.lengths = CounterChange(statistics.lengths)
        self.user = CounterChange(statistics.user)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0, fields = 0
        cdef int status = open_struct(c[0], 2, more)
        if status == 0:
            status = open_struct(c[0], 5, fields)
        if status == 0:
            status = read_unsigned(c[0], self.count)
        if status == 0:
            status = self.documents.unpack(c, True)
        if status == 0:
            status = self.groups.unpack(c, True)
        if status == 0:
            status = self.lengths.unpack(c, True)
        if status == 0:
            status = self.user.unpack(c, False)
        if status == 0:
            status = close_struct(c[0], fields)
        if status == 0:
            status = read_version(c[0], self.version)
        return status if status else close_struct(c[0], more)

    cdef bint fits(self) noexcept nogil:
        return self.version == self.statistics.version

    cdef bint prepare(self, size_t* left) noexcept nogil:
        if self.layout != self.statistics.layout:
            self.layout = self.statistics.layout
            self.documents.begin()
            self.groups.begin()
            self.lengths.begin()
            self.user.begin()
        return (
            self.documents.prepare(left)
            and self.groups.prepare(left)
            and self.lengths.prepare(left)
            and self.user.prepare(left)
        )

    cdef void apply(self, Copy since) except *:
        cdef StatisticsCopy copy = <StatisticsCopy>since
        cdef size_t all_rows = <size_t>-1
        with nogil:  # long: every count is added
            self.prepare(&all_rows)  # which has nothing left to do if it was done and nothing moved
            if since is not None:
                copy.subtract()
            self.statistics.master_documents += self.count
            self.documents.apply(True)
            self.groups.apply(True)
            self.lengths.apply(True)
            self.user.apply(False)
            self.statistics.version += 1
            self.statistics.era += 1


@cython.final
cdef class StatisticsJoint(Joint):
    """Sums of document statistics."""

    def __cinit__(self):
        self.sum = Statistics()

    cdef int add(self, Cursor* c) noexcept nogil:
        cdef const unsigned char* start = c.at
        cdef uint32_t more = 0
        cdef uint64_t version = 0
        cdef Cursor record
        cdef int status = open_struct(c[0], 2, more)
        record = c[0]  # read when it is known whether it counts
        if status == 0:
            status = skip(c[0])
        if status == 0:
            status = read_version(c[0], version)
        if status == 0:
            status = close_struct(c[0], more)
        if status:
            return status
        self.records.push_back(record)
        self.versions.push_back(version)
        self.size += c.at - start
        return 0

    cdef uint64_t version(self, size_t i) noexcept nogil:
        return self.versions[i]

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i, k = 0
        cdef bint counts
        cdef int status = 0
        for i in range(self.records.size()):
            counts = k < chosen.size() and chosen[0][k] == i
            if status == 0:
                status = add_record(self.sum, &self.records[i], counts)
            if counts:
                self.sum.version = self.versions[i]
                k += 1
        return status

    cdef size_t room(self) noexcept nogil:
        return 32 + self.size

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.sum.pack_diff(out)


cdef int add_record(Statistics to, Cursor* c, bint counts) noexcept nogil:
    """Add a packed diff record if it counts; read it in any case."""
    cdef uint32_t more = 0
    cdef uint64_t documents = 0
    cdef int status = open_struct(c[0], 5, more)
    if status == 0:
        status = read_unsigned(c[0], documents)
    if status == 0:
        to.diff_documents += documents if counts else 0
        status = add_counts(to.documents, c, True, True, counts)
    if status == 0:
        status = add_counts(to.groups, c, True, True, counts)
    if status == 0:
        status = add_counts(to.lengths, c, True, True, counts)
    if status == 0:
        status = add_counts(to.user, c, False, False, counts)
    return status if status else close_struct(c[0], more)


cdef int add_counts(Counter to, Cursor* c, bint wrapped, bint adds, bint counts) noexcept nogil:
    """Add packed counts to a diff, or put them in the place of its own; if they count."""
    cdef uint32_t n = 0, size = 0, more = 0
    cdef double value = 0
    cdef const char* name = NULL
    cdef Count* row
    cdef NextIndex index
    cdef size_t all_rows = <size_t>-1
    cdef int status = 0
    if wrapped:
        status = open_struct(c[0], 1, more)
    if status == 0:
        status = read_map(c[0], n)
    if status == 0 and counts:
        # Names of several diffs are mostly the same. A count has ten bytes or more: a wrong number costs no memory.
        to.table.make_room(max(min(n, <size_t>(c.end - c.at) // 10), to.table.size) - to.table.size, index, all_rows)
    while status == 0 and n:
        status = read_raw(c[0], name, size)
        if status == 0:
            status = read_double(c[0], value)
        if status == 0 and counts:
            row = to.touch(name_id(name, size), name, size)
            if not adds:
                row.diff = 0.0
            to.add(row, value)
        n -= 1
    return status if status else close_struct(c[0], more)
