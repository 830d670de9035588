from libc.stdint cimport uint32_t, uint64_t

from jubatus._core.convert.workspace cimport Conversion, StringValue
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.regex.regex cimport Regex


cdef enum:
    MAX_GROUPS = 64


cdef Span pad(Conversion* w, Span value) noexcept nogil
cdef int split_matches(Conversion* w, Regex regex, int group, size_t number, StringValue v) noexcept nogil
cdef int refuse_steps(
    Conversion* w, const char* section, size_t rule, Regex regex, uint64_t limit, Span key
) noexcept nogil
cdef int split_separated(Conversion* w, Span value, const uint32_t* separators, size_t n) noexcept nogil
