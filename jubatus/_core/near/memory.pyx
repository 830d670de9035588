"""The memory that a call needs to find rows that are near a vector."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Workspace


cdef class NearWorkspace(Workspace):
    """The memory that a search for near rows needs besides.

    Attributes (C level):
        near: features by their hashes, random numbers that were used lately, and the rows that were found.
    """


def differences(bytes query not None, bytes vectors not None):
    """Count the bits by which a query differs from vectors, in each way that the processor can.

    Args:
        query: words of 64 bits, the lowest byte first.
        vectors: some of the same size, one after the other.

    Returns:
        a list of counts for each way, the fastest first; the last one is the portable way. All must be equal.
    """
    cdef size_t words = len(query) // 8, n = len(vectors) // (8 * words)
    cdef vector[uint64_t] left, right
    cdef vector[uint32_t] counts
    cdef int way
    left.resize(words)
    right.resize(n * words)
    counts.resize(n)
    memcpy(left.data(), PyBytes_AS_STRING(query), 8 * words)
    memcpy(right.data(), PyBytes_AS_STRING(vectors), 8 * n * words)
    found = []
    for way in range(bit_kernels().count):
        bit_kernels().ways[way](left.data(), right.data(), words, n, counts.data())
        found.append(list(counts))
    return found
