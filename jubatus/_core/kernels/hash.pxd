from libc.stdint cimport uint64_t


cdef extern from "kernels/hash.h" namespace "jubatus" nogil:
    uint64_t FNV_OFFSET
    uint64_t hash_part(const char* p, size_t n) noexcept
    uint64_t spread_key(uint64_t key) noexcept
    uint64_t spread_rest(uint64_t rest) noexcept
    uint64_t join_id(uint64_t spread_key, uint64_t token, uint64_t spread_rest) noexcept
    uint64_t name_id(const char* p, size_t n) noexcept
    uint64_t fnv1a(const char* s, size_t n) noexcept
    uint64_t fnv1(uint64_t h, const char* s, size_t n) noexcept
