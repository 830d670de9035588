from libc.stdint cimport uint32_t
from libcpp.string cimport string

from jubatus._core.convert.converter cimport Converter
from jubatus._core.convert.workspace cimport Conversion
from jubatus._core.kernels.bytes cimport Cursor


cdef enum Target:
    LABEL, NUMBER


cdef int open_examples(Cursor* c, Target kind, Conversion* w, uint32_t* n) noexcept nogil
cdef int admit_examples(Converter converter, Conversion* w, Cursor c, Target kind, uint32_t n) noexcept nogil
cdef int read_target(Cursor* c, Conversion* w, uint32_t* fields, double* target) noexcept nogil
cdef int convert_example(Converter converter, Conversion* w, Cursor* c, uint32_t fields, int flags) noexcept nogil
cdef int read_label(Cursor* c, Conversion* w, string* label) noexcept nogil
