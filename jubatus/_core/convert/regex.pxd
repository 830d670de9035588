# C interface of the regular expressions.
cimport cython
from libc.stdint cimport uint32_t


cdef enum:
    SLACK = 3  # bytes that must be readable behind a text that ends inside a character


@cython.final
cdef class Regex:
    cdef void* _compiled
    cdef readonly bytes pattern
    cdef readonly int groups
    cdef readonly int slots
    cdef bint has_start_anchor

    cdef int match_at(
        self, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends, int max_groups
    ) noexcept nogil
    cdef int find_from(
        self, const char* text, Py_ssize_t size, uint32_t* at, int* begins, int* ends, int max_groups
    ) noexcept nogil
    cdef int attempt(
        self, bint search, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends, int max_groups
    ) noexcept nogil


cdef inline bint ends_inside_character(const char* text, Py_ssize_t size) noexcept nogil:
    """Tell whether the last bytes of a text want more bytes than there are: the library reads such a text too far."""
    cdef const unsigned char* bytes = <const unsigned char*>text
    return (
        (size > 0 and bytes[size - 1] >= 0xC0)
        or (size > 1 and bytes[size - 2] >= 0xE0)
        or (size > 2 and bytes[size - 3] >= 0xF0)
    )
