from libc.stdint cimport uint32_t


cdef extern from "wire/crc.h" namespace "jubatus" nogil:
    uint32_t compute_crc(uint32_t crc, const void* data, size_t size) noexcept
