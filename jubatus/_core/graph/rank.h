// One step of the centralities and of the shortest paths of a graph, in the order of the original's hash maps.
//
// The centrality is a PageRank (L. Page, S. Brin, R. Motwani, T. Winograd: The PageRank Citation Ranking, 1999) whose
// scores add up to the number of nodes. A path is looked for through a landmark (M. Potamias, F. Bonchi, C. Castillo,
// A. Gionis: Fast Shortest Path Distance Estimation in Large Networks, CIKM 2009).
#pragma once
#include <cstdint>
#include <vector>

#include "graph/index.h"
#include "graph/query.h"
#include "graph/store.h"

namespace jubatus {
namespace graph {

// What all queries need of a graph: its nodes in order, and the places of the nodes that an edge joins.
struct Frame {
    const Store& store;
    std::vector<uint32_t> order, sources, targets;

    explicit Frame(const Store& store) : store(store) {
        order.reserve(store.node_ids.size());
        store.node_ids.each([&](uint32_t at) { order.push_back(at); });
        sources.assign(store.edges.size(), NONE);
        targets.assign(store.edges.size(), NONE);
        store.edge_ids.each([&](uint32_t at) {
            sources[at] = store.node_ids.find(store.edges[at].source);
            targets[at] = store.node_ids.find(store.edges[at].target);
        });
    }
};

// What a query chooses of a graph, by place. A node that is not here counts as chosen.
struct Choice {
    std::vector<uint8_t> nodes, edges;

    Choice(const Store& store, const Query& query) {
        nodes.assign(store.nodes.size(), 1);
        edges.assign(store.edges.size(), 1);
        if (!query.node.empty())
            store.node_ids.each([&](uint32_t at) { nodes[at] = matches(store.nodes[at].properties, query.node); });
        if (!query.edge.empty())
            store.edge_ids.each([&](uint32_t at) { edges[at] = matches(store.edges[at].properties, query.edge); });
    }
    bool node(uint32_t at) const { return at == NONE || nodes[at]; }
};

// One step of PageRank for one query.
struct Ranking {
    const Frame& frame;
    const Store& store;
    const Query& query;
    const Scores& before;
    Choice choice;
    std::vector<uint32_t> known;    // for each node its place in `before`, or NONE
    std::vector<uint8_t> left_out;  // nodes that were found not to be chosen, as far as the step has come
    bool leaves_out = false;

    Ranking(const Frame& frame, const Query& query, const Scores& before)
        : frame(frame), store(frame.store), query(query), before(before), choice(store, query) {
        known.assign(store.nodes.size(), NONE);
        left_out.assign(store.nodes.size(), 0);
    }

    bool is_left_out(uint32_t at) const { return at != NONE && left_out[at]; }
    void leave_out(uint32_t at) { left_out[at] = leaves_out = true; }

    // What each node gets of the scores that lead nowhere. New nodes bring a score of 1.
    double lost_share() {
        double lost = 0, fresh = 0;
        uint64_t count = before.size();
        before.ids.each([&](uint32_t at) {
            if (before.values[at].out_degree == 0) lost += before.values[at].value;
        });
        for (uint32_t at : frame.order) {
            known[at] = before.ids.find(store.node_ids[at]);
            if (known[at] != NONE) continue;
            if (choice.nodes[at]) {
                count++;
                fresh += 1.0;
            } else {
                leave_out(at);
            }
        }
        lost += fresh;
        return count ? lost / double(count) : lost;
    }

    // The sum of what the sources of a node's edges give to it.
    double given(const Node& node) const {
        double sum = 0;
        for (uint32_t edge : node.in) {
            // As in the original an edge is also passed over if its own id is that of a node that is left out.
            if (leaves_out && is_left_out(store.node_ids.find(store.edge_ids[edge]))) continue;
            uint32_t source = frame.sources[edge];
            if (is_left_out(source) || !choice.edges[edge]) continue;
            uint32_t at = source != NONE ? known[source] : before.ids.find(store.edges[edge].source);
            if (at == NONE || before.values[at].out_degree == 0) continue;
            sum += before.values[at].value / double(before.values[at].out_degree);
        }
        return sum;
    }

    uint64_t out_degree(const Node& node) {
        if (query.is_empty()) return node.out.size();
        uint64_t degree = 0;
        for (uint32_t edge : node.out) {
            uint32_t target = frame.targets[edge];
            if (is_left_out(target)) continue;
            if (!choice.node(target))
                leave_out(target);
            else
                degree += choice.edges[edge];
        }
        return degree;
    }

    void run(Scores& scores) {
        double d = store.damping, share = lost_share();
        for (uint32_t at : frame.order) {
            if (left_out[at]) continue;
            if (!choice.nodes[at]) {
                leave_out(at);
                continue;
            }
            const Node& node = store.nodes[at];
            double value = d * given(node) + 1 - d + d * share;
            scores[store.node_ids[at]] = {value, out_degree(node)};
        }
    }
};

// One pass over the edges for one direction of one tree: `towards` its landmark, or away from it.
inline void relax(const Frame& frame, const Choice& choice, uint64_t landmark, Hops& hops, bool towards) {
    const Store& store = frame.store;
    std::vector<uint32_t> known(store.nodes.size(), NONE);  // for each node its place among the hops
    hops[landmark] = {0, landmark};
    for (uint32_t at : frame.order) known[at] = hops.ids.find(store.node_ids[at]);
    for (uint32_t at : frame.order) {
        if (!choice.nodes[at]) continue;
        for (uint32_t edge : towards ? store.nodes[at].out : store.nodes[at].in) {
            uint32_t other = towards ? frame.targets[edge] : frame.sources[edge];
            if (!choice.edges[edge] || !choice.node(other)) continue;
            uint64_t id = towards ? store.edges[edge].target : store.edges[edge].source;
            uint32_t from = other != NONE ? known[other] : hops.ids.find(id);
            if (from == NONE) continue;
            uint64_t distance = hops.values[from].distance + 1;
            if (known[at] == NONE) {
                hops[store.node_ids[at]] = {distance, id};
                known[at] = hops.ids.find(store.node_ids[at]);
            } else if (distance < hops.values[known[at]].distance) {
                hops.values[known[at]] = {distance, id};
            }
        }
    }
}

inline void relax(const Frame& frame, const Choice& choice, Trees& trees) {
    for (Tree& tree : trees) {
        relax(frame, choice, tree.landmark, tree.to, true);
        relax(frame, choice, tree.landmark, tree.from, false);
    }
}

inline Hops only_here(const Store& store, const Hops& hops) {
    Hops here;
    hops.ids.each([&](uint32_t at) {
        uint64_t id = hops.ids[at];
        if (store.node_ids.find(id) != NONE) here[id] = hops.values[at];
    });
    return here;
}

// The diff of a server: the next step for its own nodes.
inline void make_diff(const Store& store, Index& diff) {
    Frame frame(store);
    store.index.centralities.each([&](const Query& query, const Scores& scores) {
        Ranking(frame, query, scores).run(diff.centralities[query]);
    });
    store.index.paths.each([&](const Query& query, const Trees& trees) {
        Trees next = trees;
        relax(frame, Choice(store, query), next);
        for (Tree& tree : next) {
            tree.from = only_here(store, tree.from);
            tree.to = only_here(store, tree.to);
        }
        diff.paths[query].swap(next);
    });
}

// The queries that are known when a diff is made.
struct Known {
    std::vector<Query> centralities, paths;

    void note(const Index& index) {
        index.centralities.each([&](const Query& query, const Scores&) { centralities.push_back(query); });
        index.paths.each([&](const Query& query, const Trees&) { paths.push_back(query); });
    }
};

// Keeps what changed after a diff was made: queries that are new stay, and those that were removed do not come back.
template <class Value>
void keep_changes(QueryMap<Value>& now, const std::vector<Query>& before, QueryMap<Value>& mixed) {
    QueryMap<char> known;
    for (const Query& query : before) {
        known[query] = 1;
        if (now.find(query) == NONE) mixed.erase(query);
    }
    for (int32_t at : now.order())
        if (known.find(now.queries[at]) == NONE) mixed[now.queries[at]] = now.values[at];
}

inline void keep_changes(Index& now, const Known& before, Index& mixed) {
    keep_changes(now.centralities, before.centralities, mixed.centralities);
    keep_changes(now.paths, before.paths, mixed.paths);
}

// What a MIX of a single server does, after one more pass over the paths.
inline void update_index(Store& store) {
    Index diff;
    {
        Frame frame(store);
        for (int32_t at : store.index.paths.order())
            relax(frame, Choice(store, store.index.paths.queries[at]), store.index.paths.values[at]);
    }
    make_diff(store, diff);
    normalize(diff);
    std::swap(store.index, diff);
}

// The tree with the shortest way from a node to another one; the first of equal ones, null if there is none.
inline const Tree* choose_tree(const Trees& trees, size_t most, uint64_t source, uint64_t target) {
    size_t best = trees.size();
    uint64_t shortest = 0;
    for (size_t i = 0; i < trees.size(); i++) {
        const Hop* to = trees[i].to.find(source);
        const Hop* from = to ? trees[i].from.find(target) : nullptr;
        if (from && (best == trees.size() || to->distance + from->distance < shortest)) {
            best = i;
            shortest = to->distance + from->distance;
        }
    }
    return best < trees.size() && best < most ? &trees[best] : nullptr;
}

// The path from a node to its landmark and on to another node, with about `most` nodes at most; empty if there is none.
inline std::vector<uint64_t> find_path(const Tree& tree, uint64_t source, uint64_t target, uint64_t most) {
    std::vector<uint64_t> path, rest;
    // More hops than a tree has lead in a circle, which only a file or a diff from elsewhere can have.
    for (uint64_t at = source; at != tree.landmark;) {
        if (path.size() >= most) return path;
        const Hop* hop = tree.to.find(at);
        if (!hop || path.size() > tree.to.size()) return {};
        path.push_back(at);
        if (at == target) return path;
        at = hop->parent;
    }
    path.push_back(tree.landmark);
    for (uint64_t at = target; at != tree.landmark;) {
        if (path.size() + rest.size() >= most) return path;
        const Hop* hop = tree.from.find(at);
        if (!hop || rest.size() > tree.from.size()) return {};
        rest.push_back(at);
        at = hop->parent;
    }
    path.insert(path.end(), rest.rbegin(), rest.rend());
    return path;
}

}  // namespace graph
}  // namespace jubatus
