// The nodes and edges of a graph that a server holds.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/index.h"
#include "graph/query.h"
#include "kernels/bytes.h"
#include "kernels/ids.h"

namespace jubatus {
namespace graph {

struct Node {
    Properties properties = NO_PROPERTIES;
    std::vector<uint32_t> in, out;  // places of edges
};

// An edge knows where in the lists of its nodes it stands; NONE where it stands in none.
struct Edge {
    Properties properties = NO_PROPERTIES;
    uint64_t source = 0, target = 0;
    uint32_t in_at = NONE, out_at = NONE;
};

// An edge as it is given.
struct GivenEdge {
    Properties properties;
    Span source, target;
};

// Between which nodes a path is asked for, with how many nodes at most, and by which query.
struct PathQuery {
    Span source, target;
    uint64_t most = 0;
    Query query;
};

struct Store {
    double damping = 0;
    uint64_t landmarks = 0;  // a list of trees has this many at most
    uint64_t next = 0;       // the id that a node or edge gets which is created here
    Ids node_ids, edge_ids;
    std::vector<Node> nodes;  // by place
    std::vector<Edge> edges;
    Ids everywhere;  // the nodes that are known to exist on some server
    Index index;

    // Creates a node, unless it is there; it may become a landmark.
    void create_node(uint64_t id) {
        if (node_ids.find(id) != NONE) return;
        uint32_t at = node_ids.enter(id);
        if (at == nodes.size()) nodes.emplace_back();
        nodes[at] = Node();
        offer_landmark(at);
        everywhere.enter(id);
    }

    // Makes a node the landmark of further trees: for each query, until one has all its trees or does not want the node.
    void offer_landmark(uint32_t at) {
        for (int32_t i : index.paths.order()) {
            Trees& trees = index.paths.values[i];
            if (trees.size() == landmarks || !matches(nodes[at].properties, index.paths.queries[i].node)) return;
            trees.emplace_back();
            trees.back().landmark = node_ids[at];
        }
    }

    void update_node(uint32_t at, Properties& properties) {
        nodes[at].properties.swap(properties);
        offer_landmark(at);
    }

    void remove_node(uint32_t at) {
        nodes[at] = Node();
        node_ids.leave(at);
    }

    // Creates an edge with a new id between nodes of which at least one is here.
    void create_edge(uint64_t id, uint64_t source, uint64_t target, Properties& properties) {
        uint32_t at = edge_ids.enter(id);
        if (at == edges.size()) edges.emplace_back();
        Edge& edge = edges[at] = Edge();
        edge.properties.swap(properties);
        edge.source = source;
        edge.target = target;
        uint32_t node = node_ids.find(source);
        if (node != NONE) append(nodes[node].out, at, edge.out_at);
        node = node_ids.find(target);
        if (node != NONE) append(nodes[node].in, at, edge.in_at);
    }

    // The last edge of a list takes the place of one that goes.
    void remove_edge(uint32_t at) {
        const Edge& edge = edges[at];
        if (edge.out_at != NONE) {
            std::vector<uint32_t>& list = nodes[node_ids.find(edge.source)].out;
            edges[list[edge.out_at] = list.back()].out_at = edge.out_at;
            list.pop_back();
        }
        if (edge.in_at != NONE) {
            std::vector<uint32_t>& list = nodes[node_ids.find(edge.target)].in;
            edges[list[edge.in_at] = list.back()].in_at = edge.in_at;
            list.pop_back();
        }
        edges[at] = Edge();
        edge_ids.leave(at);
    }

    // Ids go on after a clear: none is given twice.
    void clear() {
        node_ids.clear();
        edge_ids.clear();
        nodes.clear();
        edges.clear();
        everywhere.clear();
        index.clear();
    }

    static void append(std::vector<uint32_t>& list, uint32_t edge, uint32_t& place) {
        place = uint32_t(list.size());
        list.push_back(edge);
    }
};

inline void write_edges(Buffer& out, const Store& store, const std::vector<uint32_t>& list) {
    out.array(list.size());
    for (uint32_t at : list) out.uint(store.edge_ids[at]);
}

inline void write_node(Buffer& out, const Store& store, uint32_t at) {
    const Node& node = store.nodes[at];
    out.array(3);
    out.append(node.properties.data(), node.properties.size());
    write_edges(out, store, node.in);
    write_edges(out, store, node.out);
}

inline void write_store(Buffer& out, const Store& store) {
    out.array(5);
    out.map(store.node_ids.size());
    store.node_ids.each([&](uint32_t at) {
        out.uint(store.node_ids[at]);
        write_node(out, store, at);
    });
    out.map(store.edge_ids.size());
    store.edge_ids.each([&](uint32_t at) {
        const Edge& edge = store.edges[at];
        out.uint(store.edge_ids[at]);
        out.array(3);
        out.append(edge.properties.data(), edge.properties.size());
        out.uint(edge.source);
        out.uint(edge.target);
    });
    out.map(store.everywhere.size());
    store.everywhere.each([&](uint32_t at) {
        out.uint(store.everywhere[at]);
        out.uint(0);
    });
    write_index(out, store.index);
}

// Reads an edge list of a node. Each edge must be there, must have the node at that end, and stands in the list once.
inline int read_edges(Cursor& c, Store& store, uint64_t node, bool is_out) {
    uint32_t n = 0;
    int status = read_array(c, n);
    std::vector<uint32_t> list;
    for (; status == OK && n; n--) {
        uint64_t id = 0;
        status = read_unsigned(c, id);
        uint32_t at = store.edge_ids.find(id);
        if (status) return status;
        if (at == NONE || (is_out ? store.edges[at].source : store.edges[at].target) != node) return MISMATCH;
        uint32_t& place = is_out ? store.edges[at].out_at : store.edges[at].in_at;
        if (place != NONE) return MISMATCH;
        Store::append(list, at, place);
    }
    Node& read = store.nodes[store.node_ids.find(node)];
    (is_out ? read.out : read.in).swap(list);
    return status;
}

inline int read_nodes(Cursor& c, Store& store) {
    uint32_t n = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        uint64_t id = 0;
        status = read_unsigned(c, id);
        if (status) return status;
        if (store.node_ids.find(id) != NONE) return MISMATCH;
        uint32_t at = store.node_ids.enter(id);
        if (at == store.nodes.size()) store.nodes.emplace_back();
        status = read_struct(c, 3, [&] {
            int status = read_properties(c, store.nodes[at].properties);
            if (status == OK) status = read_edges(c, store, id, false);
            return status ? status : read_edges(c, store, id, true);
        });
    }
    return status;
}

inline int read_all_edges(Cursor& c, Store& store) {
    uint32_t n = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        uint64_t id = 0;
        Edge edge;
        status = read_unsigned(c, id);
        if (status == OK)
            status = read_struct(c, 3, [&] {
                int status = read_properties(c, edge.properties);
                if (status == OK) status = read_unsigned(c, edge.source);
                return status ? status : read_unsigned(c, edge.target);
            });
        if (status) return status;
        uint32_t at = store.edge_ids.enter(id);
        if (at == store.edges.size()) store.edges.emplace_back();
        store.edges[at] = std::move(edge);
    }
    return status;
}

inline int read_everywhere(Cursor& c, Store& store) {
    uint32_t n = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        uint64_t id = 0, nothing = 0;
        status = read_unsigned(c, id);
        if (status == OK) status = read_unsigned(c, nothing);
        if (status == OK) store.everywhere.enter(id);
    }
    return status;
}

// Reads into an empty store. The edges stand behind the nodes but are read first: the nodes name them.
inline int read_store(Cursor& c, Store& store) {
    return read_struct(c, 5, [&] {
        Cursor nodes = c;
        int status = skip(c);
        if (status == OK) status = read_all_edges(c, store);
        if (status == OK) status = read_nodes(nodes, store);
        if (status == OK) status = read_everywhere(c, store);
        if (status == OK) status = read_index(c, store.index);
        auto note = [&](const Ids& ids) {
            ids.each([&](uint32_t at) { store.next = std::max(store.next, ids[at] + 1); });
        };
        note(store.node_ids);
        note(store.edge_ids);
        note(store.everywhere);
        return status;
    });
}

}  // namespace graph
}  // namespace jubatus
