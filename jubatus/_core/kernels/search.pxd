from libcpp.string cimport string

from jubatus._core.kernels.bytes cimport Span


cdef extern from "kernels/search.h" namespace "jubatus" nogil:
    cdef cppclass SearchedText:
        void start(Span other, bint for_many) noexcept
        bint has(const string& word) noexcept
