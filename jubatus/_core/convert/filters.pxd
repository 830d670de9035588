from jubatus._core.convert.program cimport Program
from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport Span


cdef int filter_strings(Program program, Conversion* w) noexcept nogil
cdef int filter_numbers(Program program, Conversion* w) noexcept nogil
