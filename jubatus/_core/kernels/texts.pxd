from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.kernels.bytes cimport Buffer, Span


cdef extern from "kernels/texts.h" namespace "jubatus" nogil:
    cdef cppclass Pieces:
        Span head, token, tail
        uint32_t size() noexcept
        uint64_t hash() noexcept
        void write(Buffer& out) noexcept
    cdef cppclass Texts:
        uint64_t size
        bint whole
        void clear() noexcept
        uint64_t copy(const Texts& other, uint64_t at) noexcept
        Pieces pieces(uint64_t at) noexcept
