cdef extern from "kernels/extremes.h" namespace "jubatus" nogil:
    cdef cppclass Extremes:
        size_t size() noexcept
        double value(size_t i) noexcept
        void push(double value) noexcept
        void pop() noexcept
        void clear() noexcept
        double highest() noexcept
        double lowest() noexcept
