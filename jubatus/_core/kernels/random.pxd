from libc.stdint cimport uint32_t

from jubatus._core.kernels.bytes cimport Buffer, Cursor


cdef extern from "kernels/random.h" namespace "jubatus" nogil:
    cdef cppclass RandomStream:
        void seed(uint32_t word) noexcept
        uint32_t word "words" () noexcept
        double uniform() noexcept
        uint32_t below(uint32_t n) noexcept
        double beta(double alpha, double beta) noexcept
    void write_stream(Buffer& out, const RandomStream& stream) noexcept
    int read_stream(Cursor& c, RandomStream& stream) noexcept
