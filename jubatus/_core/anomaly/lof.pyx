"""The method ``lof``: the local outlier factor of rows that any method of the recommender keeps and finds.

When a row comes or moves, its values and those of the rows around its old and its new place are computed again. When a
row goes, nothing is computed: the others keep what they have.
"""

from libc.stdint cimport int32_t
from libcpp.string cimport string

from jubatus._core.anomaly.detector cimport AnomalyWorkspace, Detector, Entry, score
from jubatus._core.anomaly.part cimport LofPart
from jubatus._core.convert.workspace cimport REFUSED
from jubatus._core.kernels.names cimport Names
from jubatus._core.near.neighbours cimport LARGE_SEARCH
from jubatus._core.rows.raw cimport RawRow
from jubatus._core.similar.hashed cimport EuclidLshRows
from jubatus._core.similar.method cimport (
    DISTANCE, FoundRow, SimilarRows, query_of_row, query_of_vector, refuse_row,
)
from jubatus._core.unlearn cimport Unlearner

cdef const char* FULL = b"cannot add new row as number of sticky rows reached the maximum size of unlearner: "
cdef double LEAST = 1e-15  # is added to a sum of distances, by which a density is finite


cdef class Lof(Detector):
    """Rows with their local outlier factors.

    Args:
        k: how many neighbours a row is compared with; the row itself is one of its own neighbours.
        reverse: how many rows around a change are computed again.
        ignores: whether a point is not stored where k - 1 equal ones are.
        rows: keeps the rows and finds neighbours.
        unlearner: what limits the number of rows, or None.
    """

    def __init__(self, k, reverse, bint ignores, SimilarRows rows not None, Unlearner unlearner=None):
        self.rows = rows
        self.part = LofPart(k, reverse, ignores, rows, unlearner)
        self.ignores = ignores
        self.updates = True
        # Of a longer list of neighbours the head is the shorter one, unless a search ends once it has enough.
        self.has_prefixes = not isinstance(rows, EuclidLshRows)

    cdef list parts(self):
        cdef list own = [self.part, self.rows.parts()]
        return own if self.part.unlearner is None else [self.part.unlearner, *own]

    cdef int update(self, AnomalyWorkspace w, const string& id, double* result) noexcept nogil:
        cdef Names changed
        cdef int status
        w.knows_own = False
        if not self.can_store(id):
            return refuse_row(w, FULL, id)
        if self.ignore(w, id):
            self.rows.find(w, self.part.store.k, DISTANCE)
            return self.score_found(w, result)
        status = self.store_point(w, id, changed)
        if status == 0:
            status = self.compute(w, changed)
        if status:
            return status
        if self.part.touch(id):
            w.knows_own = False
        return self.score_row(w, id, result)

    cdef bint can_store(self, const string& id) noexcept nogil:
        return self.part.unlearner is None or self.part.unlearner.can_touch(id)

    cdef int overwrite(self, AnomalyWorkspace w, const string& id, double* result) noexcept nogil:
        self.part.remove_row(id)  # the unlearner still knows it: a random one keeps its place
        return self.update(w, id, result)

    cdef int clear_row(self, AnomalyWorkspace w, const string& id) noexcept nogil:
        if self.part.unlearner is not None:
            self.part.unlearner.remove(id)
        self.part.remove_row(id)
        return 0

    cdef int score_vector(self, AnomalyWorkspace w, double* result) noexcept nogil:
        self.rows.ask_vector(w)
        self.rows.find(w, self.part.store.k, DISTANCE)
        return self.score_found(w, result)

    cdef int add_to_bulk(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil:
        cdef int status
        w.knows_own = False
        if not self.can_store(id) or self.ignore(w, id):
            return 0
        status = self.store_point(w, id, changed)
        if status == 0:
            self.part.touch(id)
            w.stored.push_back(id)
        return status

    cdef int finish_bulk(self, AnomalyWorkspace w, Names& changed) noexcept nogil:
        w.knows_own = False
        return self.compute(w, changed)

    cdef bint ignore(self, AnomalyWorkspace w, const string& id) noexcept nogil:
        """Return whether a row would be one equal point too many. Then w.query is what the row would be."""
        cdef size_t i, k, n, wanted = self.part.store.k - 1
        if not self.part.store.ignores:
            return False
        query_of_vector(w.vector, self.rows.uses_keys, w.given)
        query_of_row(self.rows.raw.store, self.rows.raw.store.find(id), w.query)
        n = w.query.ids.size()
        for i in range(w.given.ids.size()):
            k = 0
            while k < n and w.query.ids[k] != w.given.ids[i]:
                k += 1
            if k < n:
                w.query.values[k] = w.given.values[i]
                continue
            w.query.ids.push_back(w.given.ids[i])
            w.query.values.push_back(w.given.values[i])
            if self.rows.uses_keys:
                w.query.keys.push_back(w.given.keys[i])
        self.rows.find(w, wanted, DISTANCE)
        if w.found.size() < wanted or w.found.back().score != 0:
            return False
        self.ignored += 1
        return True

    cdef int store_point(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil:
        """Store w.vector, and collect the rows around its old and its new place."""
        cdef const RawRow* row = self.rows.raw.store.find(id)
        cdef int status
        if row != NULL and not row.empty():
            self.collect(w, id, changed)
        status = self.rows.update_row(w, id)
        if status == 0:
            self.find_own(w, id)
            self.collect(w, id, changed)
            changed.enter(id)
        return status

    cdef void find_own(self, AnomalyWorkspace w, const string& id) noexcept nogil:
        """Search for the neighbours of a row once for all that follows, if the search allows it."""
        w.knows_own = False
        if self.has_prefixes:
            self.rows.find_like(w, id, max(self.part.store.reverse, self.part.store.k + 1), DISTANCE)
            w.own.swap(w.found)
            w.own_id = id
            w.knows_own = True

    cdef void find_near(self, AnomalyWorkspace w, const string& id, size_t most) noexcept nogil:
        """Put the nearest rows of a row into w.found."""
        if not w.knows_own or id != w.own_id:
            self.rows.find_like(w, id, most, DISTANCE)
            return
        w.found.assign(w.own.begin(), w.own.begin() + min(most, w.own.size()))

    cdef void collect(self, AnomalyWorkspace w, const string& id, Names& changed) noexcept nogil:
        cdef string name
        cdef size_t i
        self.find_near(w, id, self.part.store.reverse)
        for i in range(w.found.size()):
            name.assign(w.found[i].name.p, w.found[i].name.n)
            changed.enter(name)

    cdef int compute(self, AnomalyWorkspace w, const Names& changed) noexcept nogil:
        """Compute the values of rows again: first how far the neighbours are, then the densities, which depend on it."""
        cdef int32_t at
        cdef size_t k = self.part.store.k, start = 0, i = 0
        cdef int status = 0
        w.lists.clear()
        w.ends.clear()
        for at in changed.order():
            self.find_near(w, changed.name(at), k)
            w.lists.insert(w.lists.end(), w.found.begin(), w.found.end())
            w.ends.push_back(w.lists.size())
            if not w.found.empty():
                self.part.store.change(changed.name(at)).kdist = w.found.back().score
        for at in changed.order():
            status = self.compute_density(w, changed.name(at), w.lists.data() + start, w.ends[i] - start)
            if status:
                return status
            start = w.ends[i]
            i += 1
        return 0

    cdef int compute_density(
        self, AnomalyWorkspace w, const string& id, const FoundRow* near, size_t n
    ) noexcept nogil:
        cdef const Entry* entry
        cdef double reach = 0, density = 1
        cdef size_t i
        for i in range(n):
            entry = self.look_up(w, near[i])
            if entry == NULL:
                return REFUSED
            reach += max(near[i].score, entry.kdist)
        if n:
            density = n / (reach + LEAST)
        self.part.store.change(id).lrd = density
        return 0

    cdef const Entry* look_up(self, AnomalyWorkspace w, const FoundRow& row) noexcept nogil:
        """Return what is known of a neighbour; NULL, with the text, if it has gone or is not known yet."""
        cdef const Entry* entry
        w.name.assign(row.name.p, row.name.n)
        entry = self.part.store.find(w.name)
        if entry != NULL and not entry.is_removed():
            return entry
        w.conversion.error.assign(
            b"specified row does not exist" if entry == NULL else b"specified row is recently removed"
        )
        return NULL

    cdef int score_row(self, AnomalyWorkspace w, const string& id, double* result) noexcept nogil:
        """Say how far a row lies out; the row itself is none of its neighbours."""
        cdef size_t i
        self.find_near(w, id, self.part.store.k + 1)
        for i in range(w.found.size()):
            w.name.assign(w.found[i].name.p, w.found[i].name.n)
            if w.name == id:
                w.found[i] = w.found.back()
                w.found.pop_back()
                break
        return self.score_found(w, result)

    cdef int score_found(self, AnomalyWorkspace w, double* result) noexcept nogil:
        """Say how far a point lies out whose neighbours are w.found."""
        cdef const Entry* entry
        cdef double reach = 0
        cdef size_t i
        w.densities.clear()
        for i in range(w.found.size()):
            entry = self.look_up(w, w.found[i])
            if entry == NULL:
                return REFUSED
            w.densities.add(w.found[i].name, entry.lrd)
            reach += max(w.found[i].score, entry.kdist)
        result[0] = score(w.found.size(), w.densities.sum(), reach)
        return 0

    cdef void list_rows(self, AnomalyWorkspace w) noexcept nogil:
        self.rows.list_rows(w)

    cdef bint is_large(self) noexcept:
        return self.rows.effort() * 8 >= LARGE_SEARCH  # a call searches many times

    cpdef dict status(self):
        return {
            "num_id_master": str(self.part.store.master.names.size()),
            "num_id_diff": str(self.part.store.diff.names.size()),
            **Detector.status(self),
            **({} if self.part.unlearner is None else self.part.unlearner.status()),
        }
