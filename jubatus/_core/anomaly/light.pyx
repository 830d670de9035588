"""The method ``light_lof``: the local outlier factor of rows that are known by hashes.

Rows and their values stand in two tables of versioned rows, which servers exchange. Rows cannot be removed one by one.
"""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.anomaly.detector cimport AnomalyWorkspace, Detector, score
from jubatus._core.convert.workspace cimport REFUSED
from jubatus._core.kernels.names cimport Names
from jubatus._core.kernels.table cimport NONE
from jubatus._core.near.memory cimport NearMemory, Ranked, hash_features
from jubatus._core.near.neighbours cimport LARGE_SEARCH, Neighbours
from jubatus._core.rows.table cimport GivenRow, VersionedTable
from jubatus._core.similar.method cimport FoundRow, refuse_row, span_of
from jubatus._core.unlearn cimport Unlearner

cdef enum:
    KDIST, LRD  # columns

cdef const char* FULL = b"cannot add new ID as number of sticky IDs reached the maximum size of unlearner: "


cdef inline size_t as_size(int64_t n) noexcept nogil:
    """Return a number of rows; one below 0 stands for all of them."""
    return <uint32_t>-1 if n < 0 else n


cdef class ScoreTable(VersionedTable):
    """The distance to the k-th neighbour and the density of each row.

    Args:
        neighbours: the rows, which a row is removed from that is forgotten.
        k, reverse: of the configuration.
        unlearner: what limits the number of rows, or None. It is told of the rows of other servers too.
        owner, distributed: see VersionedTable.
    """

    def __init__(self, Neighbours neighbours not None, k, reverse, Unlearner unlearner, owner, bint distributed):
        VersionedTable.__init__(self, [0, 0], owner, distributed)
        self.neighbours = neighbours
        self.unlearner = unlearner
        self.k, self.reverse = as_size(k), as_size(reverse)

    cdef uint32_t row_of(self, const Ranked& near) noexcept nogil:
        """Return which row of this table a neighbour is, NONE for one that it has not."""
        return self.rows.keys.find(self.neighbours.table.rows.keys.name(near.row))

    cdef void rank_like(self, NearMemory* m, const string& id, size_t most) noexcept nogil:
        """Search for the neighbours of a row, which is one of them; an unknown row has none."""
        if self.neighbours.load_row(m, id):
            self.neighbours.rank(m, most)
        else:
            m.ranked.clear()

    cdef void collect(self, const vector[Ranked]& ranked, size_t most, Names& changed) noexcept nogil:
        cdef size_t i
        for i in range(min(most, ranked.size())):
            changed.enter(self.neighbours.table.rows.keys.name(ranked[i].row))

    cdef bint touch(self, NearMemory* m, const string& id) noexcept nogil:
        """Tell the unlearner that a row is stored; return whether it takes the row. Another one may be forgotten."""
        cdef string evicted
        cdef bint has_evicted = False
        if self.unlearner is None:
            return True
        if not self.unlearner.touch(id, &evicted, &has_evicted):
            return False
        if has_evicted:
            self.forget(m, evicted)
        return True

    cdef void forget(self, NearMemory* m, const string& id) noexcept nogil:
        """Remove a row from both tables, and compute the rows around it again."""
        cdef Names changed
        cdef vector[Ranked] nothing
        self.rank_like(m, id, self.reverse)
        self.collect(m.ranked, self.reverse, changed)
        if changed.find(id) != NONE:
            changed.leave(changed.find(id))
        self.neighbours.table.rows.remove(id)
        self.rows.remove(id)
        self.compute(m, changed, NULL, nothing)

    cdef void compute(
        self, NearMemory* m, const Names& changed, const string* own_id, const vector[Ranked]& own
    ) noexcept nogil:
        """Compute the values of rows again: first how far the neighbours are, then the densities, which depend on it.

        The neighbours of one of the rows, `own_id` unless that is NULL, were sought before.
        """
        cdef int32_t at
        cdef uint32_t row
        cdef size_t i, start = 0
        self.lists.clear()
        self.rows_of_lists.clear()
        self.ends.clear()
        for at in changed.order():
            row = self.rows.keys.find(changed.name(at))
            if row == NONE:
                continue
            if own_id != NULL and changed.name(at) == own_id[0]:
                m.ranked.assign(own.begin(), own.begin() + min(self.k, own.size()))
            else:
                self.rank_like(m, changed.name(at), self.k)
            self.lists.insert(self.lists.end(), m.ranked.begin(), m.ranked.end())
            self.rows_of_lists.push_back(row)
            self.ends.push_back(self.lists.size())
            self.rows.columns[KDIST].set_number(row, m.ranked.back().distance if not m.ranked.empty() else 0)
            self.rows.touch(row)
        for i in range(self.rows_of_lists.size()):
            self.compute_density(self.rows_of_lists[i], start, self.ends[i])
            start = self.ends[i]

    cdef void compute_density(self, uint32_t row, size_t start, size_t end) noexcept nogil:
        cdef double reach = 0, density = 1
        cdef uint32_t near
        cdef size_t n = 0, i
        for i in range(start, end):
            near = self.row_of(self.lists[i])
            if near != NONE:
                reach += max(self.lists[i].distance, self.rows.columns[KDIST].number(near))
                n += 1
        if n:
            density = n / reach if reach != 0 else INFINITY
        self.rows.columns[LRD].set_number(row, density)

    cdef void receiving(self, const GivenRow* given) noexcept nogil:
        cdef string id, evicted
        cdef bint has_evicted = False
        if self.unlearner is None:
            return
        id.assign(given.key.p, given.key.n)
        self.unlearner.touch(id, &evicted, &has_evicted)
        if has_evicted:
            self.evicted.push_back(evicted)

    cdef void received(self) noexcept nogil:
        cdef size_t i
        for i in range(self.evicted.size()):
            if not self.unlearner.knows(self.evicted[i]):
                self.forget(&self.memory, self.evicted[i])
        self.evicted.clear()


cdef class LightLof(Detector):
    """Rows known by hashes, with their local outlier factors.

    Args:
        k: how many neighbours a row is compared with; the row itself is one of its own neighbours. Below 0 all.
        reverse: how many rows around a change are computed again.
        ignores: whether a point is not stored where k - 1 equal ones are.
        neighbours: the rows.
        unlearner: what limits their number, or None.
        context: where the model runs.
        distributed: whether it takes part in MIX.
    """

    def __init__(
        self, k, reverse, bint ignores, Neighbours neighbours not None, Unlearner unlearner, context, bint distributed
    ):
        self.scores = ScoreTable(neighbours, k, reverse, unlearner, context.name, distributed)
        self.neighbours = neighbours
        self.k, self.reverse = k, reverse
        self.ignores = ignores

    cdef list parts(self):
        cdef list tables = [self.neighbours.table, self.scores]
        return tables if self.scores.unlearner is None else [self.scores.unlearner, *tables]

    cdef int update(self, AnomalyWorkspace w, const string& id, double* result) noexcept nogil:
        w.conversion.error.assign(b"unsupported method (update_row)")
        return REFUSED

    cdef int clear_row(self, AnomalyWorkspace w, const string& id) noexcept nogil:
        w.conversion.error.assign(b"unsupported method (clear_row)")
        return REFUSED

    cdef int overwrite(self, AnomalyWorkspace w, const string& id, double* result) noexcept nogil:
        cdef Names changed
        cdef size_t i
        self.hash(w)
        if self.ignore(w):
            self.neighbours.rank(&w.near, as_size(self.k))
            return self.score_ranked(w, w.near.ranked, result)
        w.hash.assign(w.near.words.begin(), w.near.words.end())
        w.norm = w.near.norm
        if self.scores.rows.keys.find(id) != NONE:
            self.scores.rank_like(&w.near, id, self.scores.reverse)
            self.scores.collect(w.near.ranked, self.scores.reverse, changed)
        if not self.scores.touch(&w.near, id):
            return refuse_row(w, FULL, id)
        w.near.words.assign(w.hash.begin(), w.hash.end())
        w.near.norm = w.norm
        self.neighbours.set_row(&w.near, id)
        # One search gives all lists of the row itself: of a longer list the head is the shorter one.
        self.neighbours.rank(
            &w.near, max(self.scores.reverse, max(as_size(self.k), as_size(self.k + 1)))
        )
        w.own_ranked.swap(w.near.ranked)
        self.scores.collect(w.own_ranked, self.scores.reverse, changed)
        self.add_row(id)
        changed.enter(id)
        self.scores.compute(&w.near, changed, &id, w.own_ranked)
        w.near.ranked.assign(
            w.own_ranked.begin(), w.own_ranked.begin() + min(as_size(self.k + 1), w.own_ranked.size())
        )
        for i in range(w.near.ranked.size()):
            if self.neighbours.table.rows.keys.name(w.near.ranked[i].row) == id:
                w.near.ranked[i] = w.near.ranked.back()
                w.near.ranked.pop_back()
                break
        if w.near.ranked.size() > as_size(self.k):
            w.near.ranked.resize(as_size(self.k))
        return self.score_ranked(w, w.near.ranked, result)

    cdef void add_row(self, const string& id) noexcept nogil:
        """Enter a row, whose values are computed next."""
        cdef uint32_t row = self.scores.rows.set(id.data(), id.size())
        self.scores.rows.columns[KDIST].set_number(row, -1)
        self.scores.rows.columns[LRD].set_number(row, -1)

    cdef int score_vector(self, AnomalyWorkspace w, double* result) noexcept nogil:
        self.hash(w)
        self.neighbours.rank(&w.near, as_size(self.k))
        return self.score_ranked(w, w.near.ranked, result)

    cdef int add_to_bulk(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil:
        self.hash(w)
        if not self.ignore(w):
            self.neighbours.set_row(&w.near, id)
            w.stored.push_back(id)
        return 0

    cdef int finish_bulk(self, AnomalyWorkspace w, Names& changed) noexcept nogil:
        cdef vector[Ranked] nothing
        cdef size_t i
        for i in range(w.stored.size()):
            if not self.scores.touch(&w.near, w.stored[i]):
                return refuse_row(w, FULL, w.stored[i])
            self.scores.rank_like(&w.near, w.stored[i], self.scores.reverse)
            self.scores.collect(w.near.ranked, self.scores.reverse, changed)
            self.add_row(w.stored[i])
            changed.enter(w.stored[i])
        self.scores.compute(&w.near, changed, NULL, nothing)
        return 0

    cdef void hash(self, AnomalyWorkspace w) noexcept nogil:
        hash_features(w.vector, w.near.features)
        self.neighbours.hash(&w.near)

    cdef bint ignore(self, AnomalyWorkspace w) noexcept nogil:
        """Return whether the row that was hashed would be one equal point too many."""
        cdef size_t wanted = as_size(self.k - 1)
        if not self.ignores or wanted == 0:
            return False
        self.neighbours.rank(&w.near, wanted)
        if w.near.ranked.size() < wanted or w.near.ranked.back().distance != 0:
            return False
        self.ignored += 1
        return True

    cdef int score_ranked(self, AnomalyWorkspace w, const vector[Ranked]& ranked, double* result) noexcept nogil:
        """Say how far a point lies out whose neighbours were found."""
        cdef double reach = 0, densities = 0
        cdef uint32_t row
        cdef size_t i
        for i in range(ranked.size()):
            row = self.scores.row_of(ranked[i])
            if row == NONE:
                w.conversion.error.assign(b'row "')
                w.conversion.error.append(self.neighbours.table.rows.keys.name(ranked[i].row))
                w.conversion.error.append(b'" not found in light_lof table')
                return REFUSED
            densities += self.scores.rows.columns[LRD].number(row)
            reach += max(ranked[i].distance, self.scores.rows.columns[KDIST].number(row))
        result[0] = score(ranked.size(), densities, reach)
        return 0

    cdef void list_rows(self, AnomalyWorkspace w) noexcept nogil:
        cdef FoundRow found
        cdef uint32_t row
        w.found.clear()
        found.score = 0
        for row in range(self.neighbours.table.rows.size()):
            found.name = span_of(self.neighbours.table.rows.keys.name(row))
            w.found.push_back(found)

    cdef bint is_large(self) noexcept:
        return self.neighbours.table.rows.size() * self.neighbours.words * 8 >= LARGE_SEARCH  # a call searches often

    cpdef dict status(self):
        return {
            "num_id": str(self.scores.rows.size()),
            **Detector.status(self),
            **({} if self.scores.unlearner is None else self.scores.unlearner.status()),
        }
