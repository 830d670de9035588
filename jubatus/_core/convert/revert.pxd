from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport NumberValue
from jubatus._core.kernels.bytes cimport Buffer, Span


cdef enum Origin:
    # What a feature was made of, as far as its name tells it.
    UNTOLD, NUMBER_PAIR, STRING_PAIR


cdef struct Reverted:
    Origin origin
    Span key
    Span text      # of a string
    double number


cdef Reverted revert_feature(Span name, double value) noexcept nogil
cdef void revert(const vector[NumberValue]* features, Buffer* out) noexcept nogil
