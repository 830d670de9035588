"""Similar rows by hashes of their vectors: the signs of random projections, MinHash, and buckets of near vectors.

- ``lsh``: the signs of random projections; the similarity is the share of bits that are equal (Charikar 2002).
- ``minhash``: one bit of each minimum hash; the similarity is that share as well (Li and Koenig 2010).
- ``euclid_lsh``: buckets of projections, of which further ones are looked at where few rows are found (Datar et al. 2004,
  Lv et al. 2007); the similarity is the negative distance that the signs and the norms tell.

A row is hashed in the order of its features' numbers, a datum in the order in which it was converted.
"""

from libc.math cimport M_PI, cos
from libc.string cimport memcpy
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string

from jubatus._core.kernels.random cimport RandomStream
from jubatus._core.kernels.table cimport NONE
from jubatus._core.near.memory cimport blocks_of, find_winners, norm_of, project, take_signs
from jubatus._core.similar.hashed_part cimport HashedPart
from jubatus._core.similar.method cimport (
    DISTANCE, FoundRow, Measure, RowsWorkspace, SimilarRows, query_of_row, span_of, take_features,
)
from jubatus._core.unlearn cimport Unlearner


cdef class HashedRows(SimilarRows):
    """Rows that are compared by their hashes; a subclass makes them.

    Args:
        bits: of a hash.
        tables: of buckets, or 0.
        unlearner: what limits the number of rows, or None.
    """

    def __init__(self, size_t bits, size_t tables, Unlearner unlearner=None):
        SimilarRows.__init__(self, unlearner)
        self.uses_keys = True
        self.bits = bits
        self.part = HashedPart(bits, tables, self.raw, unlearner)

    cdef list parts(self):
        return [*SimilarRows.parts(self), self.part]

    cdef void hash(self, RowsWorkspace w) noexcept nogil:
        """Make the hash of the query, w.near.words."""

    cdef void find(self, RowsWorkspace w, size_t most, Measure measure) noexcept nogil:
        take_features(w)
        self.hash(w)
        self.rank(w, most, measure, True)

    cdef void find_like(self, RowsWorkspace w, const string& name, size_t most, Measure measure) noexcept nogil:
        cdef uint32_t at = self.part.store.find(name)
        cdef size_t width = self.part.store.form.width
        if at == NONE:
            w.found.clear()
            return
        w.near.words.resize(width)
        memcpy(w.near.words.data(), self.part.store.value(at), 8 * width)
        self.rank(w, most, measure, False)

    cdef void rank(self, RowsWorkspace w, size_t most, Measure measure, bint probes) noexcept nogil:
        """Put the rows whose hashes are nearest to w.near.words into w.found."""
        cdef size_t i
        cdef double score
        search_bits(self.part.store, w.near.words.data(), most, w.hashed)
        w.found.clear()
        for i in range(w.hashed.found.size()):
            score = w.hashed.found[i].score
            self.add_row(w, w.hashed.found[i].row, 1 - score if measure == DISTANCE else score)

    cdef void add_row(self, RowsWorkspace w, uint32_t at, double score) noexcept nogil:
        cdef FoundRow row
        row.name, row.score = span_of(self.part.store.names.name(at)), score
        w.found.push_back(row)

    cdef void list_rows(self, RowsWorkspace w) noexcept nogil:
        cdef uint32_t at, n = self.part.store.flags.size()
        cdef int changed
        w.found.clear()
        for changed in range(1, -1, -1):
            for at in range(n):
                if self.part.store.is_visible(at) and self.part.store.is_in_diff(at) == changed:
                    self.add_row(w, at, 0.0)

    cdef size_t count_rows(self) noexcept nogil:
        return self.part.store.count()

    cdef size_t effort(self) noexcept nogil:
        return self.part.store.flags.size() * self.part.store.form.words

    cdef void store_row(self, RowsWorkspace w, const string& name) noexcept nogil:
        query_of_row(self.raw.store, self.raw.store.find(name), w.query)
        take_features(w)
        self.hash(w)
        self.part.store.set(name, w.near.words.data())

    cdef void remove_row(self, const string& name) noexcept nogil:
        self.part.remove_row(name)


cdef class ProjectedRows(HashedRows):
    """The method ``lsh``.

    Args:
        bits: of a hash, 1 or more.
        threads: into how many groups the features of a vector are split, which decides how sums are rounded; below 0 as
            many as there are processors.
        unlearner: what limits the number of rows, or None.
    """

    def __init__(self, size_t bits, int threads, Unlearner unlearner=None):
        HashedRows.__init__(self, bits, 0, unlearner)
        self.blocks = blocks_of(threads)

    cdef void hash(self, RowsWorkspace w) noexcept nogil:
        project(w.near.features, self.bits, self.blocks, w.near.gaussians, w.near.sums)
        w.near.words.resize(self.part.store.form.width)
        take_signs(w.near.sums.data(), self.bits, w.near.words.data())


cdef class MinHashRows(HashedRows):
    """The method ``minhash``."""

    cdef void hash(self, RowsWorkspace w) noexcept nogil:
        w.near.words.resize(self.part.store.form.width)
        find_winners(
            w.near.features, self.bits, True, w.near.exponentials, w.near.winners, w.near.words.data()
        )


cdef class EuclidLshRows(HashedRows):
    """The method ``euclid_lsh``.

    Args:
        bits: of the hash of a bucket, 1 or more.
        tables: of buckets, 1 or more.
        bin_width: the width of a bucket along a projection, above 0.
        probes: how many further buckets a query looks at.
        seed: of the shifts of the buckets.
        threads: see ProjectedRows.
        unlearner: what limits the number of rows, or None.
    """

    def __init__(
        self, size_t bits, size_t tables, float bin_width, size_t probes, uint32_t seed, int threads,
        Unlearner unlearner=None,
    ):
        cdef RandomStream numbers
        cdef size_t i
        HashedRows.__init__(self, bits * tables, tables, unlearner)
        self.bin_width = bin_width
        self.probes = probes
        self.blocks = blocks_of(threads)
        numbers.seed(seed)
        for i in range(self.bits):
            self.part.store.shifts.push_back(<float>numbers.uniform())
        for i in range(self.bits + 1):
            self.cosines.push_back(cos((1 - (self.bits - i) / <double>self.bits) * M_PI))

    cdef void list_rows(self, RowsWorkspace w) noexcept nogil:
        """List the rows in the order of the original's set, which those of the diff enter in the order of its map."""
        cdef int32_t changed
        cdef uint32_t at
        w.found.clear()
        for changed in self.part.store.changed_rows():
            if self.part.store.is_visible(changed):
                self.add_row(w, changed, 0.0)
        for at in range(self.part.store.flags.size()):
            if self.part.store.is_visible(at) and not self.part.store.is_in_diff(at):
                self.add_row(w, at, 0.0)
        order_as_set(w.found)

    cdef void hash(self, RowsWorkspace w) noexcept nogil:
        project(w.near.features, self.bits, self.blocks, w.near.gaussians, w.near.sums)
        w.near.words.resize(self.part.store.form.width)
        make_value(
            self.part.store, w.near.sums.data(), self.bin_width, norm_of(w.near.features), w.near.words.data(), w.hashed
        )

    cdef size_t effort(self) noexcept nogil:
        return 4 * self.part.store.flags.size()  # at most: a search looks at some buckets only

    cdef void rank(self, RowsWorkspace w, size_t most, Measure measure, bint probes) noexcept nogil:
        cdef size_t i
        cdef double score
        search_buckets(
            self.part.store, w.near.words.data(), self.probes if probes else 0, self.cosines.data(), most, w.hashed
        )
        w.found.clear()
        for i in range(w.hashed.found.size()):
            score = w.hashed.found[i].score
            self.add_row(w, w.hashed.found[i].row, -score if measure == DISTANCE else score)
