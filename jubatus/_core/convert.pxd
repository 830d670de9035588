cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector

from jubatus._core.kernels cimport Cursor
from jubatus._core.matchers cimport KeyMatch
from jubatus._core.sparse cimport Feature, Form, NumberValue, Shape, Span, StringValue, Weighting, Work, Workspace
from jubatus._core.weights cimport WeightManager


cdef struct StringFilterRule:
    KeyMatch match
    Span suffix
    void* regex
    size_t pieces_from, pieces_to


cdef struct Piece:
    # A literal, or the text of a group where group >= 0.
    Span literal
    int group


cdef enum NumberChange:
    ADD, LINEAR, GAUSSIAN, SIGMOID


cdef struct NumberFilterRule:
    KeyMatch match
    Span suffix
    NumberChange kind
    double a, b
    bint truncate


cdef enum SplitKind:
    WHOLE, WORDS, NGRAM, SEPARATED, MATCHES


cdef enum Sample:
    SAMPLE_BIN, SAMPLE_TF, SAMPLE_LOG_TF


cdef struct StringRuleData:
    KeyMatch match
    SplitKind kind
    uint32_t count
    size_t separators_from, separators_to
    void* regex
    int group
    Sample sample
    uint32_t shape


cdef enum NumberKind:
    IDENTITY, LOGARITHM, PRINTED


cdef struct NumberRuleData:
    KeyMatch match
    NumberKind kind
    uint32_t shape


cdef struct CombinationRuleData:
    KeyMatch left, right
    bint multiply
    Span suffix  # "/type"


cdef int validate_datum(Cursor* c) noexcept nogil
cdef int check(int status, Work* w) except -1


@cython.final
cdef class Converter:
    cdef readonly object rules
    cdef WeightManager weights
    cdef vector[Shape] shapes
    cdef list texts
    cdef vector[StringFilterRule] string_filters
    cdef vector[Piece] pieces
    cdef vector[NumberFilterRule] number_filters
    cdef vector[StringRuleData] string_rules
    cdef vector[uint32_t] separators
    cdef vector[NumberRuleData] number_rules
    cdef vector[CombinationRuleData] combinations
    cdef uint64_t hash_max_size
    cdef list idle

    cdef Workspace borrow(self)
    cdef int give_back(self, Workspace space) except -1
    cdef int convert(self, Work* w, Cursor* c, bint update, bint ordered) noexcept nogil
    cdef int read(self, Work* w, Cursor* c) noexcept nogil
    cdef int filter_strings(self, Work* w) noexcept nogil
    cdef int filter_string(self, Work* w, const StringFilterRule* rule, StringValue v) noexcept nogil
    cdef void filter_numbers(self, Work* w) noexcept nogil
    cdef int split(self, Work* w, const StringRuleData* rule, Span value) noexcept nogil
    cdef int add_strings(self, Work* w, vector[StringValue]* values, bint ordered) noexcept nogil
    cdef int add_numbers(self, Work* w, vector[NumberValue]* values) noexcept nogil
    cdef uint64_t whole_id(self, Work* w, const Feature* f) noexcept nogil
    cdef void combine(self, Work* w) noexcept nogil
    cdef void hash_names(self, Work* w) noexcept nogil
    cdef Span span(self, bytes text) except *
    cdef int add_shape(self, Form form, Weighting weighting, bytes infix, bytes suffix) except -1
    cdef int compile_string_filter(self, rule) except -1
    cdef int compile_number_filter(self, rule) except -1
    cdef int compile_string_rule(self, rule) except -1
    cdef int compile_number_rule(self, rule) except -1
    cdef int compile_combination(self, rule) except -1
