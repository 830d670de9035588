from libc.stdint cimport uint32_t

from jubatus._core.kernels.bytes cimport Span


cdef enum MatchKind:
    ALL, SUFFIX, PREFIX, REGEXP, EXACT


cdef enum:
    TOO_LONG = -1


cdef struct Matcher:
    MatchKind kind
    Span text
    void* regex  # a Regex, borrowed from the rules


cdef struct KeyMatch:
    Matcher key
    bint has_excluded
    Matcher excluded


cdef Span as_span(bytes value) except *
cdef Matcher compile_matcher(object matcher) except *
cdef KeyMatch compile_match(object key, object excluded) except *
cdef int matches(const Matcher* m, const char* p, uint32_t n) noexcept nogil
cdef int selects(const KeyMatch* match, const char* p, uint32_t n) noexcept nogil
