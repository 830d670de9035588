cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.convert.features cimport Feature, Shape
from jubatus._core.kernels.bytes cimport Span
from jubatus._core.kernels.pool cimport Arena
from jubatus._core.kernels.table cimport Table


cdef extern from "convert/conversion.h" namespace "jubatus" nogil:
    struct Token:
        Span span
        uint32_t count
        uint64_t hash
    cdef cppclass Seen:
        void start() noexcept
    struct StringValue:
        Span key, value
    struct NumberValue:
        Span key
        double value
    cdef cppclass NewNames:
        void start() noexcept
    cdef cppclass Conversion:
        vector[StringValue] strings, filtered_strings, binaries
        vector[NumberValue] numbers, filtered_numbers, named
        bint is_finite
        vector[Token] tokens
        vector[double] scores
        Seen seen
        vector[int32_t] order
        vector[Feature] features
        const Shape* shapes
        bint has_zero, has_written
        unordered_map[uint64_t, double] lengths
        Arena arena
        uint64_t room
        string scratch
        string error
        uint64_t limit
        NewNames brought
        void reset() noexcept
    const uint64_t SHARES
    void take_memory(Conversion& w, uint64_t bytes) noexcept
    void kept_by[Row](Conversion& w, Table[Row]& table) noexcept
    void make_room(Conversion& w) noexcept
    uint64_t bytes_to_keep(const Conversion& w) noexcept
    uint64_t bytes_of_names(const Conversion& w) noexcept
    void refuse_names(Conversion& w, uint64_t bytes) noexcept
    bint brings_few_names(Conversion& w) noexcept
    bint bring_names(Conversion& w) noexcept
    Feature* add_features(Conversion& w, size_t n) noexcept
    void count_token(Conversion& w, const char* p, uint32_t n) noexcept
    void count_score(Conversion& w, const char* p, uint32_t n, double score) noexcept
    void order_tokens(Conversion& w, bint as_map) noexcept
    void count_words(Conversion& w, Span value) noexcept
    void count_ngrams(Conversion& w, Span value, uint32_t length) noexcept


cdef extern from "convert/vector.h" namespace "jubatus" nogil:
    cdef cppclass Vector:
        vector[uint64_t] ids
        vector[double] values
        const Shape* shapes
        const Feature& feature(size_t i) noexcept
    void take_features(const Conversion& c, Vector& v) noexcept
    void sort_and_merge(const Conversion& c, Vector& v) noexcept


cdef enum:
    REFUSED = -100  # the status of a call that cannot be carried out, although its arguments are of the right types


cdef class Workspace:
    cdef Conversion conversion
    cdef Vector vector


cdef int refuse(Conversion* w, const char* reason, Span key) noexcept nogil
cdef void name_rule(Conversion* w, const char* section, size_t rule) noexcept nogil
cdef int refuse_key(Conversion* w, const char* section, size_t rule, Span key) noexcept nogil
cdef bint take_room(Conversion* w, uint64_t size) noexcept nogil
cdef int check(int status, Workspace space) except -1
