from libc.stdint cimport uint32_t

from jubatus._core.regex cimport Regex
from jubatus._core.sparse cimport Span, Work


cdef enum:
    MAX_GROUPS = 64
    REFUSED = -100  # the datum cannot be converted; Work.error says why


cdef Span padded(Work* w, Span value) noexcept nogil
cdef int split_matches(Work* w, Regex regex, int group, Span value) noexcept nogil
cdef int split_separated(Work* w, Span value, const uint32_t* separators, size_t n) noexcept nogil
