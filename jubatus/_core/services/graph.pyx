"""graph: nodes and edges with properties, how central nodes are, and short paths between them."""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libcpp.string cimport string, to_string
from libcpp.vector cimport vector

from jubatus._core.convert.workspace cimport REFUSED, Workspace
from jubatus._core.graph.part cimport GraphPart
from jubatus._core.graph.store cimport (
    NO_PROPERTIES, GivenEdge, Node, PathQuery, Query, Score, Store, Tree, choose_tree, find_path,
    read_properties, read_query, update_index as update_store, write_node,
)
from jubatus._core.handler cimport Body, handler
from jubatus._core.kernels.bytes cimport (
    MISMATCH, Buffer, Cursor, Span, close_struct, read_array, read_int32, read_raw, read_unsigned,
)
from jubatus._core.kernels.ids cimport parse_id
from jubatus._core.kernels.table cimport NONE
from jubatus._core.model cimport Model

from jubatus._core.context import ALONE
from jubatus._core.schema import FLOAT, INTEGER, STRING, Field, read, structure
from jubatus.errors import ConfigError

METHOD = "graph_wo_index"
CONFIG = structure({
    "method": Field(STRING),
    "parameter": Field(structure({"damping_factor": Field(FLOAT), "landmark_num": Field(INTEGER)})),
})


cdef class Graph(Model):
    """A graph.

    Args:
        config: ``method``, which is ``graph_wo_index``, and ``parameter`` with ``damping_factor`` (between 0 and 1) of
            the centralities and ``landmark_num`` (0 or more), how many trees of shortest paths each query has.
        distributed: whether it takes part in MIX.
        context: where it runs.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config, *, bint distributed=False, context=ALONE):
        Model.__init__(self, config, distributed=distributed, context=context)
        members = read(config, CONFIG)
        parameter = members["parameter"]
        cdef list errors = []
        if members["method"] != METHOD:
            errors.append(f"unknown method name: {members['method']} (.method): {METHOD} is expected")
        if not 0 < parameter["damping_factor"] < 1:
            errors.append("invalid parameter (expected: 0.0 < damping_factor < 1.0) (.parameter.damping_factor)")
        if parameter["landmark_num"] < 0:
            errors.append("invalid parameter (expected: 0 <= landmark_num) (.parameter.landmark_num)")
        if errors:
            raise ConfigError(*errors)
        self.graph = GraphPart(parameter["damping_factor"], parameter["landmark_num"])
        self.graph.store.next = distributed  # the first id of a cluster is 1

    @property
    def create_node(self):
        """Create a node; return its packed id."""
        return handler(self, <Body>create_node)

    @property
    def remove_node(self):
        """Remove a node without edges; if other servers have removed it already, it goes, and the call is refused."""
        return handler(self, <Body>remove_node)

    @property
    def update_node(self):
        """Replace the properties of a node."""
        return handler(self, <Body>update_node)

    @property
    def create_edge(self):
        """Create an edge; return its packed id."""
        return handler(self, <Body>create_edge)

    @property
    def update_edge(self):
        """Replace the properties of an edge."""
        return handler(self, <Body>update_edge)

    @property
    def remove_edge(self):
        """Remove an edge."""
        return handler(self, <Body>remove_edge)

    @property
    def get_node(self):
        """Return a packed node."""
        return handler(self, <Body>get_node)

    @property
    def get_edge(self):
        """Return a packed edge."""
        return handler(self, <Body>get_edge)

    @property
    def add_centrality_query(self):
        """Compute centralities for a query from now on."""
        return handler(self, <Body>add_centrality_query)

    @property
    def remove_centrality_query(self):
        """Forget the centralities of a query."""
        return handler(self, <Body>remove_centrality_query)

    @property
    def add_shortest_path_query(self):
        """Compute paths for a query from now on."""
        return handler(self, <Body>add_shortest_path_query)

    @property
    def remove_shortest_path_query(self):
        """Forget the paths of a query."""
        return handler(self, <Body>remove_shortest_path_query)

    @property
    def get_centrality(self):
        """Return the packed centrality of a node."""
        return handler(self, <Body>get_centrality)

    @property
    def get_shortest_path(self):
        """Return a packed path."""
        return handler(self, <Body>get_shortest_path, long=True)

    @property
    def update_index(self):
        """Do one step of all centralities and paths; refused in a cluster, where a MIX does it."""
        return handler(self, <Body>update_index, long=True)

    @property
    def create_node_here(self):
        """Create a node with this id, unless there is one."""
        return handler(self, <Body>create_node_here)

    @property
    def remove_global_node(self):
        """Forget that a node exists on some server."""
        return handler(self, <Body>remove_global_node)

    @property
    def create_edge_here(self):
        """Create an edge with this id."""
        return handler(self, <Body>create_edge_here)

    def status(self):
        """Return how much there is."""
        cdef Store* store = &self.graph.store
        return {
            "local_node_num": str(store.node_ids.size()),
            "global_node_num": str(store.everywhere.size()),
            "local_edge_num": str(store.edge_ids.size()),
        }

    cdef object parts(self):
        return self.graph


cdef int create_node(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Store* store = &self.graph.store
    cdef string text = to_string(store.next)
    store.create_node(store.next)
    store.next += 1
    out.raw(text.data(), text.size())
    return 0


cdef int create_node_here(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef uint64_t id = 0
    cdef int status = read_node(args, w, &id)
    if status == 0:
        self.graph.store.create_node(id)
        out.boolean(True)
    return status


cdef int remove_node(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Store* store = &self.graph.store
    cdef uint64_t id = 0
    cdef int status = read_node(args, w, &id)
    cdef uint32_t at = store.node_ids.find(id)
    cdef const Node* node
    if status:
        return status
    if at == NONE:
        return refuse(w, b"remove_node")
    node = &store.nodes[at]
    if node.incoming.size() or node.out.size():
        refuse(w, b"graph_wo_index::remove_node node id=")
        w.conversion.error.append(to_string(id))
        w.conversion.error.append(b" cannot be removed because it has edges")
        return REFUSED
    store.remove_node(at)
    return leave_everywhere(store, id, out, w)


cdef int remove_global_node(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef uint64_t id = 0
    cdef int status = read_node(args, w, &id)
    return status or leave_everywhere(&self.graph.store, id, out, w)


cdef int leave_everywhere(Store* store, uint64_t id, Buffer* out, Workspace w) noexcept nogil:
    cdef uint32_t at = store.everywhere.find(id)
    if at == NONE:
        return refuse(w, b"remove_global_node")
    store.everywhere.leave(at)
    out.boolean(True)
    return 0


cdef int update_node(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Span name
    cdef string properties
    cdef uint64_t id = 0
    cdef uint32_t at
    cdef int status = read_name(args, w, &name) or expect(read_properties(args[0], properties), w, PROPERTIES)
    status = status or parse(name, w, &id)
    if status:
        return status
    at = self.graph.store.node_ids.find(id)
    if at == NONE:
        return refuse(w, b"update_node")
    self.graph.store.update_node(at, properties)
    out.boolean(True)
    return 0


cdef int create_edge(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Span name
    cdef GivenEdge edge
    cdef uint64_t id = self.graph.store.next
    cdef int status = read_name(args, w, &name) or read_edge(args, w, &edge)
    if status:
        return status
    self.graph.store.next += 1  # also if the call is refused
    status = put_edge(self, id, &edge, w)
    if status == 0:
        out.uint(id)
    return status


cdef int create_edge_here(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef GivenEdge edge
    cdef uint64_t id = 0
    cdef int status = read_edge_id(args, w, &id) or read_edge(args, w, &edge) or put_edge(self, id, &edge, w)
    if status == 0:
        out.boolean(True)
    return status


cdef int put_edge(Graph self, uint64_t id, GivenEdge* edge, Workspace w) noexcept nogil:
    """Create an edge with an id."""
    cdef Store* store = &self.graph.store
    cdef uint64_t source = 0, target = 0
    cdef int status = parse(edge.source, w, &source) or parse(edge.target, w, &target)
    if status:
        return status
    if store.node_ids.find(source) == NONE and store.node_ids.find(target) == NONE:
        refuse(w, b"graph_wo_index::create_edge unknown src id=")
        w.conversion.error.append(to_string(source))
        w.conversion.error.append(b" tgt id=")
        w.conversion.error.append(to_string(target))
        return REFUSED
    if store.edge_ids.find(id) != NONE:
        return refuse(w, b"edge_exists")
    store.create_edge(id, source, target, edge.properties)
    return 0


cdef int update_edge(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef GivenEdge edge
    cdef uint32_t at = 0
    cdef int status = read_edge_of(self, args, w, &at) or read_edge(args, w, &edge)
    if status:
        return status
    if at == NONE:
        return refuse(w, b"update_edge:eid")
    self.graph.store.edges[at].properties.swap(edge.properties)
    out.boolean(True)
    return 0


cdef int remove_edge(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef uint32_t at = 0
    cdef int status = read_edge_of(self, args, w, &at)
    if status:
        return status
    if at == NONE:
        return refuse(w, b"remove_edge:eid")
    self.graph.store.remove_edge(at)
    out.boolean(True)
    return 0


cdef int get_node(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef uint64_t id = 0
    cdef int status = read_node(args, w, &id)
    cdef uint32_t at = self.graph.store.node_ids.find(id)
    if status:
        return status
    if at == NONE:
        return refuse(w, b"get_node")
    write_node(out[0], self.graph.store, at)
    return 0


cdef int get_edge(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef uint32_t at = 0
    cdef int status = read_edge_of(self, args, w, &at)
    if status:
        return status
    if at == NONE:
        return refuse(w, b"get_edge")
    out.array(3)
    out.append(self.graph.store.edges[at].properties.data(), self.graph.store.edges[at].properties.size())
    write_id(out, self.graph.store.edges[at].source)
    write_id(out, self.graph.store.edges[at].target)
    return 0


cdef int add_centrality_query(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Query query
    cdef int status = expect(read_query(args[0], query), w, QUERY)
    if status == 0:
        self.graph.store.index.centralities.enter(query)
        out.boolean(True)
    return status


cdef int remove_centrality_query(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Query query
    cdef int status = expect(read_query(args[0], query), w, QUERY)
    if status == 0:
        self.graph.store.index.centralities.erase(query)
        out.boolean(True)
    return status


cdef int add_shortest_path_query(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Query query
    cdef int status = expect(read_query(args[0], query), w, QUERY)
    if status == 0:
        self.graph.store.index.paths.enter(query)
        out.boolean(True)
    return status


cdef int remove_shortest_path_query(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Query query
    cdef int status = expect(read_query(args[0], query), w, QUERY)
    if status == 0:
        self.graph.store.index.paths.erase(query)
        out.boolean(True)
    return status


cdef int get_centrality(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Store* store = &self.graph.store
    cdef Span name
    cdef int32_t kind = 0
    cdef Query query
    cdef uint64_t id = 0
    cdef uint32_t at
    cdef const Score* score
    cdef int status = read_name(args, w, &name) or read_kind(args, w, &kind)
    status = status or expect(read_query(args[0], query), w, QUERY)
    if status:
        return status
    if kind != 0:
        refuse(w, b"unknown centrality type: ")
        w.conversion.error.append(to_string(kind))
        return REFUSED
    status = parse(name, w, &id)
    if status:
        return status
    at = store.index.centralities.find(query)
    if at == NONE:
        return refuse(w, b"unknown_centrality_type")
    score = store.index.centralities.values[at].find(id)
    if score == NULL:
        return refuse(w, b"centrality")
    out.number(score.value)
    return 0


cdef int get_shortest_path(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    cdef Store* store = &self.graph.store
    cdef PathQuery asked
    cdef const Tree* tree
    cdef vector[uint64_t] path
    cdef uint64_t source = 0, target = 0, id
    cdef uint32_t at
    cdef int status = read_path_query(args, w, &asked) or parse(asked.source, w, &source)
    status = status or parse(asked.target, w, &target)
    if status:
        return status
    if store.everywhere.find(source) == NONE:
        return refuse(w, b"shortest_path:src")
    if store.everywhere.find(target) == NONE:
        return refuse(w, b"shortest_path:tgt")
    at = store.index.paths.find(asked.query)
    if at == NONE:
        return refuse(w, b"unknown_query")
    tree = choose_tree(store.index.paths.values[at], store.landmarks, source, target)
    if tree != NULL:
        path = find_path(tree[0], source, target, asked.most)
    out.array(path.size())
    for id in path:
        write_id(out, id)
    return 0


cdef int update_index(Graph self, Cursor* args, Buffer* out, Workspace w) noexcept nogil:
    if self.distributed:
        return refuse(w, b"manual mix is available only in standalone mode.")
    update_store(self.graph.store)
    out.boolean(True)
    return 0


cdef const char* PROPERTIES = b"the properties must be a map of strings to strings"
cdef const char* QUERY = b"a query must be two lists of pairs of strings, for edges and for nodes"
cdef const char* BAD_CAST = b"std::bad_cast"


cdef int refuse(Workspace w, const char* text) noexcept nogil:
    w.conversion.error.assign(text)
    return REFUSED


cdef int expect(int status, Workspace w, const char* text) noexcept nogil:
    """Return a status; if it is not 0, the text says what is expected."""
    if status:
        w.conversion.error.assign(text)
    return status


cdef int parse(Span name, Workspace w, uint64_t* id) noexcept nogil:
    """Read the number of a node's id; a text without one is refused."""
    return 0 if parse_id(name.p, name.n, id[0]) else refuse(w, BAD_CAST)


cdef int read_name(Cursor* args, Workspace w, Span* name) noexcept nogil:
    return expect(read_raw(args[0], name.p, name.n), w, b"the id of a node must be a string")


cdef int read_node(Cursor* args, Workspace w, uint64_t* id) noexcept nogil:
    """Read an argument that is the id of a node."""
    cdef Span name
    return read_name(args, w, &name) or parse(name, w, id)


cdef int read_edge_id(Cursor* args, Workspace w, uint64_t* id) noexcept nogil:
    return expect(read_unsigned(args[0], id[0]), w, b"the id of an edge must be a number from 0 to 2^64 - 1")


cdef int read_edge_of(Graph self, Cursor* args, Workspace w, uint32_t* at) noexcept nogil:
    """Read the ids of a node, which does not matter here, and of an edge, which has the place `at` or NONE."""
    cdef Span name
    cdef uint64_t id = 0
    cdef int status = read_name(args, w, &name) or read_edge_id(args, w, &id)
    at[0] = self.graph.store.edge_ids.find(id)
    return status


cdef int read_kind(Cursor* args, Workspace w, int32_t* kind) noexcept nogil:
    return expect(read_int32(args[0], kind[0]), w, b"the kind of a centrality must be an integer of 32 bits")


cdef int read_edge(Cursor* args, Workspace w, GivenEdge* edge) noexcept nogil:
    """Read an edge. Fields that are missing are empty."""
    cdef uint32_t n = 0
    cdef int status = read_array(args[0], n)
    edge.properties = NO_PROPERTIES
    edge.source.n = edge.target.n = 0
    if status == 0 and n > 0:
        status = read_properties(args[0], edge.properties)
    if status == 0 and n > 1:
        status = read_raw(args[0], edge.source.p, edge.source.n)
    if status == 0 and n > 2:
        status = read_raw(args[0], edge.target.p, edge.target.n)
    if status == 0 and n > 3:
        status = close_struct(args[0], n - 3)
    return expect(status, w, b"an edge must be a map of strings to strings and the ids of two nodes, which are strings")


cdef int read_path_query(Cursor* args, Workspace w, PathQuery* asked) noexcept nogil:
    """Read whose path is asked for. A query that is missing is empty."""
    cdef uint32_t n = 0
    cdef int status = read_array(args[0], n)
    if status == 0 and n < 3:
        status = MISMATCH
    status = status or read_raw(args[0], asked.source.p, asked.source.n)
    status = status or read_raw(args[0], asked.target.p, asked.target.n) or read_unsigned(args[0], asked.most)
    if status == 0 and asked.most > <uint32_t>-1:
        status = MISMATCH
    asked.query.finish()
    if status == 0 and n > 3:
        status = read_query(args[0], asked.query)
    if status == 0 and n > 4:
        status = close_struct(args[0], n - 4)
    return expect(status, w, b"the ids of two nodes, a number of nodes and a query are expected")


cdef void write_id(Buffer* out, uint64_t id) noexcept nogil:
    cdef string text = to_string(id)
    out.raw(text.data(), text.size())
