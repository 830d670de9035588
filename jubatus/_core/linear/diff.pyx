"""What the weights of a linear model do in a MIX: weights are averaged, and the smallest covariance is taken.

The average is over all servers. A server that does not have a cell counts as weight 0 and covariance 1. The mixed diff
is added to the master. What a cell learned after it was copied stays in its diff: the difference of the weight, and the
difference of the covariance if that makes it smaller than the new master's.
"""

cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor
from jubatus._core.kernels.hash cimport name_id
from jubatus._core.kernels.order cimport Keyed, sort_by_key
from jubatus._core.kernels.table cimport NONE, prefetch
from jubatus._core.linear.copy cimport TRIES, WeightsCopy, merge_rows
from jubatus._core.linear.stored cimport pack_table, unpack_table
from jubatus._core.linear.table cimport Row, WeightTable
from jubatus._core.mix.map cimport Map
from jubatus._core.mix.part cimport Change, Copy, Joint, MixedPart, Part
from jubatus._core.unlearn cimport Unlearner

cdef enum:
    AHEAD = 8     # rows between a prefetch and the use
    PLANNING = 2  # to plan a row takes as long as this many lookups


@cython.final
cdef class Weights(MixedPart):
    """The weights of a linear model as a part, and the other parts that must follow when a label is forgotten.

    Args:
        table: the weights.
        counts: how often each label was trained; None if no label is ever forgotten.
        unlearner: chooses which labels are kept; None keeps all.
    """

    def __init__(self, WeightTable table not None, Map counts=None, Unlearner unlearner=None):
        self.table = table
        self.counts = counts
        self.unlearner = unlearner

    cdef void touch(self, const string& label) noexcept nogil:
        """Tell the unlearner that a label was used, and forget the label that it gives up for it."""
        cdef string removed
        cdef bint has_removed = False
        if self.unlearner is not None:
            self.unlearner.touch(label, &removed, &has_removed)
            if has_removed:
                self.forget(removed)

    cdef bint forget(self, const string& label) noexcept nogil:
        """Remove weights and count of a label. Return whether it had both."""
        cdef bint has_weights = self.table.forget(label)
        return self.counts.erase(label) and has_weights

    cdef void pack(self, Buffer* out) noexcept nogil:
        pack_table(self.table, out)

    cdef int unpack(self, Cursor* c) noexcept nogil:
        return unpack_table(self.table, c)

    cdef void swap(self, Part other) noexcept:
        self.table.swap((<Weights>other).table)

    cdef void clear(self) noexcept nogil:
        self.table.clear()

    cdef uint64_t current_version(self) noexcept nogil:
        return self.table.version

    cdef Copy copy(self):
        return WeightsCopy(self.table)

    cdef Change change(self):
        return WeightsChange(self)

    cdef Joint joint(self):
        return WeightsJoint()

    cdef void finish_catch_up(self) noexcept:
        """Count the labels of the diff that was kept as used, and forget those that the unlearner does not take."""
        cdef string label
        if self.unlearner is None:
            return
        for label in self.table.labels_of_diff():
            self.touch(label)
            if not self.unlearner.knows(label):
                self.forget(label)


@cython.final
cdef class WeightsChange(Change):
    """A mixed diff of the weights of a linear model."""

    def __init__(self, Weights part not None):
        self.part = part
        self.weights = part.table
        self.unlearner = part.unlearner

    cdef int unpack(self, Cursor* c) noexcept nogil:
        cdef size_t i, k
        cdef uint32_t label
        cdef string name
        cdef vector[char] seen
        cdef int status = self.diff.read(c[0])
        if status:
            return status
        self.ids.resize(self.diff.rows.size())
        for i in range(self.diff.rows.size()):
            self.ids[i] = name_id(self.diff.rows[i].name, self.diff.rows[i].size)
        for i in range(self.diff.labels.spans.size()):
            name.assign(self.diff.labels.spans[i].p, self.diff.labels.spans[i].n)
            self.labels.push_back(name)
        seen.resize(self.labels.size())
        k = self.diff.cells.size()
        while k and self.last_seen.size() < self.labels.size():
            k -= 1
            label = self.diff.cells[k].label
            if not seen[label]:
                seen[label] = 1
                self.last_seen.push_back(label)
        return 0

    cdef bint fits(self) noexcept nogil:
        return self.diff.heads[0].version == self.weights.version

    cdef bint prepare(self, size_t* left) noexcept nogil:
        cdef vector[Keyed] spare
        cdef size_t all_rows = <size_t>-1
        if not self.holds():
            self.begin()
        if self.begun > TRIES:
            left = &all_rows
        self.look_up(left)
        if self.looked_up < self.diff.rows.size() or not self.make_rows(left):
            return False
        if not self.is_sorted:
            sort_by_key(self.found, spare)
            self.rows.reserve(self.found.size())
            self.cells.reserve(self.diff.cells.size())
            self.is_sorted = True
            left[0] //= 2  # sorting took about as long as half of a slice
        self.plan(left)
        return self.planned == self.found.size()

    cdef bint is_wanted(self, size_t label) noexcept nogil:
        return self.unlearner is None or self.unlearner.knows(self.labels[label])

    cdef bint holds(self) noexcept nogil:
        """Return whether the plan is still right: no row moved, and the unlearner still wants the same labels."""
        cdef size_t i
        if not self.begun or self.layout != self.weights.layout:
            return False
        if self.unlearner is not None:
            for i in range(self.labels.size()):
                if self.wanted[i] != self.is_wanted(i):
                    return False
        return True

    cdef void begin(self) noexcept nogil:
        cdef size_t i
        self.begun += 1
        self.layout = self.weights.layout
        self.slots.clear()
        self.wanted.clear()
        self.all_wanted = True
        for i in range(self.labels.size()):
            self.wanted.push_back(self.is_wanted(i))
            self.slots.push_back(self.weights.labels.reserve(self.labels[i]) if self.wanted[i] else NONE)
            if not self.wanted[i]:
                self.all_wanted = False
        self.found.clear()
        self.found.reserve(self.diff.rows.size())
        self.missing.clear()
        self.index.clear()
        self.rows.clear()
        self.cells.clear()
        self.looked_up = self.made = self.planned = 0
        self.has_room = self.is_sorted = False

    cdef void look_up(self, size_t* left) noexcept nogil:
        """Find the rows of the features that have cells of wanted labels."""
        cdef size_t n = self.diff.rows.size()
        cdef const DiffRow* row
        cdef const Row* guess
        cdef Keyed item
        cdef uint32_t k
        cdef bint is_wanted
        while left[0] and self.looked_up < n:
            if self.looked_up + 2 * AHEAD < n:
                self.weights.table.prefetch(self.ids[self.looked_up + 2 * AHEAD])
            if self.looked_up + AHEAD < n:
                guess = self.weights.table.guess(self.ids[self.looked_up + AHEAD])
                if guess != NULL:
                    prefetch(guess)
            row = &self.diff.rows[self.looked_up]
            is_wanted = self.all_wanted and row.count > 0
            if not self.all_wanted:
                for k in range(row.first, row.first + row.count):
                    if self.wanted[self.diff.cells[k].label]:
                        is_wanted = True
                        break
            if is_wanted:
                item.key = self.weights.table.find(self.ids[self.looked_up])
                item.at, item.size = self.looked_up, 0
                if item.key == NONE:
                    self.missing.push_back(self.looked_up)
                else:
                    self.found.push_back(item)
            self.looked_up += 1
            left[0] -= 1

    cdef bint make_rows(self, size_t* left) noexcept nogil:
        """Make rows for new features, after the table's index has room for all of them. Return whether all are made."""
        cdef Keyed item
        cdef size_t n = self.missing.size()
        if n and not self.has_room:
            self.has_room = self.weights.table.make_room(n, self.index, left[0])
        while self.has_room and left[0] and self.made < n:
            if self.made + 2 * AHEAD < n:
                self.weights.table.prefetch(self.ids[self.missing[self.made + 2 * AHEAD]])
            item.at, item.size = self.missing[self.made], 0
            item.key = self.weights.touch(
                self.ids[item.at], self.diff.rows[item.at].name, self.diff.rows[item.at].size
            )
            self.found.push_back(item)
            self.made += 1
            left[0] -= 1
        return self.made == n

    cdef void plan(self, size_t* left) noexcept nogil:
        """Reserve the place of each cell of a wanted label."""
        cdef const Row* rows = self.weights.table.rows
        cdef size_t i, n = self.found.size()
        cdef const DiffRow* row
        while left[0] and self.planned < n:
            i = self.planned
            if i + 2 * AHEAD < n:
                prefetch(&self.diff.rows[self.found[i + 2 * AHEAD].at])
            if i + AHEAD < n:
                row = &self.diff.rows[self.found[i + AHEAD].at]
                prefetch(&self.diff.cells[row.first])
                prefetch(row.name)
                prefetch(row.name + 64)
                prefetch(row.name + 128)
                prefetch(rows[self.found[i + AHEAD].key].block)
                prefetch(rows[self.found[i + AHEAD].key].block + 64)
            self.plan_row(<uint32_t>self.found[i].key, &self.diff.rows[self.found[i].at])
            self.planned += 1
            left[0] -= min(left[0], <size_t>PLANNING)

    cdef void plan_row(self, uint32_t at, const DiffRow* row) noexcept nogil:
        cdef PlannedRow planned
        cdef PlannedCell planned_cell
        cdef const DiffCell* cell
        cdef size_t before = self.cells.size()
        cdef uint32_t k
        for k in range(row.first, row.first + row.count):
            cell = &self.diff.cells[k]
            if self.all_wanted or self.wanted[cell.label]:
                planned_cell.weight, planned_cell.covariance = cell.number(0), cell.number(1)
                planned_cell.position = self.weights.reserve(at, self.slots[cell.label])
                self.cells.push_back(planned_cell)
        planned.row = at
        planned.count = self.cells.size() - before
        self.rows.push_back(planned)

    cdef void apply(self, Copy since) except *:
        cdef WeightsCopy copy = <WeightsCopy>since
        cdef size_t all_rows = <size_t>-1, i
        with nogil:  # long: every feature of the diff is added
            if self.unlearner is not None:
                self.touch_labels()
            self.prepare(&all_rows)  # does nothing if all is prepared and no row moved since
            for i in range(self.labels.size()):
                if self.wanted[i]:
                    self.weights.labels.add(self.labels[i])
            if since is not None:
                copy.subtract(&self.rows, &self.cells)
            else:
                merge_rows(self.weights, NULL, NULL, &self.rows, &self.cells)
            self.weights.labels.arrange()  # now, not in each of the reads that follow
            self.weights.version += 1
            self.weights.era += 1

    cdef void touch_labels(self) noexcept nogil:
        """Tell the unlearner of the label of each cell in turn."""
        cdef size_t i, k
        cdef bint all_known = True
        for i in range(self.labels.size()):
            if not self.unlearner.knows(self.labels[i]):
                all_known = False
        if all_known:
            # No label is given up, so only the order of the last uses matters.
            k = self.last_seen.size()
            while k:
                k -= 1
                self.part.touch(self.labels[self.last_seen[k]])
            return
        for k in range(self.diff.cells.size()):
            self.part.touch(self.labels[self.diff.cells[k].label])


@cython.final
cdef class WeightsJoint(Joint):
    """The average of several diffs."""

    cdef int add(self, Cursor* c) noexcept nogil:
        return self.diffs.read(c[0])

    cdef uint64_t version(self, size_t i) noexcept nogil:
        return self.diffs.heads[i].version

    cdef int fold(self, const vector[size_t]* chosen) noexcept nogil:
        self.chosen = chosen[0]
        return 0

    cdef size_t room(self) noexcept nogil:
        return self.diffs.room

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.diffs.pack_average(self.chosen, out[0])
