cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport Feature
from jubatus._core.convert.program cimport Program
from jubatus._core.convert.statistics cimport Statistics
from jubatus._core.convert.workspace cimport Conversion, NumberValue, StringValue, Workspace
from jubatus._core.kernels.bytes cimport Cursor


cdef enum:
    # What a conversion does besides converting.
    COUNT = 1    # count the datum in the document statistics
    FINITE = 2   # refuse a datum with a NaN or an infinity among its numbers
    LEARN = 3    # COUNT and FINITE: whoever learns from the datum asks for both
    ORDERED = 4  # give the tokens of a value in the order of the original's map


cdef int validate_datum(Cursor* c) noexcept nogil
cdef int validate_datums(Cursor* c, uint32_t* n) noexcept nogil
cdef int open_datums(Cursor* c, Conversion* w, uint32_t* n) noexcept nogil


@cython.final
cdef class Converter:
    cdef readonly Program program
    cdef Statistics statistics

    cdef int convert(self, Conversion* w, Cursor* c, int flags) noexcept nogil
    cdef int read(self, Conversion* w, Cursor* c) noexcept nogil
    cdef int split(self, Conversion* w, size_t number, StringValue v) noexcept nogil
    cdef int add_strings(self, Conversion* w, vector[StringValue]* values, bint ordered) noexcept nogil
    cdef int add_numbers(self, Conversion* w, vector[NumberValue]* values) noexcept nogil
    cdef int add_binaries(self, Conversion* w) noexcept nogil
    cdef void add_named(self, Conversion* w) noexcept nogil
    cdef uint64_t whole_id(self, Conversion* w, const Feature* f) noexcept nogil
    cdef int combine(self, Conversion* w) noexcept nogil
    cdef void hash_names(self, Conversion* w) noexcept nogil
