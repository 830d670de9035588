"""A part that maps names to numbers, such as document statistics and label counts.

Each number exists twice: what was added since the last MIX (diff), and what all servers agreed on (master). A MIX adds
the diffs of all servers, or takes the last one, and adds the result to each master.
"""

cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, Span, close_struct, open_struct, read_double, read_map, read_raw, read_unsigned, read_version,
    skip,
)
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.kernels.order cimport Keyed, NameOrder, sort_by_key
from jubatus._core.kernels.table cimport NONE, NextIndex, prefetch
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart, Part

cdef enum:
    AHEAD = 8
    TRIES = 3   # times that a copy or a preparation may start again before it is done in one go
    SPARE = 64  # erased rows that are kept in any case


cdef struct NamedRow:
    const char* name
    uint32_t size
    uint32_t at


@cython.final
cdef class Map(MixedPart):
    """A map from names to numbers.

    An erased name keeps its row until most rows are erased, so that to erase one takes constant time on average. If
    it comes again it uses the same row, with another birth: what was copied before does not concern the new one.

    Args:
        integers: whether numbers are unsigned 64-bit integers; otherwise they are doubles.
        by_name: whether names are packed in ascending order; otherwise in the order in which they came first.
        sums: whether a MIX adds numbers; otherwise the last one replaces all before.
        wrapped: whether the packed map of one part stands alone in an array.
    """

    def __init__(self, *, bint integers=False, bint by_name=False, bint sums=True, bint wrapped=False):
        self.integers = integers
        self.by_name = by_name
        self.sums = sums
        self.wrapped = wrapped
        self.era = self.layout = 1
        self.table.names.whole = by_name  # whole names are sorted as they stand

    cdef uint32_t touch(self, uint64_t id, const char* name, uint32_t size) noexcept nogil:
        """Return the row of a name. A new row is in no part yet."""
        cdef uint32_t at = self.table.find(id)
        if at == NONE:
            at = self.table.insert(id, name, size)
            self.table.rows[at].birth = self.erasures
        return at

    cdef uint32_t touch_like(self, Map other, uint32_t at) noexcept nogil:
        """Return the row of the name that a row of another map has."""
        cdef uint32_t to = self.table.find(other.table.rows[at].id)
        if to == NONE:
            to = self.table.insert(other.table.rows[at].id, other.table.name(at))
            self.table.rows[to].birth = self.erasures
        return to

    cdef bint knows(self, const string& name) noexcept nogil:
        cdef uint32_t at = self.table.find(name_id(name.data(), name.size()))
        return at != NONE and self.table.rows[at].flags & (IN_DIFF | IN_MASTER) != 0

    cdef void increment(self, const string& name, uint64_t by) noexcept nogil:
        """Add an integer to the diff of a name. With 0 the name becomes known."""
        cdef uint32_t at = self.touch(name_id(name.data(), name.size()), name.data(), name.size())
        self.table.rows[at].diff.integer += by
        if not self.table.rows[at].flags & IN_DIFF:
            self.enter(at, IN_DIFF)

    cdef bint erase(self, const string& name) noexcept nogil:
        """Forget a name. Return whether it was known."""
        cdef uint32_t at
        cdef MapRow* row
        if not self.knows(name):
            return False
        at = self.table.find(name_id(name.data(), name.size()))
        row = &self.table.rows[at]
        self.diff_size -= row.flags & IN_DIFF != 0
        self.master_size -= row.flags & IN_MASTER != 0
        self.size -= 1
        self.erasures += 1
        row.birth = self.erasures
        row.diff.integer = row.master.integer = 0
        row.flags &= LISTED
        if self.table.size - self.size > self.size + SPARE:
            self.drop_erased_rows()
        return True

    cdef void enter(self, uint32_t at, uint32_t flag) noexcept nogil:
        """Note that a row came into the diff or into the master, where it was not before."""
        cdef MapRow* row = &self.table.rows[at]
        if not row.flags & (IN_DIFF | IN_MASTER):
            self.size += 1
        row.flags |= flag
        if flag == IN_MASTER:
            self.master_size += 1
            return
        self.diff_size += 1
        if not row.flags & LISTED:
            row.flags |= LISTED
            self.listed.push_back(at)

    cdef void leave_diff(self, uint32_t at) noexcept nogil:
        """Take a row out of the diff; trim_listed must follow."""
        cdef MapRow* row = &self.table.rows[at]
        row.diff.integer = 0
        row.flags &= ~<uint32_t>IN_DIFF
        self.diff_size -= 1
        if not row.flags & IN_MASTER:
            self.size -= 1

    cdef void withdraw(self, uint32_t at) noexcept nogil:
        """Take a row out of the diff again. Rows that came into it in turn are withdrawn in the opposite order."""
        if self.table.rows[at].flags & IN_DIFF:
            self.leave_diff(at)
        if not self.listed.empty() and self.listed.back() == at:
            self.listed.pop_back()
            self.table.rows[at].flags &= ~<uint32_t>LISTED
        if self.table.size - self.size > self.size + SPARE:
            self.drop_erased_rows()

    cdef void trim_listed(self) noexcept nogil:
        """Take rows that left the diff out of the list."""
        cdef size_t i, kept = 0
        cdef uint32_t at
        for i in range(self.listed.size()):
            at = self.listed[i]
            if self.table.rows[at].flags & IN_DIFF:
                self.listed[kept] = at
                kept += 1
            else:
                self.table.rows[at].flags &= ~<uint32_t>LISTED
        self.listed.resize(kept)

    cdef void drop_erased_rows(self) noexcept nogil:
        cdef vector[uint32_t] moved
        cdef uint32_t i, kept = 0
        cdef size_t k
        self.trim_listed()
        moved.resize(self.table.size)
        for i in range(self.table.size):
            moved[i] = kept
            kept += not is_erased(self.table.rows[i])
        for k in range(self.listed.size()):
            self.listed[k] = moved[self.listed[k]]
        self.table.erase_if(is_erased)
        self.layout += 1

    cdef void drop_diff(self) noexcept nogil:
        """Forget what was added since the last MIX, and names that only the diff has."""
        cdef uint32_t at
        for at in self.listed:
            if self.table.rows[at].flags & IN_DIFF:
                self.leave_diff(at)
        self.trim_listed()

    cdef void clear(self) noexcept nogil:
        self.table.clear()
        self.listed.clear()
        self.diff_size = self.master_size = self.size = 0
        self.era += 1
        self.layout += 1

    cdef void swap(self, Part other) noexcept:
        cdef Map map = <Map>other
        self.table.swap(map.table)
        self.listed.swap(map.listed)
        self.diff_size, map.diff_size = map.diff_size, self.diff_size
        self.master_size, map.master_size = map.master_size, self.master_size
        self.size, map.size = map.size, self.size
        self.erasures, map.erasures = map.erasures, self.erasures
        self.version, map.version = map.version, self.version
        self.era += 1
        self.layout += 1

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(3)
        self.pack_numbers(out, IN_MASTER)
        self.pack_numbers(out, IN_DIFF)
        out.array(1)
        out.uint(self.version)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t more = 0
        cdef int status = open_struct(c[0], 3, more)
        if status == 0:
            status = self.unpack_numbers(c, IN_MASTER, False)
        if status == 0:
            status = self.unpack_numbers(c, IN_DIFF, False)
        if status == 0:
            status = read_version(c[0], self.version)
        return status if status else close_struct(c[0], more)

    cdef void pack_numbers(self, Buffer* out, uint32_t part) noexcept nogil:
        """Write the names and numbers of one part, or with both flags their sums, as a map."""
        cdef NameOrder[NamedRow] order
        cdef vector[NamedRow] rows
        cdef NamedRow row
        cdef Span name
        cdef size_t k
        cdef uint32_t i
        if self.wrapped:
            out.array(1)
        out.map(self.diff_size if part == IN_DIFF else self.master_size if part == IN_MASTER else self.size)
        for i in range(self.table.size):
            if not self.table.rows[i].flags & part:
                continue
            if not self.by_name:
                self.pack_row(out, i, part)
                continue
            name = self.table.name(i).token
            row.name, row.size, row.at = name.p, name.n, i
            rows.push_back(row)
        order.sort(rows.data(), rows.size())
        for k in range(rows.size()):
            self.pack_row(out, rows[order.items[k].at].at, part)

    cdef void pack_row(self, Buffer* out, uint32_t at, uint32_t part) noexcept nogil:
        cdef const MapRow* row = &self.table.rows[at]
        cdef Number number = row.diff if part == IN_DIFF else row.master
        if part == IN_DIFF | IN_MASTER:
            number = sum_of(self.integers, row.diff, row.master)
        self.table.name(at).write(out[0])
        self.pack_number(out, number)

    cdef void pack_number(self, Buffer* out, Number number) noexcept nogil:
        if self.integers:
            out.uint(number.integer)
        else:
            out.number(number.real)

    cdef int unpack_numbers(self, Cursor* c, uint32_t part, bint adds) noexcept nogil:
        """Read the packed map of one part; with 0 for the part only check it.

        Args:
            adds: whether numbers are added to those that are there; otherwise the last one of a name holds.
        """
        cdef uint32_t n = 0, size = 0, more = 0, at
        cdef size_t all_rows = <size_t>-1
        cdef Number number
        cdef MapRow* row
        cdef const char* name = NULL
        cdef NextIndex index
        cdef int status = 0
        if self.wrapped:
            status = open_struct(c[0], 1, more)
        if status == 0:
            status = read_map(c[0], n)
        if status == 0 and adds and part:
            # Most names of several diffs are the same. The bytes that follow limit what a wrong count can cost.
            at = min(n, <size_t>(c.end - c.at) // (2 if self.integers else 10))
            self.table.make_room(max(at, self.table.size) - self.table.size, index, all_rows)
        while status == 0 and n:
            status = read_raw(c[0], name, size)
            if status == 0:
                status = read_number(self.integers, c, &number)
            if status == 0 and part:
                at = self.touch(name_id(name, size), name, size)
                row = &self.table.rows[at]
                if part == IN_MASTER:
                    row.master = number
                elif adds:
                    row.diff = sum_of(self.integers, row.diff, number)
                else:
                    row.diff = number
                if not row.flags & part:
                    self.enter(at, part)
            n -= 1
        return status if status else close_struct(c[0], more)

    cdef uint64_t current_version(self) noexcept nogil:
        return self.version

    cdef Copy copy(self):
        return MapCopy(self)

    cdef Change change(self):
        return MapChange(self)

    cdef Joint joint(self):
        return MapJoint(self)


cdef inline int read_number(bint integers, Cursor* c, Number* number) noexcept nogil:
    return read_unsigned(c[0], number.integer) if integers else read_double(c[0], number.real)


cdef bint is_erased(MapRow& row) noexcept nogil:
    return not row.flags & (IN_DIFF | IN_MASTER)


cdef inline Number sum_of(bint integers, Number a, Number b) noexcept nogil:
    cdef Number sum
    if integers:
        sum.integer = a.integer + b.integer
    else:
        sum.real = a.real + b.real
    return sum


@cython.final
cdef class MapCopy(Copy):
    """The diff of a map at the time when it was copied."""

    def __init__(self, Map map not None):
        self.map = map

    cdef void begin(self) noexcept nogil:
        self.begun += 1
        self.era, self.layout = self.map.era, self.map.layout
        self.names.clear()
        self.names.whole = self.map.by_name
        self.numbers.clear()
        self.taken = 0
        self.listed = self.map.listed.size()
        self.numbers.reserve(self.listed)

    cdef bint take(self, size_t* left) noexcept nogil:
        cdef CopiedNumber copied
        cdef const MapRow* row
        cdef size_t end
        if self.is_whole:
            return True
        if self.era != self.map.era or self.layout != self.map.layout:
            self.begin()
        end = self.listed if self.begun > TRIES else min(self.listed, self.taken + left[0])
        left[0] -= min(left[0], end - self.taken)
        while self.taken < end:
            copied.row = self.map.listed[self.taken]
            row = &self.map.table.rows[copied.row]
            if row.flags & IN_DIFF:
                copied.id, copied.value, copied.birth = row.id, row.diff, row.birth
                copied.name = self.names.copy(self.map.table.names, row.name)
                self.numbers.push_back(copied)
            self.taken += 1
        self.is_whole = self.taken == self.listed
        return self.is_whole

    cdef size_t room(self) noexcept nogil:
        return 6 + self.names.size + 14 * self.numbers.size()

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef Span name
        cdef NameOrder[NamedRow] order
        cdef vector[NamedRow] rows
        cdef NamedRow row
        cdef size_t i
        if self.map.wrapped:
            out.array(1)
        out.map(self.numbers.size())
        for i in range(self.numbers.size()):
            if self.map.by_name:
                name = self.names.pieces(self.numbers[i].name).token
                row.name, row.size, row.at = name.p, name.n, i
                rows.push_back(row)
            else:
                self.pack_copied(out, i)
        order.sort(rows.data(), rows.size())
        for i in range(rows.size()):
            self.pack_copied(out, rows[order.items[i].at].at)

    cdef void pack_copied(self, Buffer* out, size_t i) noexcept nogil:
        self.names.pieces(self.numbers[i].name).write(out[0])
        self.map.pack_number(out, self.numbers[i].value)

    cdef void subtract(self) noexcept nogil:
        """Subtract what was copied from the diff. What did not change since leaves the diff.

        Nothing happens if the diff is another one by now.
        """
        cdef const CopiedNumber* copied
        cdef MapRow* row
        cdef size_t i
        cdef uint32_t at
        if self.era != self.map.era:
            return
        for i in range(self.numbers.size()):
            copied = &self.numbers[i]
            at = copied.row
            if self.layout != self.map.layout:
                at = self.map.table.find(copied.id)
                if at == NONE:
                    continue
            row = &self.map.table.rows[at]
            if not row.flags & IN_DIFF or row.birth != copied.birth:
                continue
            if row.diff.integer == copied.value.integer:  # the same bits
                self.map.leave_diff(at)
            elif self.map.sums and self.map.integers:
                row.diff.integer -= copied.value.integer
            elif self.map.sums:
                row.diff.real -= copied.value.real
        self.map.trim_listed()

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef Map other = (<MapCopy>theirs).map
        cdef MapCopy copy = <MapCopy>since
        with nogil:  # long: the whole diff is put on top of the other map
            if since is not None:
                copy.subtract()
            other.drop_diff()
            carry_numbers(self.map, other)


cdef void carry_numbers(Map map, Map other) noexcept nogil:
    """Add the diff of a map to that of another one."""
    cdef uint32_t at, to
    for at in map.listed:
        if not map.table.rows[at].flags & IN_DIFF:
            continue
        to = other.touch_like(map, at)
        other.table.rows[to].diff = sum_of(map.integers, other.table.rows[to].diff, map.table.rows[at].diff)
        if not other.table.rows[to].flags & IN_DIFF:
            other.enter(to, IN_DIFF)


@cython.final
cdef class MapChange(Change):
    """A mixed diff of a map. It has no version: that of the model's other parts decides."""

    def __init__(self, Map map not None):
        self.map = map

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef uint32_t n = 0, more = 0
        cdef Span name
        cdef Number number
        cdef int status = 0
        if self.map.wrapped:
            status = open_struct(c[0], 1, more)
        if status == 0:
            status = read_map(c[0], n)
        while status == 0 and n:
            status = read_raw(c[0], name.p, name.n)
            if status == 0:
                status = read_number(self.map.integers, c, &number)
            if status == 0:
                self.names.push_back(name)
                self.ids.push_back(name_id(name.p, name.n))
                self.values.push_back(number)
            n -= 1
        return status if status else close_struct(c[0], more)

    cdef void begin(self) noexcept nogil:
        self.begun += 1
        self.layout = self.map.layout
        self.found.clear()
        self.found.reserve(self.ids.size())
        self.missing.clear()
        self.index.clear()
        self.looked_up = self.made = 0
        self.has_room = self.is_sorted = False

    cdef bint prepare(self, size_t* left) noexcept nogil:
        """Find the rows of all names, and make those that are missing."""
        cdef vector[Keyed] spare
        cdef size_t i, all_rows = <size_t>-1
        if self.layout != self.map.layout:
            self.begin()
        if self.begun > TRIES:
            left = &all_rows
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
        cdef const MapRow* guess
        while left[0] and i < n:
            if i + 2 * AHEAD < n:
                self.map.table.prefetch(self.ids[i + 2 * AHEAD])
            if i + AHEAD < n:
                guess = self.map.table.guess(self.ids[i + AHEAD])
                if guess != NULL:
                    prefetch(guess)
            item.key = self.map.table.find(self.ids[i])
            item.at, item.size = i, 0
            if item.key == NONE:
                self.missing.push_back(i)
            else:
                self.found.push_back(item)
            i += 1
            left[0] -= 1
        self.looked_up = i

    cdef bint make_rows(self, size_t* left) noexcept nogil:
        """Make rows for new names, after the table's index has room for all of them. Return whether all are made."""
        cdef Keyed item
        cdef size_t n = self.missing.size()
        if n and not self.has_room:
            self.has_room = self.map.table.make_room(n, self.index, left[0])
        while self.has_room and left[0] and self.made < n:
            if self.made + 2 * AHEAD < n:
                self.map.table.prefetch(self.ids[self.missing[self.made + 2 * AHEAD]])
            item.at, item.size = self.missing[self.made], 0
            item.key = self.map.touch(self.ids[item.at], self.names[item.at].p, self.names[item.at].n)
            self.found.push_back(item)
            self.made += 1
            left[0] -= 1
        return self.made == n

    cdef void apply(self, Copy since) except *:
        cdef MapCopy copy = <MapCopy>since
        cdef size_t all_rows = <size_t>-1
        with nogil:  # long: every number is added
            self.prepare(&all_rows)  # does nothing if all is prepared and no row moved since
            if since is not None:
                copy.subtract()
            add_found(self)
            self.map.version += 1
            self.map.era += 1


cdef void add_found(MapChange change) noexcept nogil:
    """Add the mixed numbers to the master, or replace it."""
    cdef size_t i, n = change.found.size()
    cdef uint32_t at
    cdef MapRow* row
    for i in range(n):
        if i + 1 < n and change.found[i + 1].key == change.found[i].key:
            continue  # of equal names the last one holds
        at = change.found[i].key
        row = &change.map.table.rows[at]
        if not change.map.sums:
            row.master.integer = 0
        row.master = sum_of(change.map.integers, row.master, change.sorted_values[i])
        if not row.flags & IN_MASTER:
            change.map.enter(at, IN_MASTER)


@cython.final
cdef class MapJoint(Joint):
    """The sum of diffs of a map, or the last number of each name."""

    def __init__(self, Map map not None):
        self.sum = Map(integers=map.integers, by_name=map.by_name, sums=map.sums, wrapped=map.wrapped)

    cdef int add(self, Cursor* c) noexcept nogil:
        self.read.push_back(c[0])
        return skip(c[0])

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i, k = 0
        cdef bint is_chosen
        cdef int status = 0
        for i in range(self.read.size()):
            is_chosen = k < chosen.size() and chosen[0][k] == i
            k += is_chosen
            if status == 0:
                status = self.sum.unpack_numbers(&self.read[i], IN_DIFF if is_chosen else 0, self.sum.sums)
        return status

    cdef size_t room(self) noexcept nogil:
        return 6 + self.sum.table.names.size + 14 * self.sum.diff_size

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.sum.pack_numbers(out, IN_DIFF)
