from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport Vector, Workspace


cdef extern from "kernels/bits.h" namespace "jubatus" nogil:
    ctypedef void (*CountDifferences)(
        const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out
    ) noexcept nogil
    cdef cppclass BitKernels:
        CountDifferences ways[4]
        int count
    const BitKernels& bit_kernels() noexcept


cdef extern from "near/hashes.h" namespace "jubatus" nogil:
    struct HashedFeature:
        uint64_t hash
        double value
    cdef cppclass Gaussians:
        pass
    cdef cppclass Exponentials:
        pass
    cdef cppclass Winners:
        pass
    void hash_features(const Vector& v, vector[HashedFeature]& out) noexcept
    double norm_of(const vector[HashedFeature]& features) noexcept
    void project(
        const vector[HashedFeature]& features, size_t n, uint32_t blocks, Gaussians& gaussians, vector[float]& sums
    ) noexcept
    uint32_t blocks_of(int32_t threads) noexcept
    void take_signs(const float* sums, size_t n, uint64_t* words) noexcept
    void find_winners(
        const vector[HashedFeature]& features, size_t n, bint rounds_late, Exponentials& exponentials, Winners& winners,
        uint64_t* words
    ) noexcept


cdef extern from "near/rank.h" namespace "jubatus" nogil:
    struct Ranked:
        double distance
        uint32_t row
    void rank_by_bits(
        const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t threads, size_t most,
        vector[Ranked]& out
    ) noexcept
    void rank_by_distance(
        const uint64_t* query, double norm, const uint64_t* vectors, const double* norms, size_t bits, size_t n,
        const double* cosines, uint32_t threads, size_t most, vector[Ranked]& out
    ) noexcept


cdef extern from "near/memory.h" namespace "jubatus" nogil:
    cdef cppclass NearMemory:
        vector[HashedFeature] features
        Gaussians gaussians
        Exponentials exponentials
        Winners winners
        vector[float] sums
        vector[uint64_t] words
        double norm
        vector[Ranked] ranked


cdef class NearWorkspace(Workspace):
    cdef NearMemory near
