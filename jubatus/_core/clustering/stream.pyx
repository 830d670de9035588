"""The random numbers of a method or of a compressor, and samples that are drawn with them."""

from libc.stdint cimport int64_t, uint32_t
from libcpp.vector cimport vector

from jubatus._core.kernels.random cimport RandomStream

cdef extern from "clustering/points.h" namespace "jubatus" nogil:
    void put_farthest_first(vector[int64_t]& indexes, const double* distances, size_t count) noexcept


cdef class Stream:
    """The stream of random numbers of the original.

    Args:
        seed: any integer; its last 32 bits count.
    """

    def __init__(self, seed):
        self.seed(seed)

    cdef int seed(self, object seed) except -1:
        """Start again."""
        self.numbers.seed(<uint32_t>(seed & 0xffffffff))
        return 0

    def word(self):
        """Return 32 bits."""
        return self.numbers.word()

    def uniform(self):
        """Return a number in [0, 1)."""
        return self.numbers.uniform()

    def below(self, uint32_t count):
        """Return an integer in 0 .. count - 1; 0 for no count."""
        return self.numbers.below(count)


def farthest_first(bytes distances not None, size_t count):
    """Return the indexes of the largest distances, at most that many, the largest first; equal ones as in 1.1.

    Args:
        distances: float64 in the order of the machine's bytes.
        count: how many are wanted.
    """
    cdef vector[int64_t] indexes
    cdef int64_t i
    for i in range(len(distances) // 8):
        indexes.push_back(i)
    put_farthest_first(indexes, <const double*><const char*>distances, count)
    return indexes
