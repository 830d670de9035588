# C interface of the regular expressions.
cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libcpp.vector cimport vector


cdef enum:
    SLACK = 3  # bytes that must be readable behind a text that ends inside a character


cdef extern from "regex/scan.h" namespace "jubatus" nogil:
    ctypedef int (*ScanMatch)(void* regex, const unsigned char* text, const unsigned char* end, const unsigned char* at,
                              void* region, unsigned int option) noexcept
    uint64_t LONG_STEP_NS, STEPS_PER_BYTE
    enum:
        SCAN_NO, SCAN_YES, SCAN_ASK
    struct ScanStep:
        int op, a, b, number
    cdef cppclass ScanClass:
        void* regex
        ScanMatch match
        uint8_t answers[256]
        uint8_t lengths[256]
    cdef cppclass ScanProgram:
        vector[ScanStep] steps
        vector[ScanClass] classes
        int splits, spans, groups
        bint refers
        bint has_first
        uint8_t first[256]
    cdef cppclass Search:
        uint64_t left, limit
        void* parameters
        void (*free_parameters)(void*) noexcept
        int saved[128]
        void start(size_t size) noexcept
        bint charge(uint64_t steps) noexcept
        bint charge_callout(uint64_t steps) noexcept
        uint64_t used() noexcept
    int scan(ScanProgram& program, Search& s, const char* text, size_t size, uint32_t* at, bint only_here) noexcept


@cython.final
cdef class Regex:
    cdef void* _compiled
    cdef readonly bytes pattern
    cdef const char* text
    cdef size_t length
    cdef readonly int groups
    cdef readonly int slots
    cdef int live  # steps that can be reached
    cdef bint has_start_anchor, counts
    cdef dict parts
    cdef ScanProgram* program

    cdef int compile_steps(self) except -1
    cdef int add_callouts(self) except -1
    cdef int run(
        self, Search* s, const char* text, Py_ssize_t size, uint32_t* at, bint only_here, int* begins, int* ends,
        int max_groups,
    ) noexcept nogil
    cdef int match_at(
        self, Search* s, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends, int max_groups
    ) noexcept nogil
    cdef int find_from(
        self, Search* s, const char* text, Py_ssize_t size, uint32_t* at, int* begins, int* ends, int max_groups
    ) noexcept nogil
    cdef int attempt(
        self, Search* s, bint search, const char* text, Py_ssize_t size, Py_ssize_t at, int* begins, int* ends,
        int max_groups,
    ) noexcept nogil
    cdef list listed(self, int length, const vector[int]& spans)


cdef inline bint ends_inside_character(const char* text, Py_ssize_t size) noexcept nogil:
    """Tell whether the last bytes of a text want more bytes than there are: the library reads such a text too far."""
    cdef const unsigned char* bytes = <const unsigned char*>text
    return (
        (size > 0 and bytes[size - 1] >= 0xC0)
        or (size > 1 and bytes[size - 2] >= 0xE0)
        or (size > 2 and bytes[size - 3] >= 0xF0)
    )
