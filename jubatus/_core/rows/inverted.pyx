"""An inverted index as a part of a model: it finds the columns that are most similar to a vector, and takes part in MIX.

In a MIX the cells of a column travel as they are, and the last server's count; changes of squared norms are added up.
"""

from cython.operator cimport dereference
from libc.stdint cimport int32_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.table cimport NONE
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart, Part
from jubatus._core.rows.raw cimport RawRow, RawRows
from jubatus._core.unlearn cimport Unlearner


cdef class InvertedIndex(MixedPart):
    """The columns of each feature, and the squared norm of each column.

    Args:
        raw: the vectors of the columns as they were given, if columns are ever removed.
        unlearner: what limits the number of columns, if anything does.
    """

    def __init__(self, RawRows raw=None, Unlearner unlearner=None):
        self.raw = raw
        self.unlearner = unlearner

    cdef void remove_row(self, const string& name) noexcept nogil:
        """Remove a column with its raw vector. Nothing is done for an unknown one."""
        cdef const RawRow* row = self.raw.store.find(name)
        cdef uint32_t column = self.store.columns.find(name)
        cdef size_t i
        if row != NULL and column != NONE:
            for i in range(row.size()):
                self.store.remove_cell(
                    self.raw.store.features.rows[dereference(row)[i].feature].id, column
                )
        if column != NONE:
            self.store.remove_norm(column)
        self.raw.store.remove(name)
        self.store.sweep_if_many()

    cdef void choose(self, const Diff* mixed, Taken* taken, vector[string]* removed) noexcept nogil:
        """Choose which columns of a mixed diff are taken in: those that the unlearner keeps.

        A column without a positive cell was removed; it is put into `removed`.
        """
        cdef NamedColumns named
        cdef vector[uint32_t] grown, gone
        cdef string evicted
        cdef bint has_evicted
        cdef int32_t at
        cdef uint32_t each
        if self.unlearner is None:
            return
        taken.all = False
        name_columns(mixed[0], named)
        for at in named.names.order():
            if self.unlearner.can_touch(named.names.name(at)):
                if named.grows[at]:
                    grown.push_back(at)
                else:
                    gone.push_back(at)
        for each in grown:
            has_evicted = False
            self.unlearner.touch(named.names.name(each), &evicted, &has_evicted)
            if has_evicted:
                self.forget(evicted)
        for each in gone:
            self.unlearner.remove(named.names.name(each))
            removed.push_back(named.names.name(each))
        for each in grown:
            if self.unlearner.knows(named.names.name(each)):
                taken.take(named.names.name(each))

    cdef void keep_if_there(self, const string& name) noexcept nogil:
        """Tell the unlearner of a column, which may be none, for all that was learned of it here."""
        cdef uint32_t column = self.store.columns.find(name)
        cdef string evicted
        cdef bint has_evicted = False
        if column == NONE or self.store.squares[column] <= 0:
            self.unlearner.remove(name)
        elif not self.unlearner.touch(name, &evicted, &has_evicted):
            self.remove_row(name)
        elif has_evicted:
            self.remove_row(evicted)

    cdef void forget(self, const string& name) noexcept nogil:
        """Forget a column for one of a mixed diff. One that was mixed before is still found, as in 1.1."""
        cdef uint32_t column = self.store.columns.find(name)
        if column != NONE and self.store.norms[column].in_master:
            self.raw.store.remove(name)
        else:
            self.remove_row(name)

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_index(out[0], self.store)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return read_index(c[0], self.store)

    cdef void swap(self, Part other) noexcept:
        self.store.swap((<InvertedIndex>other).store)

    cdef void clear(self) noexcept nogil:
        self.store.clear()

    cdef Copy copy(self):
        cdef IndexCopy copy = IndexCopy()
        copy.part = self
        return copy

    cdef Change change(self):
        cdef IndexChange change = IndexChange()
        change.part = self
        return change

    cdef Joint joint(self):
        return IndexJoint()

    cdef void finish_catch_up(self) noexcept:
        cdef vector[string] changed
        cdef string name
        cdef uint32_t column
        if self.unlearner is None:
            return
        for column in range(self.store.norms.size()):
            if self.store.norms[column].in_diff:
                changed.push_back(self.store.columns.name(column))
        for name in changed:
            self.keep_if_there(name)


cdef class IndexCopy(Copy):
    """The diff at the time when it was copied."""

    cdef bint take(self, size_t* left) noexcept nogil:
        if not self.is_taken:
            copy_diff(self.part.store, self.diff)
            self.is_taken = True
        return True

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef InvertedIndex other = (<IndexCopy>theirs).part
        with nogil:  # long: the whole diff is put on top of the other part
            if since is not None:
                subtract(self.part.store, (<IndexCopy>since).diff)
            other.store.drop_diff()
            other.store.adopt_diff(self.part.store)
            if other.raw is not None:
                other.raw.store.adopt(self.part.raw.store)

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_diff(out[0], self.diff)


cdef class IndexChange(Change):
    """A mixed diff."""

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return read_diff(c[0], self.mixed)

    cdef void apply(self, Copy since) except *:
        cdef Taken taken
        cdef vector[string] removed
        cdef string name
        with nogil:  # long: the whole diff is put into the lists
            if since is not None:
                subtract(self.part.store, (<IndexCopy>since).diff)
            self.part.choose(&self.mixed, &taken, &removed)
            put_diff(self.part.store, self.mixed, taken)
            for name in removed:
                self.part.keep_if_there(name)


cdef class IndexJoint(Joint):
    """The join of several diffs."""

    cdef int add(self, Cursor* c) noexcept nogil:
        self.read.emplace_back()
        return read_diff(c[0], self.read.back())

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        cdef size_t i
        self.sum = chosen[0][0]
        for i in range(1, chosen.size()):
            join(self.read[self.sum], self.read[chosen[0][i]])
        return 0

    cdef void pack(self, Buffer* out) noexcept nogil:
        write_diff(out[0], self.read[self.sum])
