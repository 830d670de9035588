from libc.stdint cimport int32_t, uint32_t
from libcpp.string cimport string
from libcpp.vector cimport vector


cdef extern from "kernels/names.h" namespace "jubatus" nogil:
    cdef cppclass Names:
        void swap(Names& other) noexcept
        size_t size() noexcept
        const string& name(uint32_t at) noexcept
        uint32_t find(const string& name) noexcept
        uint32_t enter(const string& name) noexcept
        void leave(uint32_t at) noexcept
        vector[int32_t] order() noexcept
        void clear() noexcept
