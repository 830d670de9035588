cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport Form, Shape, Weighting
from jubatus._core.convert.matchers cimport KeyMatch
from jubatus._core.kernels.bytes cimport Span


# In the rules `plugin` is a Plugin, borrowed from program.rules; NULL where the type is none.


cdef struct StringFilterRule:
    KeyMatch match
    Span suffix
    void* regex
    void* plugin
    size_t pieces_from, pieces_to


cdef struct Piece:
    # A literal, or the text of a group where group >= 0.
    Span literal
    int group


cdef enum NumberChange:
    ADD, LINEAR, GAUSSIAN, SIGMOID, CHANGE_BY_PLUGIN


cdef struct NumberFilterRule:
    KeyMatch match
    Span suffix
    NumberChange kind
    double a, b
    bint truncate
    void* plugin


cdef enum SplitKind:
    WHOLE, WORDS, NGRAM, SEPARATED, MATCHES, SPLIT_BY_PLUGIN


cdef enum Sample:
    SAMPLE_BIN, SAMPLE_TF, SAMPLE_LOG_TF


cdef struct StringRuleData:
    KeyMatch match
    SplitKind kind
    uint32_t count
    size_t separators_from, separators_to
    void* regex
    int group
    void* plugin
    Sample sample
    uint32_t shape


cdef enum NumberKind:
    IDENTITY, LOGARITHM, PRINTED, NUMBER_BY_PLUGIN


cdef struct NumberRuleData:
    KeyMatch match
    NumberKind kind
    uint32_t shape
    void* plugin
    Span name  # "@type"


cdef struct BinaryRuleData:
    KeyMatch match
    void* plugin
    Span name  # "@type"


cdef struct CombinationRuleData:
    KeyMatch left, right
    bint multiply
    void* plugin
    bint commutative
    Span suffix  # "/type"


@cython.final
cdef class Program:
    cdef readonly object rules
    cdef readonly Py_ssize_t longest
    cdef list texts
    cdef vector[Shape] shapes
    cdef vector[StringFilterRule] string_filters
    cdef vector[Piece] pieces
    cdef vector[NumberFilterRule] number_filters
    cdef vector[StringRuleData] string_rules
    cdef vector[uint32_t] separators
    cdef vector[NumberRuleData] number_rules
    cdef vector[BinaryRuleData] binary_rules
    cdef vector[CombinationRuleData] combinations
    cdef uint32_t[5] written  # the shape of a plugin's feature by its Weighting
    cdef uint64_t hash_max_size
    cdef bint is_weighted, counts, counts_groups

    cdef Span span(self, bytes text) except *
    cdef int add_shape(self, Form form, Weighting weighting, bytes infix, bytes suffix) except -1
    cdef int compile_string_filter(self, rule) except -1
    cdef int compile_number_filter(self, rule) except -1
    cdef int compile_string_rule(self, rule) except -1
    cdef int compile_number_rule(self, rule) except -1
    cdef int compile_binary_rule(self, rule) except -1
    cdef int add_written(self) except -1
    cdef double measure(self) except -1
    cdef int compile_combination(self, rule) except -1
