"""Records: vectors under ids of chance, and the search for those that are nearest to a vector.

``classifier`` and ``regression`` learn by keeping records: a label is a part of the id of its record, a number stands
beside it. What is near, an inverted index finds exactly, or a method of nearest_neighbor by hashes of the vectors.
"""

import time

from libc.float cimport DBL_EPSILON
from libc.stdint cimport uint32_t
from libcpp.string cimport string

from jubatus._core.convert.workspace cimport REFUSED, Workspace
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.kernels.table cimport NONE
from jubatus._core.near.memory cimport hash_features
from jubatus._core.near.neighbours cimport LARGE_SEARCH, Neighbours
from jubatus._core.rows.inverted cimport InvertedIndex, search_cosine, search_euclid
from jubatus._core.rows.table cimport GivenRow, VersionedTable
from jubatus._core.unlearn cimport Unlearner

cdef enum:
    LETTERS = 8  # of an id

cdef const char* ALPHABET = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


cdef class RecordWorkspace(Workspace):
    """The memory of a call.

    Attributes (C level):
        id: of the record that is stored.
        found: the result of a search, the nearest record first.
        near, search: the memory of methods.
    """


cdef class Beside:
    """What a service keeps beside the records. It is told which records come and go without a call of the service."""

    cdef void came(self, const string& id) noexcept nogil:
        """Another server's record came."""

    cdef void went(self, const string& id) noexcept nogil:
        """A record was forgotten for another one."""

    cdef void settle(self) noexcept:
        """The records are those of another server, and the own new ones."""


cdef class Records:
    """Vectors by id.

    Args:
        most: how many records a search finds.
        beside: what is kept beside them.

    Attributes (C level):
        exact: up to which distance a record counts as equal to the query.
    """

    def __init__(self, size_t most, Beside beside not None):
        self.most = most
        self.beside = beside
        self.numbers.seed(time.time_ns() // 1000 & 0xffffffff)

    cdef void draw_id(self, string* id) noexcept nogil:
        """Append letters and digits by chance."""
        cdef int i
        for i in range(LETTERS):
            id.push_back(ALPHABET[self.numbers.below(62)])

    cdef int store(self, RecordWorkspace w, const string& id) noexcept nogil:
        """Store w.vector. Return REFUSED, with the text, if the unlearner cannot take the id; nothing was changed then."""
        return 0

    cdef void remove(self, const string& id) noexcept nogil:
        """Remove a record, where the method can do it."""

    cdef void find(self, RecordWorkspace w) noexcept nogil:
        """Put the records that are nearest to w.vector into w.found."""
        w.found.clear()

    cdef bint is_large(self) noexcept nogil:
        """Return whether a search takes long."""
        return False

    cdef list parts(self):
        """Return the parts as a model file has them: the unlearner if there is one, and the vectors."""
        return []

    cpdef dict status(self):
        """Return the entries of get_status."""
        return {}


cdef class RecordTable(VersionedTable):
    """The table of hashed records. Its rows bear no server's name, as in 1.1.

    Args:
        columns: of each column its number of bits, or 0 for a column of numbers.
        owner: not used.
        distributed: whether the rows go to other servers.
    """

    def __init__(self, columns, owner, bint distributed):
        VersionedTable.__init__(self, columns, "", distributed)

    cdef void receiving(self, const GivenRow* given) noexcept nogil:
        cdef string id
        id.assign(given.key.p, given.key.n)
        self.records.receive(id)

    cdef void finish_catch_up(self) noexcept:
        self.records.beside.settle()


cdef class HashedRecords(Records):
    """Records of which only a hash is kept. The distance is that of nearest_neighbor.

    Args:
        neighbours: the hashes, in a RecordTable.
        unlearner: what limits the number of records, or None.
        most, beside: see Records.
    """

    def __init__(self, Neighbours neighbours not None, Unlearner unlearner, most, beside):
        Records.__init__(self, most, beside)
        self.neighbours = neighbours
        self.unlearner = unlearner
        (<RecordTable?>neighbours.table).records = self

    cdef int store(self, RecordWorkspace w, const string& id) noexcept nogil:
        if not self.touch(id):
            w.conversion.error.assign(
                b"cannot add new ID as number of sticky IDs reached the maximum size of unlearner: "
            )
            w.conversion.error.append(id)
            return REFUSED
        hash_features(w.vector, w.near.features)
        self.neighbours.hash(&w.near)
        self.neighbours.set_row(&w.near, id)
        return 0

    cdef void remove(self, const string& id) noexcept nogil:
        self.neighbours.table.rows.remove(id)
        if self.unlearner is not None:
            self.unlearner.remove(id)

    cdef bint touch(self, const string& id) noexcept nogil:
        """Note that a record is used, and forget another one for it. Return whether the unlearner takes it."""
        cdef string removed
        cdef bint has_removed = False, is_kept
        if self.unlearner is None:
            return True
        is_kept = self.unlearner.touch(id, &removed, &has_removed)
        if has_removed:
            self.forget(removed)
        return is_kept

    cdef void forget(self, const string& id) noexcept nogil:
        """Remove a record that the unlearner forgot."""
        if self.neighbours.table.rows.remove(id):
            self.beside.went(id)

    cdef void receive(self, const string& id) noexcept nogil:
        """Make room for a record of another server, which is stored also if the unlearner does not take it."""
        self.touch(id)
        if self.neighbours.table.rows.keys.find(id) == NONE:
            self.beside.came(id)

    cdef void find(self, RecordWorkspace w) noexcept nogil:
        cdef const string* id
        cdef Found found
        cdef size_t i
        hash_features(w.vector, w.near.features)
        self.neighbours.hash(&w.near)
        self.neighbours.rank(&w.near, self.most)
        w.found.clear()
        for i in range(w.near.ranked.size()):
            id = &self.neighbours.table.rows.keys.name(w.near.ranked[i].row)
            found.id.p, found.id.n = id.data(), id.size()
            found.distance = w.near.ranked[i].distance
            w.found.push_back(found)

    cdef bint is_large(self) noexcept nogil:
        return self.neighbours.is_large()

    cdef list parts(self):
        return [self.neighbours.table] if self.unlearner is None else [self.unlearner, self.neighbours.table]

    cpdef dict status(self):
        """Return the unlearner's entries of get_status."""
        return {} if self.unlearner is None else self.unlearner.status()


cdef class IndexedRecords(Records):
    """Records in an inverted index. A record without values is never found.

    The distance is the Euclidean one; or 1 minus the cosine, and then records that have nothing in common with the query
    are not found. Of equal distances the record that came last is first.

    Args:
        by_distance: whether the distance is the Euclidean one.
        most, beside: see Records.
    """

    def __init__(self, bint by_distance, most, beside):
        Records.__init__(self, most, beside)
        self.exact = DBL_EPSILON
        self.index = InvertedIndex()
        self.by_distance = by_distance

    cdef int store(self, RecordWorkspace w, const string& id) noexcept nogil:
        self.index.store.update(id, w.vector)
        return 0

    cdef void find(self, RecordWorkspace w) noexcept nogil:
        cdef size_t n = w.vector.ids.size(), i
        cdef const string* id
        cdef Found found
        cdef double score
        if self.by_distance:
            search_euclid(
                self.index.store, w.vector.ids.data(), w.vector.values.data(), n, self.most, False, w.search
            )
        else:
            search_cosine(self.index.store, w.vector.ids.data(), w.vector.values.data(), n, self.most, w.search)
        w.found.clear()
        for i in range(w.search.best.items.size()):
            id = &self.index.store.columns.name(w.search.best.items[i].column)
            found.id.p, found.id.n = id.data(), id.size()
            score = w.search.best.items[i].score
            found.distance = -score if self.by_distance else 1.0 - max(-1.0, min(1.0, score))
            w.found.push_back(found)

    cdef bint is_large(self) noexcept nogil:
        return 8 * self.index.store.norms.size() >= LARGE_SEARCH  # a guess: how many lists a query walks is up to it

    cdef list parts(self):
        return [self.index]
