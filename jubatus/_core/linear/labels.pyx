"""Labels of a linear model: their numbers and their order.

The order of labels is visible in replies and decides ties, so it must be that of the original. The original has two
hash maps: one from numbers to names, and one keyed by name that is filled by iterating over the first. The iteration
order of the second is the result order.
"""

cimport cython
from cython.operator cimport dereference
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport (
    Buffer, Cursor, close_struct, open_struct, read_map, read_raw, read_unsigned, skip,
)
from jubatus._core.kernels.chains cimport PRIMES
from jubatus._core.kernels.hash cimport fnv1a
from jubatus._core.kernels.table cimport NONE


@cython.final
cdef class Labels:
    """Labels, each in a slot 0, 1, 2, ... and with the number that it has in model files.

    The slot of a label that was removed is used again. Its number is not.

    Attributes (C level):
        by_id: the order of the map keyed by number.
        by_name: the order of the map keyed by name, which is the result order.
        order: the slots in result order, as they were listed last. Labels added later are missing, so it is up to date
            if it is as long as `slots`. Read it by arrange and in_order.
    """

    cdef uint32_t find(self, const string& name) noexcept nogil:
        cdef unordered_map[string, uint32_t].iterator found = self.slots.find(name)
        return NONE if found == self.slots.end() else dereference(found).second

    cdef uint32_t add(self, const string& name) noexcept nogil:
        """Return the label's slot; a label that is not there gets the next number.

        Takes constant time on average. If labels were removed before, it may take time linear in the labels, as each
        removal does.
        """
        cdef uint32_t slot = self.find(name)
        cdef bint is_last = self.next_id <= PRIMES[self.by_id.step]
        if slot != NONE:
            return slot
        self.insert(name, self.next_id)
        slot = dereference(self.slots.find(name)).second
        self.next_id += 1
        # While all numbers are below the bucket count, the map keyed by number iterates in ascending order, and the new
        # label comes last. That must have been so before this label too: else the map grew, and the others have moved.
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
        """Return the slots in result order. Only for callers that hold the model alone: this may change `order`."""
        if self.order.size() != self.slots.size():
            self.list_order(&self.order)
        return &self.order

    cdef vector[int32_t]* in_order(self, vector[int32_t]* spare) noexcept nogil:
        """Return the slots in result order, in `order` or in `spare`. Changes nothing but `spare`."""
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
