"""Weights of a linear model: one row a feature, one cell a (feature, label).

A row keeps its cells as a list of labels with their numbers, or, where that is no larger, as one number for each label
with a bitmap of those that exist (dense). A cell is a weight and, for the methods with confidence, a covariance. In
distributed mode it holds both twice, what all servers agreed on (master) and what was learned since (diff), and reads
as their sum. A cell that does not exist reads as weight 0 and covariance 1; it may have its place all the same, reserved
for a MIX that is about to come. A master covariance of 0 is that of a cell which no MIX has seen yet.
"""

cimport cython
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport insert_feature
from jubatus._core.kernels.table cimport NONE, prefetch
from jubatus._core.linear.labels cimport Labels
from jubatus._core.linear.workspace cimport LinearWorkspace

cdef extern from *:
    """
    // Products and sums are rounded one by one in each of the compiled versions, which so give the same bits.
    #if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    __attribute__((target_clones("avx2", "default")))
    #endif
    static void add_scaled(double* __restrict__ out, const double* __restrict__ row, unsigned n, double x) {
        for (unsigned i = 0; i < n; i++) out[i] += row[i] * x;
    }
    """
    void add_scaled(double* out, const double* row, unsigned n, double x) noexcept nogil


cdef enum:
    SMALL = 32  # cells that surely fit into a block of the pool's, which goes with the pool


@cython.final
cdef class WeightTable:
    """The table of weights.

    Args:
        covariant: whether cells have a covariance.
        distributed: whether cells have a diff.
    """

    def __init__(self, bint covariant, bint distributed):
        self.covariant = covariant
        self.distributed = distributed
        self.width = (2 if covariant else 1) * (2 if distributed else 1)
        self.labels = Labels()
        self.era = self.layout = 1

    def __dealloc__(self):
        with nogil:  # long: the rows of a large model are looked at
            self.free_blocks()

    cdef void free_blocks(self) noexcept nogil:
        """Give all memory of cells back; the rows must go with it."""
        cdef uint32_t i
        cdef Row* row
        for i in range(self.table.size):
            row = &self.table.rows[i]
            if row.room & ROOM > SMALL:
                self.pool.give_back(row.block, self.block_size(row.room & ROOM, row.room & DENSE))
        self.pool.clear()

    cdef dict status(self):
        """The sizes, as entries of get_status."""
        cdef dict sizes = {
            "storage": "local_storage_mixture" if self.distributed else "local_storage",
            "num_features": str(self.master_features if self.distributed else self.table.size),
            "num_classes": str(self.labels.slots.size()),
        }
        if self.distributed:
            sizes["num_features_diff"] = str(self.listed.size())
            sizes["model_version"] = str(self.version)
        return sizes

    cdef size_t block_size(self, uint32_t room, bint dense) noexcept nogil:
        cdef size_t index = (room + 63) // 64 * 8 if dense else (room * 4 + 7) // 8 * 8
        return index + <size_t>room * 8 * self.width

    cdef double* plane(self, Row* row, uint32_t number) noexcept nogil:
        cdef uint32_t room = row.room & ROOM
        return <double*>(row.block + self.block_size(room, row.room & DENSE)) - <size_t>room * (self.width - number)

    cdef int position(self, const Row* row, uint32_t label) noexcept nogil:
        """Where in the planes the label's cell stands; -1 if there is none."""
        cdef uint32_t i
        cdef uint32_t* labels = <uint32_t*>row.block
        if row.room & DENSE:
            if label < row.room & ROOM and (<uint64_t*>row.block)[label // 64] >> (label % 64) & 1:
                return label
            return -1
        for i in range(row.count):
            if labels[i] & LABEL == label:
                return i
        return -1

    cdef uint32_t place(self, uint32_t at, uint32_t label) noexcept nogil:
        """The position of the label's cell, which is made if it does not exist."""
        cdef Row* row = &self.table.rows[at]
        cdef uint32_t room = row.room & ROOM, all_labels, n
        cdef int position = self.position(row, label)
        cdef bint dense = row.room & DENSE
        if position >= 0:
            return position
        if dense:
            if label >= room:
                self.make_room(row, (label + 4) // 4 * 4, True)
        elif row.count == room:
            n = 2 if room < 2 else room * 2 if room < 8 else room + room // 2
            all_labels = self.labels.names.size()
            dense = not self.distributed and self.block_size(all_labels, True) <= self.block_size(n, False)
            self.make_room(row, all_labels if dense else n, dense)
        if dense:
            (<uint64_t*>row.block)[label // 64] |= <uint64_t>1 << (label % 64)
            row.count += 1
            return label
        position = row.count
        (<uint32_t*>row.block)[position] = label
        row.count += 1
        self.plane(row, 0)[position] = 0.0
        for n in range(1, self.width):
            self.plane(row, n)[position] = 1.0 if n == 1 and self.covariant and not self.distributed else 0.0
        return position

    cdef void make_room(self, Row* row, uint32_t room, bint dense) noexcept nogil:
        """Move the cells to a block of another size or kind; to none with room 0."""
        cdef Row old = row[0]
        cdef uint32_t old_room = old.room & ROOM, i, n, label
        cdef size_t size = self.block_size(room, dense)
        cdef double* source
        cdef double* target
        cdef char* block = self.pool.take(size) if room else NULL
        row.room = (old.room & ~(<uint32_t>ROOM | DENSE)) | room | (DENSE if dense else 0)
        row.block = block
        if room:
            memset(row.block, 0, size)
            if dense and self.covariant:
                target = self.plane(row, 1)
                for i in range(room):
                    target[i] = 1.0
            if old.room & DENSE:
                memcpy(row.block, old.block, (old_room + 63) // 64 * 8)
            elif not dense:
                memcpy(row.block, old.block, old.count * 4)
            for n in range(self.width if old_room else 0):
                source = self.plane(&old, n)
                target = self.plane(row, n)
                if dense and not old.room & DENSE:
                    for i in range(old.count):
                        label = (<uint32_t*>old.block)[i] & LABEL
                        (<uint64_t*>row.block)[label // 64] |= <uint64_t>1 << (label % 64)
                        target[label] = source[i]
                else:
                    memcpy(target, source, 8 * (old_room if dense else old.count))
        if old_room:
            self.pool.give_back(old.block, self.block_size(old_room, old.room & DENSE))

    cdef void remove(self, Row* row, uint32_t position) noexcept nogil:
        """Take out one cell; in a list the last one takes its place."""
        cdef uint32_t n, last = row.count - 1
        row.count = last
        if row.room & DENSE:
            (<uint64_t*>row.block)[position // 64] &= ~(<uint64_t>1 << (position % 64))
            for n in range(self.width):
                self.plane(row, n)[position] = n
            return
        (<uint32_t*>row.block)[position] = (<uint32_t*>row.block)[last]
        for n in range(self.width):
            self.plane(row, n)[position] = self.plane(row, n)[last]

    cdef void mark(self, uint32_t at, uint32_t position, uint32_t flag) noexcept nogil:
        """Note that a cell exists in the master or in the diff (distributed mode)."""
        cdef Row* row = &self.table.rows[at]
        cdef uint32_t whole = LISTED if flag == DIFF else IN_TABLE
        if not row.room & whole:
            if flag == DIFF:
                self.listed.push_back(at)
            else:
                self.master_features += 1
            row.room |= whole
        (<uint32_t*>row.block)[position] |= flag

    cdef void find_rows(self, LinearWorkspace w) noexcept nogil:
        """Look up the rows of all features; each step touches only memory that the one before asked for."""
        cdef size_t i, n = w.vector.ids.size()
        cdef const Row* row
        cdef uint32_t at
        w.rows.resize(n)
        for i in range(n):
            self.table.prefetch(w.vector.ids[i])
        for i in range(n):
            row = self.table.guess(w.vector.ids[i])
            if row != NULL:
                prefetch(row)
        for i in range(n):
            at = self.table.find(w.vector.ids[i])
            w.rows[i] = at
            if at != NONE:
                prefetch(self.table.rows[at].block)
                prefetch(self.table.rows[at].block + 64)
                prefetch(self.table.rows[at].block + 128)

    cdef void score(self, LinearWorkspace w) noexcept nogil:
        """Sum weight times value over the features in order, for each label, into w.scores (by slot)."""
        cdef size_t i
        cdef uint32_t k, at, room
        cdef double x
        cdef double* scores
        cdef double* weights
        cdef double* diffs
        cdef Row* row
        cdef uint32_t* labels
        self.find_rows(w)
        w.scores.assign(self.labels.names.size() + 4, 0.0)  # a dense row may be that much longer
        scores = w.scores.data()
        for i in range(w.vector.ids.size()):
            at = w.rows[i]
            if at == NONE:
                continue
            row = &self.table.rows[at]
            x = w.vector.values[i]
            room = row.room & ROOM
            if row.room & DENSE:
                weights = dense_weights(row)
                if isfinite(x):
                    add_scaled(scores, weights, room, x)
                else:  # 0 times infinity would be no number in labels that the feature does not have
                    for k in range(room):
                        if (<uint64_t*>row.block)[k // 64] >> (k % 64) & 1:
                            scores[k] += weights[k] * x
                continue
            weights = self.plane(row, 0)
            labels = <uint32_t*>row.block
            if self.distributed:
                diffs = self.plane(row, self.width // 2)
                if isfinite(x):
                    for k in range(row.count):
                        scores[labels[k] & LABEL] += (weights[k] + diffs[k]) * x
                    continue
                for k in range(row.count):
                    if labels[k] & (MASTER | DIFF):
                        scores[labels[k] & LABEL] += (weights[k] + diffs[k]) * x
            else:
                for k in range(row.count):
                    scores[labels[k]] += weights[k] * x

    cdef void move(self, LinearWorkspace w, uint32_t label, uint32_t rival, double step) noexcept nogil:
        """Move weights by step times the value: up for the label, down for its rival unless that is NONE."""
        cdef size_t i
        cdef uint32_t at
        cdef double d
        cdef Row* row
        cdef double* weights
        for i in range(w.vector.ids.size()):
            d = w.vector.values[i] * step
            at = self.row_of(w, i)
            row = &self.table.rows[at]
            if row.room & DENSE and label < row.room & ROOM and rival < row.room & ROOM:
                weights = dense_weights(row)
                row.count += take_up(row, label) + take_up(row, rival)
                weights[label] += d
                weights[rival] -= d
                continue
            self.add(at, label, d)
            if rival != NONE:
                self.add(at, rival, -d)

    cdef double variance(self, LinearWorkspace w, uint32_t label, uint32_t rival) noexcept nogil:
        """Sum the covariances of both labels times the squared values; find_rows must have been called."""
        cdef double v = 0.0, weight = 0, covariance = 0, other = 0, x
        cdef size_t i
        for i in range(w.vector.ids.size()):
            x = w.vector.values[i]
            self.get(w.rows[i], label, &weight, &covariance)
            self.get(w.rows[i], rival, &weight, &other)
            v += (covariance + other) * x * x
        return v

    cdef uint32_t row_of(self, LinearWorkspace w, size_t i) noexcept nogil:
        """The row of a feature, which is made if there is none; find_rows must have been called."""
        if w.rows[i] == NONE:
            w.rows[i] = insert_feature(self.table, w.vector.ids[i], w.vector.feature(i), w.vector.shapes)
        return w.rows[i]

    cdef uint32_t touch(self, uint64_t id, const char* name, uint32_t size) noexcept nogil:
        """The row of a feature, which is made if there is none."""
        cdef uint32_t at = self.table.find(id)
        if at == NONE:
            at = self.table.insert(id, name, size)
        return at

    cdef void get(self, uint32_t at, uint32_t label, double* weight, double* covariance) noexcept nogil:
        """Read a cell of a row that may be NONE, for a label that may be NONE; the method must be covariant."""
        cdef int position = -1
        cdef Row* row
        if at != NONE:
            row = &self.table.rows[at]
            if row.room & DENSE and label < row.room & ROOM:
                # What does not exist stands there as (0, 1).
                weight[0] = dense_weights(row)[label]
                covariance[0] = dense_weights(row)[label + (row.room & ROOM)]
                return
            position = self.position(row, label)
        if position < 0:
            weight[0], covariance[0] = 0.0, 1.0
            return
        weight[0] = self.plane(row, 0)[position]
        covariance[0] = self.plane(row, 1)[position]
        if self.distributed:
            weight[0] += self.plane(row, 2)[position]
            covariance[0] += self.plane(row, 3)[position]

    cdef void set(self, uint32_t at, uint32_t label, double weight, double covariance) noexcept nogil:
        """Write a cell; in distributed mode the diff takes the difference to a master that exists from now on."""
        cdef uint32_t position
        cdef Row* row = &self.table.rows[at]
        if row.room & DENSE and label < row.room & ROOM:
            row.count += take_up(row, label)
            dense_weights(row)[label] = weight
            dense_weights(row)[label + (row.room & ROOM)] = covariance
            return
        position = self.place(at, label)
        row = &self.table.rows[at]
        if not self.distributed:
            self.plane(row, 0)[position] = weight
            self.plane(row, 1)[position] = covariance
            return
        if not (<uint32_t*>row.block)[position] & (MASTER | DIFF):
            self.plane(row, 1)[position] = 0.0
        self.mark(at, position, MASTER)
        self.mark(at, position, DIFF)
        self.plane(row, 2)[position] = weight - self.plane(row, 0)[position]
        self.plane(row, 3)[position] = covariance - self.plane(row, 1)[position]

    cdef void add(self, uint32_t at, uint32_t label, double step) noexcept nogil:
        """Add to the weight of a cell, or to its diff in distributed mode."""
        cdef uint32_t position = self.place(at, label)
        cdef Row* row = &self.table.rows[at]
        if self.distributed:
            self.mark(at, position, DIFF)
            self.plane(row, self.width // 2)[position] += step
        else:
            self.plane(row, 0)[position] += step

    cdef uint32_t reserve(self, uint32_t at, uint32_t label) noexcept nogil:
        """The position of the label's cell; one that does not exist gets its place and goes on reading as (0, 1)."""
        cdef uint32_t position = self.place(at, label)
        cdef Row* row = &self.table.rows[at]
        if self.covariant and not (<uint32_t*>row.block)[position] & (MASTER | DIFF):
            self.plane(row, 1)[position] = 1.0
        return position

    cdef void drop_diff(self) noexcept nogil:
        """Forget what was learned since the last MIX, and what exists nowhere else."""
        cdef uint32_t at, k, n
        cdef Row* row
        cdef uint32_t* labels
        for at in self.listed:
            row = &self.table.rows[at]
            labels = <uint32_t*>row.block
            for k in range(row.count):
                if not labels[k] & DIFF:
                    continue
                labels[k] &= ~<uint32_t>DIFF
                for n in range(self.width // 2, self.width):
                    self.plane(row, n)[k] = 0.0
                if self.covariant and self.plane(row, 1)[k] == 0:  # was never mixed
                    labels[k] &= ~<uint32_t>MASTER
            self.drop_reserved(row)
        self.listed.clear()
        self.drop_empty_rows()

    cdef void drop_reserved(self, Row* row) noexcept nogil:
        """Remove what does not exist; drop_empty_rows must follow."""
        cdef uint32_t k = 0
        while k < row.count:
            if (<uint32_t*>row.block)[k] & (MASTER | DIFF):
                k += 1
            else:
                self.remove(row, k)
        self.settle(row)
        self.layout += 1

    cdef vector[string] labels_of_diff(self) noexcept nogil:
        """The labels of what was learned since the last MIX, in result order."""
        cdef vector[int32_t] spare
        cdef vector[char] found
        cdef vector[string] labels
        cdef Row* row
        cdef uint32_t at, k
        cdef int32_t slot
        found.resize(self.labels.names.size())
        for at in self.listed:
            row = &self.table.rows[at]
            for k in range(row.count):
                if (<uint32_t*>row.block)[k] & DIFF:
                    found[(<uint32_t*>row.block)[k] & LABEL] = 1
        for slot in self.labels.in_order(&spare)[0]:
            if found[slot]:
                labels.push_back(self.labels.names[slot])
        return labels

    cdef void drop_empty_rows(self) noexcept nogil:
        cdef uint32_t i, at, empty = 0, kept = 0
        cdef vector[uint32_t] moved, listed
        for i in range(self.table.size):
            if self.table.rows[i].count == 0:
                if self.table.rows[i].room & IN_TABLE:
                    self.master_features -= 1
                self.make_room(&self.table.rows[i], 0, False)
                empty += 1
        if not empty:
            return
        self.layout += 1
        # Rows behind an erased one move up; the list keeps its order, that of the first change since the last MIX.
        moved.resize(self.table.size)
        for i in range(self.table.size):
            moved[i] = kept
            kept += self.table.rows[i].count != 0
        for at in self.listed:
            if self.table.rows[at].count:
                listed.push_back(moved[at])
        self.listed.swap(listed)
        self.table.erase_if(is_empty)

    cdef bint forget(self, const string& label) noexcept nogil:
        """Remove a label with all its cells; whether it was there."""
        cdef uint32_t slot = self.labels.find(label), i
        cdef int position
        if slot == NONE:
            return False
        for i in range(self.table.size):
            position = self.position(&self.table.rows[i], slot)
            if position >= 0:
                self.remove(&self.table.rows[i], position)
                if self.distributed:
                    self.settle(&self.table.rows[i])
        self.labels.remove(slot)
        self.layout += 1
        if self.distributed:
            self.list_rows()
        self.drop_empty_rows()
        return True

    cdef void settle(self, Row* row) noexcept nogil:
        """Note where a row exists after it lost a cell: in the master, in the diff."""
        cdef uint32_t k, flags = 0
        for k in range(row.count):
            flags |= (<uint32_t*>row.block)[k]
        if not flags & DIFF:
            row.room &= ~<uint32_t>LISTED
        if row.room & IN_TABLE and not flags & MASTER:
            row.room &= ~<uint32_t>IN_TABLE
            self.master_features -= 1

    cdef void list_rows(self) noexcept nogil:
        """Find the rows of the diff anew, after rows moved or lost their part in it."""
        cdef vector[uint32_t] before
        cdef uint32_t i
        before.swap(self.listed)
        for i in before:
            if self.table.rows[i].room & LISTED:
                self.listed.push_back(i)

    cdef void clear(self) noexcept nogil:
        """Forget all weights and labels; the version stays."""
        self.free_blocks()
        self.table.clear()
        self.labels.clear()
        self.listed.clear()
        self.unmixed.size = 0
        self.master_features = 0
        self.era += 1
        self.layout += 1

    cdef void swap(self, WeightTable other) noexcept:
        self.labels.swap(other.labels)
        self.table.swap(other.table)
        self.pool.swap(other.pool)
        self.listed.swap(other.listed)
        self.version, other.version = other.version, self.version
        self.master_features, other.master_features = other.master_features, self.master_features
        self.unmixed.swap(other.unmixed)
        self.era += 1
        self.layout += 1


cdef inline double* dense_weights(const Row* row) noexcept nogil:
    return <double*>(row.block + ((row.room & ROOM) + 63) // 64 * 8)


cdef inline uint32_t take_up(Row* row, uint32_t label) noexcept nogil:
    """Note that a dense row has a cell; 1 if it is new."""
    cdef uint64_t* bits = <uint64_t*>row.block + label // 64
    cdef uint32_t is_new = not bits[0] >> (label % 64) & 1
    bits[0] |= <uint64_t>1 << (label % 64)
    return is_new


cdef bint is_empty(Row& row) noexcept nogil:
    return row.count == 0
