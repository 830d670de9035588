from libc.stdint cimport uint32_t, uint64_t


cdef extern from "kernels/ids.h" namespace "jubatus" nogil:
    bint parse_id(const char* p, size_t size, uint64_t& id) noexcept
    cdef cppclass Ids:
        size_t size() noexcept
        uint64_t id "operator[]"(uint32_t at) noexcept
        uint32_t find(uint64_t id) noexcept
        uint32_t enter(uint64_t id) noexcept
        void leave(uint32_t at) noexcept
