# Feature vectors and the memory of a conversion (vectors.h), and tables by feature id (table.h).
cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector

from jubatus._core.kernels cimport Buffer


cdef extern from "hash.h" namespace "jubatus" nogil:
    uint64_t FNV_OFFSET
    uint64_t hash_part(const char* p, size_t n) noexcept
    uint64_t spread_key(uint64_t key) noexcept
    uint64_t spread_rest(uint64_t rest) noexcept
    uint64_t join_id(uint64_t spread_key, uint64_t token, uint64_t spread_rest) noexcept
    uint64_t name_id(const char* p, size_t n) noexcept
    uint64_t fnv1a(const char* s, size_t n) noexcept
    uint64_t fnv1(uint64_t h, const char* s, size_t n) noexcept


cdef extern from "table.h" namespace "jubatus" nogil:
    cdef cppclass ChainNode "jubatus::Chains::Node":
        uint64_t hash
        int32_t next
    cdef cppclass Chains:
        int step
        uint32_t count
        vector[ChainNode] nodes
        void clear() noexcept
        void insert(uint32_t at, uint64_t hash) noexcept
        void erase(uint32_t at) noexcept
        void order(int32_t* out) noexcept
    uint64_t PRIMES[28]
    uint32_t NONE
    cdef cppclass Pool:
        void clear() noexcept
        char* take(size_t n) noexcept
        void give_back(char* p, size_t n) noexcept
        void swap(Pool& other) noexcept
    cdef cppclass NextIndex:
        void clear() noexcept
    cdef cppclass Table[Row]:
        Row* rows
        uint32_t size
        Buffer names
        void clear() noexcept
        void swap(Table[Row]& other) noexcept
        void prefetch(uint64_t id) noexcept
        const Row* guess(uint64_t id) noexcept
        uint32_t find(uint64_t id) noexcept
        bint make_room(uint64_t more, NextIndex& next, size_t& left) noexcept
        uint32_t insert(uint64_t id, uint32_t name_size) noexcept
        void add_name(const void* p, size_t n) noexcept
        const char* name(uint32_t at, uint32_t& n) noexcept
        void erase_if(bint (*dead)(Row&) noexcept nogil) noexcept


cdef extern from "vectors.h" namespace "jubatus" nogil:
    struct Span:
        const char* p
        uint32_t n
    enum Weighting:
        BIN, IDF, IDF1, BM25, USER
    enum Form:
        PLAIN, STRING, NUMBER, NUMBER_TEXT
    struct Shape:
        Form form
        Weighting weighting
        Span infix, suffix
        uint64_t rest
        bint cut_at_suffix
        uint32_t group_from
        uint32_t sharp_at
        uint64_t suffix_prefix
    struct Feature:
        uint64_t id
        double value
        const char* key
        const char* token
        uint32_t key_size, token_size, shape, name_size
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
    cdef cppclass Arena:
        char* take(size_t n) noexcept
    cdef cppclass Work:
        vector[StringValue] strings, filtered_strings
        vector[NumberValue] numbers, filtered_numbers
        vector[Token] tokens
        Seen seen
        vector[int32_t] order
        vector[Feature] features
        vector[uint64_t] ids
        vector[double] values
        vector[uint32_t] from_features "from"
        vector[uint32_t] rows
        vector[double] scores
        unordered_map[uint64_t, double] lengths
        Arena arena
        string scratch
        string error
        void reset() noexcept
    uint64_t prefix_of(const char* p, uint32_t n) noexcept
    Feature* add_features(Work& w, size_t n) noexcept
    char* put_name(char* out, const Feature& f, const Shape* shapes) noexcept
    uint32_t insert_feature[Row](Table[Row]& table, uint64_t id, const Feature& f, const Shape* shapes) noexcept
    void count_token(Work& w, const char* p, uint32_t n) noexcept
    void order_tokens(Work& w, bint as_map) noexcept
    void count_words(Work& w, Span value) noexcept
    void count_ngrams(Work& w, Span value, uint32_t length) noexcept
    void take_features(Work& w) noexcept
    void sort_and_merge(Work& w, const Shape* shapes) noexcept


@cython.final
cdef class Workspace:
    """The memory of one conversion. Calls that may run at the same time need one each."""

    cdef Work work
