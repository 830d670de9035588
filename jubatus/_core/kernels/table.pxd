from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.kernels.texts cimport Pieces, Texts


cdef extern from "kernels/table.h" namespace "jubatus" nogil:
    uint32_t NONE
    void prefetch(const void* p) noexcept
    cdef cppclass NextIndex:
        void clear() noexcept
    cdef cppclass Table[Row]:
        Row* rows
        uint32_t size
        Texts names
        void clear() noexcept
        void swap(Table[Row]& other) noexcept
        void prefetch(uint64_t id) noexcept
        const Row* guess(uint64_t id) noexcept
        uint32_t find(uint64_t id) noexcept
        bint make_room(uint64_t more, NextIndex& next, size_t& left) noexcept
        void reserve(uint64_t more, uint64_t bytes) noexcept
        uint32_t insert(uint64_t id, const char* name, uint32_t n) noexcept
        uint32_t insert(uint64_t id, const Pieces& name) noexcept
        Pieces name(uint32_t at) noexcept
        void erase_if(bint (*dead)(Row&) noexcept nogil) noexcept
