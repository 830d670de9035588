from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector


cdef extern from "kernels/order.h" namespace "jubatus" nogil:
    struct Keyed:
        uint64_t key
        uint32_t at
        uint32_t size
    uint64_t prefix_of(const char* p, uint32_t n) noexcept
    void sort_by_key(vector[Keyed]& items, vector[Keyed]& spare) noexcept
    cdef cppclass NameOrder[Row]:
        vector[Keyed] items
        void sort(const Row* first, uint32_t n) noexcept
