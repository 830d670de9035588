"""Labels of a linear model: their numbers, their order, and how often each was trained.

The order of labels is visible in replies and decides ties, so it is that of the original's hash maps: the numbers go
in the order of a map keyed by number into a map keyed by name, and that one's order is the result.
"""

cimport cython
from cython.operator cimport dereference, preincrement
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.map cimport map as ordered_map
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.kernels cimport Buffer, Cursor, read_map, read_raw, read_unsigned, skip
from jubatus._core.model cimport end_of_struct, read_version, start_of_struct
from jubatus._core.sparse cimport NONE, PRIMES, fnv1a

ctypedef ordered_map[string, LabelCount].iterator CountAt


@cython.final
cdef class Labels:
    """Labels in slots 0, 1, 2, ... that are used again after a removal, with the numbers that model files know them by.

    Attributes (C level):
        order: the slots in result order.
    """

    cdef uint32_t find(self, const string& name) noexcept nogil:
        cdef unordered_map[string, uint32_t].iterator found = self.slots.find(name)
        return NONE if found == self.slots.end() else dereference(found).second

    cdef uint32_t add(self, const string& name) noexcept nogil:
        """The label's slot; a label that is not there gets the next number."""
        cdef uint32_t slot = self.find(name)
        if slot != NONE:
            return slot
        self.insert(name, self.next_id)
        slot = dereference(self.slots.find(name)).second
        self.next_id += 1
        if self.next_id <= PRIMES[self.by_id.step]:
            # All numbers are below the bucket count, so the newest stands last in the order by number.
            self.by_name.insert(slot, fnv1a(name.data(), name.size()))
            self.order.resize(self.slots.size())
            self.by_name.order(self.order.data())
        else:
            self.arrange()
        return slot

    cdef void insert(self, const string& name, uint64_t id) noexcept nogil:
        """Take up a label with its number; arrange() must follow."""
        cdef uint32_t slot
        if self.idle.empty():
            slot = self.names.size()
            self.names.push_back(name)
            self.ids.push_back(id)
        else:
            slot = self.idle.back()
            self.idle.pop_back()
            self.names[slot] = name
            self.ids[slot] = id
        self.slots[name] = slot
        self.by_id.insert(slot, id)

    cdef void remove(self, uint32_t slot) noexcept nogil:
        self.by_id.erase(slot)
        self.slots.erase(self.names[slot])
        self.names[slot].clear()
        self.idle.push_back(slot)
        self.arrange()

    cdef void arrange(self) noexcept nogil:
        """Make the order anew."""
        cdef vector[int32_t] numbered
        cdef int32_t slot
        numbered.resize(self.slots.size())
        self.by_id.order(numbered.data())
        self.by_name.clear()
        for slot in numbered:
            self.by_name.insert(slot, fnv1a(self.names[slot].data(), self.names[slot].size()))
        self.order.resize(numbered.size())
        self.by_name.order(self.order.data())

    cdef void clear(self) noexcept nogil:
        self.slots.clear()
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
        """Read into one that has nothing in it."""
        cdef uint32_t more = 0, n = 0, size = 0
        cdef uint64_t id = 0
        cdef const char* p = NULL
        cdef string name
        cdef int status = start_of_struct(c, 3, &more)
        if status == 0:
            status = skip(c[0])  # names to numbers: the other map says the same
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
        self.arrange()
        return status if status else end_of_struct(c, more)

    cdef void swap(self, Labels other) noexcept nogil:
        self.slots.swap(other.slots)
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

    cdef void increment(self, const string& name, uint64_t by) noexcept nogil:
        """Add to a label's count; by 0 makes it known."""
        cdef LabelCount* count = &self.counts[name]
        count.diff += by
        count.in_diff = True

    cdef bint erase(self, const string& name) noexcept nogil:
        return self.counts.erase(name) > 0

    cdef void clear(self) noexcept nogil:
        """Forget all labels; the version stays."""
        self.counts.clear()

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
        cdef int status = start_of_struct(c, 3, &more)
        if status == 0:
            status = self.unpack_part(c, True)
        if status == 0:
            status = self.unpack_part(c, False)
        if status == 0:
            status = read_version(c, &self.version)
        return status if status else end_of_struct(c, more)

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
                count = &self.counts[name]
                if master:
                    count.master, count.in_master = value, True
                else:
                    count.diff, count.in_diff = value, True
            n -= 1
        return status

    cdef void merge(self, LabelCounts other) noexcept nogil:
        """Add another diff to this one."""
        cdef CountAt at = other.counts.begin()
        while at != other.counts.end():
            if dereference(at).second.in_diff:
                self.increment(dereference(at).first, dereference(at).second.diff)
            preincrement(at)

    cdef void put(self, LabelCounts diff) noexcept nogil:
        """Add a mixed diff to the master and start a new diff."""
        cdef LabelCount* count
        cdef CountAt at = diff.counts.begin()
        while at != diff.counts.end():
            count = &self.counts[dereference(at).first]
            count.master += dereference(at).second.diff
            count.in_master = True
            preincrement(at)
        at = self.counts.begin()
        while at != self.counts.end():
            count = &dereference(at).second
            count.diff, count.in_diff = 0, False
            if count.in_master:
                preincrement(at)
            else:
                at = self.counts.erase(at)
        self.version += 1

    cdef void swap(self, LabelCounts other) noexcept nogil:
        self.counts.swap(other.counts)
        self.version, other.version = other.version, self.version
