"""The copied diff of a table of weights, and how copies and mixed diffs are merged into the table."""

cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer
from jubatus._core.kernels.order cimport Keyed, sort_by_key
from jubatus._core.kernels.table cimport NONE, prefetch
from jubatus._core.linear.table cimport DIFF, IN_TABLE, LABEL, LISTED, MASTER, ROOM, Row, WeightTable
from jubatus._core.mix.part cimport Copy

cdef enum:
    SHARE = 2048  # rows that are handled together while they are in the processor's cache
    AHEAD = 8     # rows between a prefetch and the use


cdef struct Cells:
    # The cells of a row. In distributed mode no row is dense.
    uint32_t* labels
    double* weights
    double* covariances
    double* weight_diffs
    double* covariance_diffs


cdef inline Cells cells_of(const Row* row, bint covariant) noexcept nogil:
    cdef Cells cells
    cdef size_t room = row.room & ROOM
    cells.labels = <uint32_t*>row.block
    cells.weights = <double*>(row.block + (room * 4 + 7) // 8 * 8)
    cells.covariances = cells.weights + room
    cells.weight_diffs = cells.weights + (2 * room if covariant else room)
    cells.covariance_diffs = cells.weight_diffs + room
    return cells


cdef inline bint is_same(const double* a, const double* b) noexcept nogil:
    """Return whether two numbers have the same bits, so that NaN is equal to itself."""
    return memcmp(a, b, 8) == 0


@cython.final
cdef class WeightsCopy(Copy):
    """The diff of a table of weights at the time when it was copied."""

    def __init__(self, WeightTable weights not None):
        self.weights = weights

    cdef bint take(self, size_t* left) noexcept nogil:
        cdef size_t i, end
        cdef vector[Keyed]* order = &self.order
        cdef const Row* rows
        if self.is_whole:
            return True
        if self.era != self.weights.era or self.layout != self.weights.layout:
            self.begin()
        i = self.diff.rows.size()
        end = order.size() if self.begun > TRIES else min(order.size(), i + left[0])
        left[0] -= min(left[0], end - i)
        rows = self.weights.table.rows
        for i in range(i, end):
            if i + AHEAD < end:
                prefetch(rows[order[0][i + AHEAD].key].block)
            self.copy_row(<uint32_t>order[0][i].key, order[0][i].at)
        if end < order.size():
            return False
        # If a label is removed, the layout changes and the copy starts again.
        self.diff.labels = self.weights.labels.names
        self.diff.ids = self.weights.labels.ids
        self.is_whole = True
        return True

    cdef void begin(self) noexcept nogil:
        cdef vector[Keyed] spare
        cdef Keyed item
        cdef size_t i, cells = 0
        self.begun += 1
        self.era, self.layout = self.weights.era, self.weights.layout
        self.diff.clear()
        self.diff.version = self.weights.version
        self.order.clear()
        self.order.reserve(self.weights.listed.size())
        for i in range(self.weights.listed.size()):
            item.key, item.at, item.size = self.weights.listed[i], i, 0
            self.order.push_back(item)
            cells += self.weights.table.rows[item.key].count
        sort_by_key(self.order, spare)
        self.diff.rows.reserve(self.order.size())
        self.diff.cells.reserve(cells + cells // 8)

    cdef void copy_row(self, uint32_t at, uint32_t ordinal) noexcept nogil:
        cdef const Row* row = &self.weights.table.rows[at]
        cdef Cells cells = cells_of(row, self.weights.covariant)
        cdef CopiedRow copied
        cdef CopiedCell cell
        cdef uint32_t k
        copied.id = row.id
        copied.name = self.diff.names.copy(self.weights.table.names, row.name)
        copied.row = at
        copied.first = self.diff.cells.size()
        copied.ordinal = ordinal
        for k in range(row.count):
            if cells.labels[k] & DIFF:
                cell.weight = cells.weight_diffs[k]
                cell.covariance = cells.covariance_diffs[k] if self.weights.covariant else 0.0
                cell.slot = cells.labels[k] & LABEL
                cell.position = k
                self.diff.cells.push_back(cell)
        copied.count = self.diff.cells.size() - copied.first
        self.diff.rows.push_back(copied)

    cdef size_t room(self) noexcept nogil:
        return self.diff.room()

    cdef void pack(self, Buffer* out) noexcept nogil:
        self.diff.pack(out[0])

    cdef void subtract(self, const vector[PlannedRow]* rows, const vector[PlannedCell]* cells) noexcept nogil:
        """Subtract what was copied from the diff, and add planned cells to the master; both may be NULL.

        Nothing is subtracted if the diff is another one by now.
        """
        if self.era != self.weights.era:
            merge_rows(self.weights, NULL, NULL, rows, cells)
        elif self.layout == self.weights.layout:
            merge_rows(self.weights, &self.diff.rows, &self.diff.cells, rows, cells)
        else:
            self.find_again()
            merge_rows(self.weights, &self.found_rows, &self.found_cells, rows, cells)

    cdef void find_again(self) noexcept nogil:
        """Find rows and cells that moved. A label that was forgotten and came again is another one."""
        cdef size_t i, k
        cdef CopiedRow* row
        cdef CopiedCell* cell
        cdef int position
        self.found_rows = self.diff.rows
        self.found_cells = self.diff.cells
        for i in range(self.found_rows.size()):
            row = &self.found_rows[i]
            row.row = self.weights.table.find(row.id)
            for k in range(row.first, row.first + row.count):
                cell = &self.found_cells[k]
                cell.position = NONE
                if row.row == NONE or self.weights.labels.ids[cell.slot] != self.diff.ids[cell.slot]:
                    continue
                position = self.weights.position(&self.weights.table.rows[row.row], cell.slot)
                if position >= 0 and (<uint32_t*>self.weights.table.rows[row.row].block)[position] & DIFF:
                    cell.position = position
        sort_rows(self.found_rows)

    cdef void carry(self, Copy since, Copy theirs) except *:
        cdef WeightTable other = (<WeightsCopy>theirs).weights
        cdef WeightsCopy copy = <WeightsCopy>since
        with nogil:  # long: the whole diff is added to the other table
            other.drop_diff()
            if since is not None:
                copy.subtract(NULL, NULL)
            carry_rows(self.weights, other)


cdef void carry_rows(WeightTable weights, WeightTable other) noexcept nogil:
    """Add the diff of a table to another table that has no diff. New labels are added in result order."""
    cdef uint32_t at, k, to, position, slot
    cdef Row* row
    cdef Row* target
    cdef Cells cells, theirs
    cdef double covariance
    cdef string label
    for label in weights.labels_of_diff():
        other.labels.add(label)
    for at in weights.listed:
        row = &weights.table.rows[at]
        cells = cells_of(row, weights.covariant)
        to = other.table.find(row.id)
        if to == NONE:
            to = other.table.insert(row.id, weights.table.name(at))
        for k in range(row.count):
            if not cells.labels[k] & DIFF:
                continue
            slot = other.labels.find(weights.labels.names[cells.labels[k] & LABEL])
            if weights.covariant:
                covariance = cells.covariances[k] + cells.covariance_diffs[k]
                position = other.place(to, slot)
                target = &other.table.rows[to]
                theirs = cells_of(target, True)
                if theirs.labels[position] & MASTER and theirs.covariances[position] != 0:
                    theirs.covariance_diffs[position] = surer(covariance, theirs.covariances[position])
                else:
                    other.mark(to, position, MASTER)
                    theirs.covariance_diffs[position] = covariance
                other.mark(to, position, DIFF)
                theirs.weight_diffs[position] = cells.weight_diffs[k]
            else:
                other.add(to, slot, cells.weight_diffs[k])


cdef inline double surer(double covariance, double master) noexcept nogil:
    """Return the diff that gives a cell the smaller of its covariance and the master's."""
    cdef double diff = covariance - master
    return diff if diff < 0 else 0.0


cdef void merge_rows(
    WeightTable weights,
    const vector[CopiedRow]* copied, const vector[CopiedCell]* copied_cells,
    const vector[PlannedRow]* rows, const vector[PlannedCell]* cells,
) noexcept nogil:
    """Subtract copied rows from the diff and add planned rows to the master; each may be NULL.

    Both lists are ordered by row. They are handled together, a share of the rows at a time, so that each row is loaded
    into the processor's cache once.
    """
    cdef size_t s = 0, from_s, p = 0, c = 0
    cdef size_t copies = copied.size() if copied != NULL else 0, plans = rows.size() if rows != NULL else 0
    cdef uint64_t limit
    cdef vector[uint32_t] incomplete
    cdef uint32_t at
    while s < copies or p < plans:
        limit = NONE
        if s < copies:
            limit = min(limit, copied[0][s].row)
        if p < plans:
            limit = min(limit, rows[0][p].row)
        limit += SHARE
        from_s = s
        while s < copies and copied[0][s].row < limit:
            if s + AHEAD < copies and copied[0][s + AHEAD].row != NONE:
                prefetch(weights.table.rows[copied[0][s + AHEAD].row].block)
            if copied[0][s].row != NONE:
                subtract_row(weights, &copied[0][s], copied_cells.data() + copied[0][s].first)
            s += 1
        while p < plans and rows[0][p].row < limit:
            if p + AHEAD < plans:
                prefetch(weights.table.rows[rows[0][p + AHEAD].row].block)
            add_row(weights, &rows[0][p], cells.data() + c)
            c += rows[0][p].count
            p += 1
        while from_s < s:
            at = copied[0][from_s].row
            if at != NONE and not is_complete(&weights.table.rows[at]):
                incomplete.push_back(at)
            from_s += 1
    if copies:
        weights.list_rows()
    if incomplete.size():
        for at in incomplete:
            weights.drop_reserved(&weights.table.rows[at])
        weights.drop_empty_rows()


cdef inline void subtract_row(WeightTable weights, const CopiedRow* copied, const CopiedCell* cell) noexcept nogil:
    """Subtract copied cells from the diff of a row. A cell that did not change since leaves the diff."""
    cdef Cells cells = cells_of(&weights.table.rows[copied.row], weights.covariant)
    cdef const CopiedCell* end = cell + copied.count
    cdef uint32_t k
    while cell < end:
        k = cell.position
        if k != NONE:
            if not is_same(&cells.weight_diffs[k], &cell.weight) or (
                weights.covariant and not is_same(&cells.covariance_diffs[k], &cell.covariance)
            ):
                cells.weight_diffs[k] -= cell.weight
            else:
                cells.labels[k] &= ~<uint32_t>DIFF
                cells.weight_diffs[k] = 0.0
                if weights.covariant:
                    cells.covariance_diffs[k] = 0.0
                    if cells.covariances[k] == 0:  # no MIX has seen the cell
                        cells.labels[k] &= ~<uint32_t>MASTER
        cell += 1


cdef inline void add_row(WeightTable weights, const PlannedRow* planned, const PlannedCell* cell) noexcept nogil:
    """Add mixed cells to the master of a row."""
    cdef Row* row = &weights.table.rows[planned.row]
    cdef Cells cells = cells_of(row, weights.covariant)
    cdef const PlannedCell* end = cell + planned.count
    cdef double before, now
    cdef uint32_t k
    while cell < end:
        k = cell.position
        if weights.covariant:
            if not cells.labels[k] & (MASTER | DIFF):
                cells.covariances[k] = 0.0
            before = cells.covariances[k] + cells.covariance_diffs[k]
            now = cells.covariances[k] + cell.covariance
            if cells.covariances[k] == 0 and cell.covariance <= 0:
                # The mixed covariance is relative to a master that was forgotten here: take the master as 1.
                now = 1.0 + cell.covariance
            cells.covariances[k] = now
            if cells.labels[k] & DIFF:
                cells.covariance_diffs[k] = surer(before, now)
        cells.weights[k] += cell.weight
        cells.labels[k] |= MASTER
        cell += 1
    if not row.room & IN_TABLE:
        row.room |= IN_TABLE
        weights.master_features += 1


cdef inline bint is_complete(Row* row) noexcept nogil:
    """Clear the flag LISTED of a row without cells in the diff. Return whether all its cells exist."""
    cdef const uint32_t* labels = <uint32_t*>row.block
    cdef uint32_t k, some = 0
    cdef bint complete = True
    for k in range(row.count):
        some |= labels[k]
        if not labels[k] & (MASTER | DIFF):
            complete = False
    if not some & DIFF:
        row.room &= ~<uint32_t>LISTED
    return complete
