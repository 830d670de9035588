"""Labels of a linear model: their numbers, their order, and how often each was trained.

The order of labels is visible in replies and decides ties, so it must be that of the original. The original has two
hash maps: one from numbers to names, and one keyed by name that is filled by iterating over the first. The iteration
order of the second is the result order.
"""

cimport cython
from cython.operator cimport dereference, preincrement
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.map cimport map as ordered_map
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, close_struct, open_struct, read_map, read_raw, read_unsigned, read_version, skip,
)
from jubatus._core.kernels.chains cimport PRIMES
from jubatus._core.kernels.hash cimport fnv1a
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Change, Copy, Joint

ctypedef ordered_map[string, LabelCount].iterator CountAt


@cython.final
cdef class Labels:
    """Labels in slots 0, 1, 2, ... that are used again after a removal, with the numbers that model files know them by.

    Attributes (C level):
        by_id: the order of the map keyed by number.
        by_name: the order of the map keyed by name, which is the result order.
        order: the slots in result order when it was listed last. Labels added since are missing: it is up to date if it
            is as long as `slots`. Read it by arrange and in_order.
    """

    cdef uint32_t find(self, const string& name) noexcept nogil:
        cdef unordered_map[string, uint32_t].iterator found = self.slots.find(name)
        return NONE if found == self.slots.end() else dereference(found).second

    cdef uint32_t add(self, const string& name) noexcept nogil:
        """Return the label's slot; a label that is not there gets the next number.

        Takes constant time on average. Only where labels were removed before, each of which takes linear time, a new
        one may take linear time as well.
        """
        cdef uint32_t slot = self.find(name)
        cdef bint is_last = self.next_id <= PRIMES[self.by_id.step]
        if slot != NONE:
            return slot
        self.insert(name, self.next_id)
        slot = dereference(self.slots.find(name)).second
        self.next_id += 1
        # While all numbers are below the bucket count, the map keyed by number iterates in ascending order: the new
        # label comes last. It must have been so before as well, or growing has changed the order of the others.
        if is_last and self.next_id <= PRIMES[self.by_id.step]:
            self.by_name.insert(slot, fnv1a(name.data(), name.size()))
        else:
            self.rebuild()
        return slot

    cdef void insert(self, const string& name, uint64_t id) noexcept nogil:
        """Add a label with its number to all but by_name; the caller adds it there or calls rebuild."""
        cdef uint32_t slot
        cdef unordered_map[string, uint32_t].iterator found = self.reserved.find(name)
        if found == self.reserved.end():
            slot = self.free_slot()
        else:
            slot = dereference(found).second
            self.reserved.erase(found)
        self.names[slot] = name
        self.ids[slot] = id
        self.slots[name] = slot
        self.by_id.insert(slot, id)

    cdef uint32_t reserve(self, const string& name) noexcept nogil:
        """Return the label's slot. Keep a free slot for an unknown label, which gets it when it is added."""
        cdef unordered_map[string, uint32_t].iterator found
        cdef uint32_t slot = self.find(name)
        if slot != NONE:
            return slot
        found = self.reserved.find(name)
        if found != self.reserved.end():
            return dereference(found).second
        slot = self.free_slot()
        self.reserved[name] = slot
        return slot

    cdef uint32_t free_slot(self) noexcept nogil:
        cdef uint32_t slot
        if self.idle.empty():
            slot = self.names.size()
            self.names.resize(slot + 1)
            self.ids.resize(slot + 1)
        else:
            slot = self.idle.back()
            self.idle.pop_back()
        return slot

    cdef void remove(self, uint32_t slot) noexcept nogil:
        self.by_id.erase(slot)
        self.slots.erase(self.names[slot])
        self.names[slot].clear()
        self.idle.push_back(slot)
        self.rebuild()

    cdef void rebuild(self) noexcept nogil:
        """Fill the map keyed by name again, in the order of the map keyed by number, and list its order."""
        cdef vector[int32_t] numbered
        cdef int32_t slot
        numbered.resize(self.slots.size())
        self.by_id.order(numbered.data())
        self.by_name.clear()
        for slot in numbered:
            self.by_name.insert(slot, fnv1a(self.names[slot].data(), self.names[slot].size()))
        self.list_order(&self.order)

    cdef void list_order(self, vector[int32_t]* out) noexcept nogil:
        """Write the slots in result order."""
        out.resize(self.slots.size())
        self.by_name.order(out.data())

    cdef vector[int32_t]* arrange(self) noexcept nogil:
        """Return the slots in result order. Callers need the model for themselves: the order is kept."""
        if self.order.size() != self.slots.size():
            self.list_order(&self.order)
        return &self.order

    cdef vector[int32_t]* in_order(self, vector[int32_t]* spare) noexcept nogil:
        """Return the slots in result order. Changes nothing but `spare`, which may be where the order is returned."""
        if self.order.size() == self.slots.size():
            return &self.order
        self.list_order(spare)
        return spare

    cdef void clear(self) noexcept nogil:
        self.slots.clear()
        self.reserved.clear()
        self.names.clear()
        self.ids.clear()
        self.idle.clear()
        self.order.clear()
        self.by_id.clear()
        self.by_name.clear()
        self.next_id = 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef vector[int32_t] numbered
        cdef int32_t slot
        numbered.resize(self.slots.size())
        self.by_id.order(numbered.data())
        out.array(3)
        out.map(numbered.size())
        for slot in numbered:
            out.raw(self.names[slot].data(), self.names[slot].size())
            out.uint(self.ids[slot])
        out.map(numbered.size())
        for slot in numbered:
            out.uint(self.ids[slot])
            out.raw(self.names[slot].data(), self.names[slot].size())
        out.uint(self.next_id)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read packed labels; there must be none before."""
        cdef uint32_t more = 0, n = 0, size = 0
        cdef uint64_t id = 0
        cdef const char* p = NULL
        cdef string name
        cdef int status = open_struct(c[0], 3, more)
        if status == 0:
            status = skip(c[0])  # the map from names to numbers: the map from numbers to names holds the same
        if status == 0:
            status = read_map(c[0], n)
        while status == 0 and n:
            status = read_unsigned(c[0], id)
            if status == 0:
                status = read_raw(c[0], p, size)
            if status == 0:
                name.assign(p, size)
                if self.find(name) == NONE:
                    self.insert(name, id)
            n -= 1
        if status == 0:
            status = read_unsigned(c[0], self.next_id)
        self.rebuild()
        return status if status else close_struct(c[0], more)

    cdef void swap(self, Labels other) noexcept nogil:
        self.slots.swap(other.slots)
        self.reserved.swap(other.reserved)
        self.names.swap(other.names)
        self.ids.swap(other.ids)
        self.idle.swap(other.idle)
        self.order.swap(other.order)
        self.by_id, other.by_id = other.by_id, self.by_id
        self.by_name, other.by_name = other.by_name, self.by_name
        self.next_id, other.next_id = other.next_id, self.next_id


@cython.final
cdef class LabelCounts:
    """How often each label was trained, in two parts: since the last MIX (diff), and before (master)."""

    cdef LabelCount* touch(self, const string& name) noexcept nogil:
        """The label's count, made if it is not there."""
        cdef LabelCount* count = &self.counts[name]
        if count.birth == 0:
            self.births += 1
            count.birth = self.births
        return count

    cdef void increment(self, const string& name, uint64_t by) noexcept nogil:
        """Add to a label's count; by 0 makes it known."""
        cdef LabelCount* count = self.touch(name)
        count.diff += by
        count.in_diff = True

    cdef bint erase(self, const string& name) noexcept nogil:
        return self.counts.erase(name) > 0

    cdef void clear(self) noexcept nogil:
        """Forget all labels; the version stays."""
        self.counts.clear()
        self.era += 1

    cdef void pack_labels(self, Buffer* out) noexcept nogil:
        """The reply of get_labels."""
        cdef CountAt at = self.counts.begin()
        out.map(self.counts.size())
        while at != self.counts.end():
            out.raw(dereference(at).first.data(), dereference(at).first.size())
            out.uint(dereference(at).second.diff + dereference(at).second.master)
            preincrement(at)

    cdef void pack(self, Buffer* out) noexcept nogil:
        out.array(3)
        self.pack_part(out, True)
        self.pack_part(out, False)
        out.array(1)
        out.uint(self.version)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        """Read into one that has nothing in it."""
        cdef uint32_t more = 0
        cdef int status = open_struct(c[0], 3, more)
        if status == 0:
            status = self.unpack_part(c, True)
        if status == 0:
            status = self.unpack_part(c, False)
        if status == 0:
            status = read_version(c[0], self.version)
        return status if status else close_struct(c[0], more)

    cdef void pack_part(self, Buffer* out, bint master) noexcept nogil:
        cdef CountAt at = self.counts.begin()
        cdef LabelCount* count
        cdef uint32_t n = 0
        while at != self.counts.end():
            n += dereference(at).second.in_master if master else dereference(at).second.in_diff
            preincrement(at)
        out.map(n)
        at = self.counts.begin()
        while at != self.counts.end():
            count = &dereference(at).second
            if count.in_master if master else count.in_diff:
                out.raw(dereference(at).first.data(), dereference(at).first.size())
                out.uint(count.master if master else count.diff)
            preincrement(at)

    cdef int unpack_part(self, Cursor* c, bint master) noexcept nogil:
        cdef uint32_t n = 0, size = 0
        cdef const char* p = NULL
        cdef uint64_t value = 0
        cdef string name
        cdef LabelCount* count
        cdef int status = read_map(c[0], n)
        while status == 0 and n:
            status = read_raw(c[0], p, size)
            if status == 0:
                status = read_unsigned(c[0], value)
            if status == 0:
                name.assign(p, size)
                count = self.touch(name)
                if master:
                    count.master, count.in_master = value, True
                else:
                    count.diff, count.in_diff = value, True
            n -= 1
        return status

    cdef void drop_diff(self) noexcept nogil:
        """Forget what was counted since the last MIX, and labels that are known from nowhere else."""
        cdef LabelCount* count
        cdef CountAt at = self.counts.begin()
        while at != self.counts.end():
            count = &dereference(at).second
            count.diff, count.in_diff = 0, False
            if count.in_master:
                preincrement(at)
            else:
                at = self.counts.erase(at)

    cdef void swap(self, LabelCounts other) noexcept nogil:
        self.counts.swap(other.counts)
        self.version, other.version = other.version, self.version
        self.births = other.births = max(self.births, other.births)
        self.era += 1


@cython.final
cdef class CountsCopy(Copy):
    """The diff of label counts."""

    def __init__(self, LabelCounts counts not None):
        self.counts = counts

    cdef bint take(self, size_t* left) noexcept nogil:
        cdef CountAt at
        cdef LabelCount* count
        cdef CopiedCount copied
        if self.is_whole:
            return True
        if not self.is_begun or self.era != self.counts.era:
            self.copied.clear()
            self.era = self.counts.era
            self.is_begun = True
            at = self.counts.counts.begin()
        else:
            at = self.counts.counts.upper_bound(self.last)
        while at != self.counts.counts.end() and left[0]:
            count = &dereference(at).second
            if count.in_diff:
                copied.diff, copied.birth = count.diff, count.birth
                self.copied[dereference(at).first] = copied
            self.last = dereference(at).first
            left[0] -= 1
            preincrement(at)
        self.is_whole = at == self.counts.counts.end()
        return self.is_whole

    cdef size_t room(self) noexcept nogil:
        cdef size_t n = 5
        cdef ordered_map[string, CopiedCount].iterator at = self.copied.begin()
        while at != self.copied.end():
            n += 14 + dereference(at).first.size()
            preincrement(at)
        return n

    cdef void pack(self, Buffer* out) noexcept nogil:
        cdef ordered_map[string, CopiedCount].iterator at = self.copied.begin()
        out.map(self.copied.size())
        while at != self.copied.end():
            out.raw(dereference(at).first.data(), dereference(at).first.size())
            out.uint(dereference(at).second.diff)
            preincrement(at)

    cdef void subtract(self) noexcept nogil:
        """Take what was copied out of the diff; a label that was forgotten since is another one."""
        cdef ordered_map[string, CopiedCount].iterator at = self.copied.begin()
        cdef CountAt found
        cdef LabelCount* count
        if self.era != self.counts.era:
            return
        while at != self.copied.end():
            found = self.counts.counts.find(dereference(at).first)
            if found != self.counts.counts.end():
                count = &dereference(found).second
                if count.in_diff and count.birth == dereference(at).second.birth:
                    count.in_diff = count.diff != dereference(at).second.diff
                    count.diff -= dereference(at).second.diff
                    if not count.in_diff and not count.in_master:
                        self.counts.counts.erase(found)
            preincrement(at)

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef LabelCounts other = (<CountsCopy>theirs).counts
        cdef CountAt at
        if since is not None:
            (<CountsCopy>since).subtract()
        other.drop_diff()
        at = self.counts.counts.begin()
        while at != self.counts.counts.end():
            if dereference(at).second.in_diff:
                other.increment(dereference(at).first, dereference(at).second.diff)
            preincrement(at)


@cython.final
cdef class CountsChange(Change):
    """Mixed label counts; their version has no say."""

    def __init__(self, LabelCounts counts not None):
        self.counts = counts
        self.mixed = LabelCounts()

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return self.mixed.unpack_part(c, False)

    cdef void apply(self, Copy since) except *:
        cdef CountAt at
        cdef LabelCount* count
        if since is not None:
            (<CountsCopy>since).subtract()
        at = self.mixed.counts.begin()
        while at != self.mixed.counts.end():
            count = self.counts.touch(dereference(at).first)
            count.master += dereference(at).second.diff
            count.in_master = True
            preincrement(at)
        self.counts.version += 1
        self.counts.era += 1


@cython.final
cdef class CountsJoint(Joint):
    """Sums of label counts."""

    def __cinit__(self):
        self.sum = LabelCounts()

    cdef int add(self, Cursor* c) noexcept nogil:
        self.read.push_back(c[0])
        return add_counts(None, c)

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef Cursor c
        cdef size_t i
        for i in range(chosen.size()):
            c = self.read[chosen[0][i]]
            add_counts(self.sum, &c)
        return 0

    cdef size_t room(self) noexcept nogil:
        cdef size_t n = 5
        cdef CountAt at = self.sum.counts.begin()
        while at != self.sum.counts.end():
            n += 14 + dereference(at).first.size()
            preincrement(at)
        return n

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.sum.pack_part(out, False)


cdef int add_counts(LabelCounts to, Cursor* c) noexcept nogil:
    """Add packed counts to a diff, or only read them where that is None."""
    cdef uint32_t n = 0, size = 0
    cdef const char* p = NULL
    cdef uint64_t value = 0
    cdef string name
    cdef int status = read_map(c[0], n)
    while status == 0 and n:
        status = read_raw(c[0], p, size)
        if status == 0:
            status = read_unsigned(c[0], value)
        if status == 0 and to is not None:
            name.assign(p, size)
            to.increment(name, value)
        n -= 1
    return status
