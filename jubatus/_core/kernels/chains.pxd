from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.vector cimport vector


cdef extern from "kernels/chains.h" namespace "jubatus" nogil:
    uint64_t PRIMES[28]
    cdef cppclass ChainNode "jubatus::Chains::Node":
        uint64_t hash
        int32_t next
    cdef cppclass Chains:
        int step
        uint32_t count
        vector[ChainNode] nodes
        void clear() noexcept
        void insert(uint32_t at, uint64_t hash) noexcept
        void erase(uint32_t at) noexcept
        void order(int32_t* out) noexcept
