cdef extern from "kernels/pool.h" namespace "jubatus" nogil:
    cdef cppclass Pool:
        void clear() noexcept
        char* take(size_t n) noexcept
        void give_back(char* p, size_t n) noexcept
        void swap(Pool& other) noexcept
    cdef cppclass Arena:
        char* take(size_t n) noexcept
    enum Shortage:
        NO_MEMORY, TOO_MUCH
