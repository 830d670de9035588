from libc.stdint cimport uint32_t


cdef extern from "kernels/random.h" namespace "jubatus" nogil:
    cdef cppclass RandomStream:
        void seed(uint32_t word) noexcept
        uint32_t word "words" () noexcept
        double uniform() noexcept
        uint32_t below(uint32_t n) noexcept
        double beta(double alpha, double beta) noexcept
