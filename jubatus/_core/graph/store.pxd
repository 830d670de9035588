from libc.stdint cimport uint32_t, uint64_t
from libcpp.string cimport string
from libcpp.vector cimport vector

from jubatus._core.kernels.bytes cimport Buffer, Cursor, Span
from jubatus._core.kernels.ids cimport Ids


cdef extern from "graph/index.h" namespace "jubatus::graph" nogil:
    string NO_PROPERTIES
    cdef cppclass Query:
        void finish() noexcept
    struct Score:
        double value
    cdef cppclass Scores:
        const Score* find(uint64_t id) noexcept
    cdef cppclass Tree:
        pass
    cdef cppclass Trees:
        pass
    cdef cppclass Centralities "jubatus::graph::QueryMap<jubatus::graph::Scores>":
        vector[Scores] values
        uint32_t find(const Query& query) noexcept
        Scores& enter "operator[]"(const Query& query) noexcept
        void erase(const Query& query) noexcept
    cdef cppclass Paths "jubatus::graph::QueryMap<jubatus::graph::Trees>":
        vector[Trees] values
        uint32_t find(const Query& query) noexcept
        Trees& enter "operator[]"(const Query& query) noexcept
        void erase(const Query& query) noexcept
    cdef cppclass Index:
        Centralities centralities
        Paths paths
    int read_properties(Cursor& c, string& properties) noexcept
    int read_query(Cursor& c, Query& query) noexcept
    int read_diff(Cursor& c, Index& diff) noexcept
    void write_diff(Buffer& out, const Index& diff) noexcept
    void join(Index& mixed, const Index& diff, size_t most) noexcept
    void normalize(Index& diff) noexcept


cdef extern from "graph/rank.h" namespace "jubatus::graph" nogil:
    cdef cppclass Node:
        vector[uint32_t] incoming "in"
        vector[uint32_t] out
    cdef cppclass Edge:
        string properties
        uint64_t source, target
    cdef cppclass GivenEdge:
        string properties
        Span source, target
    cdef cppclass PathQuery:
        Span source, target
        uint64_t most
        Query query
    cdef cppclass Store:
        double damping
        uint64_t landmarks, next
        Ids node_ids, edge_ids, everywhere
        vector[Node] nodes
        vector[Edge] edges
        Index index
        void create_node(uint64_t id) noexcept
        void update_node(uint32_t at, string& properties) noexcept
        void remove_node(uint32_t at) noexcept
        void create_edge(uint64_t id, uint64_t source, uint64_t target, string& properties) noexcept
        void remove_edge(uint32_t at) noexcept
        void clear() noexcept
    void swap_stores "std::swap"(Store& one, Store& other) noexcept
    void swap_indices "std::swap"(Index& one, Index& other) noexcept
    void write_node(Buffer& out, const Store& store, uint32_t at) noexcept
    void write_store(Buffer& out, const Store& store) noexcept
    int read_store(Cursor& c, Store& store) noexcept
    cdef cppclass Known:
        void note(const Index& index) noexcept
    void keep_changes(Index& now, const Known& before, Index& mixed) noexcept
    void make_diff(const Store& store, Index& diff) noexcept
    void update_index(Store& store) noexcept
    const Tree* choose_tree(const Trees& trees, size_t most, uint64_t source, uint64_t target) noexcept
    vector[uint64_t] find_path(const Tree& tree, uint64_t source, uint64_t target, uint64_t most) noexcept
