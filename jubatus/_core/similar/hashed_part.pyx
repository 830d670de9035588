"""Rows that are known by a hash, as a part of a model. In a MIX rows travel as they are; the last server's counts."""

from libc.stdint cimport int32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart, Part
from jubatus._core.rows.raw cimport RawRows
from jubatus._core.unlearn cimport Unlearner


cdef class HashedPart(MixedPart):
    """The hashes of rows.

    Args:
        bits: of a hash.
        tables: of buckets; 0 for rows without norms and buckets.
        raw: the rows as they were given.
        unlearner: what limits their number, or None.

    Attributes (C level):
        store: the hashes (similar/hashed_rows.h).
    """

    def __init__(self, size_t bits, size_t tables, RawRows raw not None, Unlearner unlearner=None):
        self.store.form = Form(bits, tables)
        self.raw = raw
        self.unlearner = unlearner

    cdef void remove_row(self, const string& name) noexcept nogil:
        """Remove a row and its raw row; nothing is done for an unknown one."""
        self.store.remove(name)
        self.raw.store.remove(name)
        self.store.sweep_if_many()

    cdef void put_row(self, const string& name, const uint64_t* value) noexcept nogil:
        """Put a row of a mixed diff, NULL for one that is removed. One that the unlearner cannot take is left out."""
        cdef string removed
        cdef bint has_removed = False
        if self.unlearner is None:
            self.store.put(name, value)
            return
        if value == NULL:
            self.unlearner.remove(name)
        elif not self.unlearner.can_touch(name):
            return
        else:
            self.unlearner.touch(name, &removed, &has_removed)
            if has_removed:
                self.remove_row(removed)
        self.store.put(name, value)

    cdef void keep_if_there(self, const string& name) noexcept nogil:
        """Tell the unlearner of a row, which may be none, for all that was learned of it here."""
        cdef string evicted
        cdef bint has_evicted = False
        if self.store.find(name) == NONE:
            self.unlearner.remove(name)
        elif not self.unlearner.touch(name, &evicted, &has_evicted):
            self.remove_row(name)
        elif has_evicted:
            self.remove_row(evicted)

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_rows(out[0], self.store)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return read_rows(c[0], self.store)

    cdef void swap(self, Part other) noexcept:
        self.store.swap((<HashedPart>other).store)

    cdef void clear(self) noexcept nogil:
        self.store.clear()

    cdef Copy copy(self):
        cdef HashedCopy copy = HashedCopy()
        copy.part = self
        return copy

    cdef Change change(self):
        cdef HashedChange change = HashedChange()
        change.part = self
        change.mixed.form = self.store.form
        return change

    cdef Joint joint(self):
        cdef HashedJoint joint = HashedJoint()
        joint.form = self.store.form
        return joint

    cdef void finish_catch_up(self) noexcept:
        cdef vector[string] changed
        cdef string name
        cdef int32_t at
        if self.unlearner is None:
            return
        for at in self.store.changed_rows():
            changed.push_back(self.store.names.name(at))
        for name in changed:
            self.keep_if_there(name)


cdef class HashedCopy(Copy):
    """The diff at the time when it was copied."""

    cdef bint take(self, size_t* left) noexcept nogil:
        if not self.is_taken:
            self.part.store.copy_diff(self.diff)
            self.is_taken = True
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef HashedPart other = (<HashedCopy>theirs).part
        with nogil:  # long: the whole diff is put on top of the other part
            if since is None:
                self.part.store.carry(NULL, other.store)
            else:
                self.part.store.carry(&(<HashedCopy>since).diff, other.store)
            other.raw.store.adopt(self.part.raw.store)

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_diff(out[0], self.diff)


cdef class HashedChange(Change):
    """A mixed diff."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return read_diff(c[0], self.mixed)

    cdef void apply(self, Copy since) except *:
        cdef int32_t at
        with nogil:  # long: every row is put
            for at in self.mixed.names.order():
                self.part.put_row(self.mixed.names.name(at), self.mixed.value(at))
            if since is not None:
                self.part.store.subtract((<HashedCopy>since).diff)
            for at in self.mixed.names.order():
                if self.mixed.value(at) == NULL and self.part.unlearner is not None:
                    self.part.keep_if_there(self.mixed.names.name(at))
            self.part.store.sweep_if_many()


cdef class HashedJoint(Joint):
    """The join of several diffs."""

    cdef int add(self, Cursor* c) noexcept nogil:
        self.read.emplace_back()
        self.read.back().form = self.form
        return read_diff(c[0], self.read.back())

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i
        self.sum = chosen[0][0]
        for i in range(1, chosen.size()):
            join(self.read[self.sum], self.read[chosen[0][i]])
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_diff(out[0], self.read[self.sum])
