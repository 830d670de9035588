from libc.stdint cimport uint32_t

from jubatus._core.convert.regex cimport Regex
from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport Span


cdef enum:
    MAX_GROUPS = 64


cdef Span pad(Conversion* w, Span value) noexcept nogil
cdef int split_matches(Conversion* w, Regex regex, int group, Span value) noexcept nogil
cdef int split_separated(Conversion* w, Span value, const uint32_t* separators, size_t n) noexcept nogil
