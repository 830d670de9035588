"""The nearest-neighbour methods: rows of a table, each known by a hash of its vector, and the search for the nearest.

- ``lsh`` hashes by the signs of random projections; the distance is the share of the bits that differ (Charikar 2002).
- ``minhash`` keeps one bit of each minimum hash (Ioffe 2010, Li and Koenig 2010); the distance is that share as well.
- ``euclid_lsh`` also stores the norm; the angle that the bits tell and both norms give the Euclidean distance.

A vector is replaced by its hash: the vectors themselves are not kept. A search looks at all rows.
"""

from libc.math cimport M_PI, cos
from libc.stdint cimport uint32_t
from libc.string cimport memcpy
from libcpp.string cimport string

from jubatus._core.kernels.table cimport NONE
from jubatus._core.near.memory cimport (
    NearMemory, blocks_of, find_winners, norm_of, project, rank_by_bits, rank_by_distance, take_signs,
)
from jubatus._core.rows.table cimport VersionedTable

from jubatus._core.schema import INTEGER, Field, optional, read, require, structure
from jubatus.errors import UnsupportedMethod

METHODS = {"lsh": LSH, "euclid_lsh": EUCLID_LSH, "minhash": MINHASH}
MOST_BITS = 1 << 20

_HASHED = {"hash_num": Field(INTEGER), "threads": optional(INTEGER, 0)}
PROJECTED_PARAMETER = structure({**_HASHED, "cache_size": optional(INTEGER, 0)})
MINHASH_PARAMETER = structure(_HASHED)

def make_neighbours(name, parameter, path, context, distributed, table=VersionedTable):
    """Return the Neighbours that a configuration names.

    Args:
        name: a key of METHODS.
        parameter: ``hash_num`` (bits of a hash, 1 to MOST_BITS), ``threads`` (into how many groups the features of a
            vector are split: this decides how sums are rounded; none by default) and, but for minhash, ``cache_size``
            (not used: random numbers are kept in memory of a fixed size).
        path: where the parameter stands in the configuration.
        context: where the model runs.
        distributed: whether it takes part in MIX.
        table: the class of the table of rows.

    Raises:
        ConfigError: for a parameter that cannot be used.
        UnsupportedMethod: for another name.
    """
    if name not in METHODS:
        raise UnsupportedMethod(name, *METHODS)
    members = read(parameter, MINHASH_PARAMETER if name == "minhash" else PROJECTED_PARAMETER, path)
    require(
        path,
        (1 <= members["hash_num"] <= MOST_BITS, f"1 <= hash_num <= {MOST_BITS}"),
        (0 <= members.get("cache_size", 0), "0 <= cache_size"),
    )
    return Neighbours(METHODS[name], members["hash_num"], members["threads"], context, distributed, table)


cdef class Neighbours:
    """Rows with hashes, and the search for the nearest of them.

    Args:
        method: of METHODS.
        bits: of a hash.
        threads: into how many groups the features of a vector are split; below 0 as many as there are processors.
        context: where the model runs.
        distributed: whether it takes part in MIX.
        table: the class of the table of rows, a VersionedTable.

    Attributes (C level):
        table: the rows: a column with the hashes, and for ``euclid_lsh`` one with the norms.
    """

    def __init__(self, Method method, size_t bits, int threads, context, bint distributed, table=VersionedTable):
        cdef size_t i
        self.method = method
        self.bits = bits
        self.words = (bits + 63) // 64
        self.blocks = blocks_of(threads)
        self.threads = context.threads
        self.table = table([bits, 0] if method == EUCLID_LSH else [bits], context.name, distributed)
        if method == EUCLID_LSH:
            for i in range(bits + 1):
                self.cosines.push_back(cos(i * M_PI / bits))

    cdef void hash(self, NearMemory* m) noexcept nogil:
        """Make hash and norm of the features."""
        m.words.resize(self.words)
        if self.method == MINHASH:
            find_winners(m.features, self.bits, False, m.exponentials, m.winners, m.words.data())
            return
        project(m.features, self.bits, self.blocks, m.gaussians, m.sums)
        take_signs(m.sums.data(), self.bits, m.words.data())
        if self.method == EUCLID_LSH:
            m.norm = norm_of(m.features)

    cdef void set_row(self, NearMemory* m, const string& id) noexcept nogil:
        """Replace a row by the hash that was made last."""
        cdef uint32_t row = self.table.rows.set(id.data(), id.size())
        memcpy(self.table.rows.columns[0].at(row), m.words.data(), 8 * self.words)
        if self.method == EUCLID_LSH:
            self.table.rows.columns[1].set_number(row, m.norm)

    cdef bint load_row(self, NearMemory* m, const string& id) noexcept nogil:
        """Take the hash of a row as that of the query. Return whether there is such a row."""
        cdef uint32_t row = self.table.rows.keys.find(id)
        if row == NONE:
            return False
        m.words.resize(self.words)
        memcpy(m.words.data(), self.table.rows.columns[0].at(row), 8 * self.words)
        if self.method == EUCLID_LSH:
            m.norm = self.table.rows.columns[1].number(row)
        return True

    cdef void rank(self, NearMemory* m, size_t most) noexcept nogil:
        """Find up to `most` rows by ascending distance from the query; of equal ones the first row comes first."""
        cdef uint32_t n = self.table.rows.size()
        cdef size_t i
        if n == 0 or most == 0:
            m.ranked.clear()
            return
        if self.method == EUCLID_LSH:
            rank_by_distance(
                m.words.data(), m.norm, self.table.rows.columns[0].at(0), self.table.rows.columns[1].numbers(),
                self.bits, n, self.cosines.data(), self.threads, most, m.ranked,
            )
            return
        rank_by_bits(m.words.data(), self.table.rows.columns[0].at(0), self.words, n, self.threads, most, m.ranked)
        for i in range(m.ranked.size()):
            m.ranked[i].distance /= self.bits

    cdef double similarity(self, double distance) noexcept nogil:
        """Return the similarity that belongs to a distance: 1 minus a share of bits, or minus a Euclidean distance."""
        return -distance if self.method == EUCLID_LSH else 1 - distance

    cdef bint is_large(self) noexcept nogil:
        """Return whether a search looks through so many rows that it takes long."""
        return self.table.rows.size() * self.words >= LARGE_SEARCH
