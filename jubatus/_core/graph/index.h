// What is computed of a graph for each preset query: the centrality of its nodes, and trees of shortest paths.
#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "graph/query.h"
#include "kernels/bytes.h"
#include "kernels/ids.h"

namespace jubatus {
namespace graph {

struct Score {
    double value = 0;
    uint64_t out_degree = 0;
};
using Scores = IdMap<Score>;  // by node

// How far a node is from the landmark of a tree, and the node before it or after it on the way.
struct Hop {
    uint64_t distance = 0, parent = 0;
};
using Hops = IdMap<Hop>;  // by node

// Shortest paths from one node, the landmark, to others, and from others to it.
struct Tree {
    uint64_t landmark = 0;
    Hops from, to;
};
using Trees = std::vector<Tree>;

struct Index {
    QueryMap<Scores> centralities;
    QueryMap<Trees> paths;

    void clear() {
        centralities.clear();
        paths.clear();
    }
};

inline void write_hops(Buffer& out, const Hops& hops) {
    out.map(hops.size());
    hops.ids.each([&](uint32_t at) {
        out.uint(hops.ids[at]);
        out.array(2);
        out.uint(hops.values[at].distance);
        out.uint(hops.values[at].parent);
    });
}

inline void write_index(Buffer& out, const Index& index) {
    out.map(index.centralities.size());
    index.centralities.each([&](const Query& query, const Scores& scores) {
        out.append(query.packed.data(), query.packed.size());
        out.map(scores.size());
        scores.ids.each([&](uint32_t at) {
            out.uint(scores.ids[at]);
            out.array(2);
            out.number(scores.values[at].value);
            out.uint(scores.values[at].out_degree);
        });
    });
    out.map(index.paths.size());
    index.paths.each([&](const Query& query, const Trees& trees) {
        out.append(query.packed.data(), query.packed.size());
        out.array(trees.size());
        for (const Tree& tree : trees) {
            out.array(3);
            out.uint(tree.landmark);
            write_hops(out, tree.from);
            write_hops(out, tree.to);
        }
    });
}

// Reads a struct whose fields `read_fields` reads.
template <class F>
int read_struct(Cursor& c, uint32_t fields, F read_fields) {
    uint32_t more = 0;
    int status = open_struct(c, fields, more);
    if (status == OK) status = read_fields();
    return status ? status : close_struct(c, more);
}

// Reads a map of numbers to values, each of which `read_value` reads into its place.
template <class Value, class F>
int read_ids(Cursor& c, IdMap<Value>& map, F read_value) {
    uint32_t n = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        uint64_t id = 0;
        Value value;
        status = read_unsigned(c, id);
        if (status == OK) status = read_struct(c, 2, [&] { return read_value(value); });
        if (status == OK) map[id] = value;
    }
    return status;
}

inline int read_hops(Cursor& c, Hops& hops) {
    return read_ids(c, hops, [&](Hop& hop) {
        int status = read_unsigned(c, hop.distance);
        return status ? status : read_unsigned(c, hop.parent);
    });
}

inline int read_trees(Cursor& c, Trees& trees) {
    uint32_t n = 0;
    int status = read_array(c, n);
    trees.clear();
    for (; status == OK && n; n--) {
        trees.emplace_back();
        Tree& tree = trees.back();
        status = read_struct(c, 3, [&] {
            int status = read_unsigned(c, tree.landmark);
            if (status == OK) status = read_hops(c, tree.from);
            return status ? status : read_hops(c, tree.to);
        });
    }
    return status;
}

inline int read_scores(Cursor& c, Scores& scores) {
    return read_ids(c, scores, [&](Score& score) {
        int status = read_double(c, score.value);
        return status ? status : read_unsigned(c, score.out_degree);
    });
}

template <class Value>
int read_queries(Cursor& c, QueryMap<Value>& map, int (*read_value)(Cursor&, Value&)) {
    uint32_t n = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        Query query;
        status = read_query(c, query);
        if (status == OK) status = read_value(c, map[query]);
    }
    return status;
}

inline int read_index(Cursor& c, Index& index) {
    int status = read_queries(c, index.centralities, read_scores);
    return status ? status : read_queries(c, index.paths, read_trees);
}

// A diff is a struct of the two maps.
inline int read_diff(Cursor& c, Index& diff) {
    return read_struct(c, 2, [&] { return read_index(c, diff); });
}
inline void write_diff(Buffer& out, const Index& diff) {
    out.array(2);
    write_index(out, diff);
}

inline void join_hops(Hops& mixed, const Hops& diff) {
    diff.ids.each([&](uint32_t at) { mixed[diff.ids[at]] = diff.values[at]; });
}

// Of trees with the same landmark the last one counts.
inline std::map<uint64_t, size_t> by_landmark(const Trees& trees) {
    std::map<uint64_t, size_t> last;
    for (size_t i = 0; i < trees.size(); i++) last[trees[i].landmark] = i;
    return last;
}

inline void join_trees(Trees& mixed, const Trees& diff, size_t most) {
    auto known = by_landmark(mixed);
    for (auto [landmark, at] : by_landmark(diff)) {
        auto found = known.find(landmark);
        if (found != known.end()) {
            join_hops(mixed[found->second].from, diff[at].from);
            join_hops(mixed[found->second].to, diff[at].to);
        } else if (mixed.size() < most) {
            mixed.push_back(diff[at]);
        }
    }
}

// Adds a diff to a mixed one. What both have becomes that of the diff. A list of trees grows to `most` landmarks.
inline void join(Index& mixed, const Index& diff, size_t most) {
    diff.centralities.each([&](const Query& query, const Scores& scores) {
        Scores& sum = mixed.centralities[query];
        scores.ids.each([&](uint32_t at) { sum[scores.ids[at]] = scores.values[at]; });
    });
    diff.paths.each([&](const Query& query, const Trees& trees) { join_trees(mixed.paths[query], trees, most); });
}

// Makes the scores of a query add up to their number.
inline void normalize(Scores& scores) {
    double sum = 0;
    scores.ids.each([&](uint32_t at) { sum += scores.values[at].value; });
    double factor = double(scores.size()) / sum;
    for (Score& score : scores.values) score.value *= factor;
}

inline void normalize(Index& diff) {
    for (int32_t at : diff.centralities.order()) normalize(diff.centralities.values[at]);
}

}  // namespace graph
}  // namespace jubatus
