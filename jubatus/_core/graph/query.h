// Properties of nodes and edges, and the preset queries that choose among them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/order.h"
#include "kernels/table.h"

namespace jubatus {
namespace graph {

// Properties are kept as they are sent: a packed map in the order of its keys, each of which is there once.
using Properties = std::string;

inline const Properties NO_PROPERTIES("\x80");

struct Property {
    const char* key = nullptr;
    const char* value = nullptr;
    uint32_t key_size = 0, value_size = 0;
};

inline int read_property(Cursor& c, Property& p) {
    int status = read_raw(c, p.key, p.key_size);
    return status ? status : read_raw(c, p.value, p.value_size);
}

// Of equal keys the last one counts.
inline int read_properties(Cursor& c, Properties& properties) {
    uint32_t n = 0;
    int status = read_map(c, n);
    std::vector<Property> read;
    for (; status == OK && n; n--) {
        Property p;
        status = read_property(c, p);
        if (status == OK) read.push_back(p);
    }
    if (status) return status;
    auto order = [](const Property& a, const Property& b) { return order_of(a.key, a.key_size, b.key, b.key_size); };
    std::stable_sort(read.begin(), read.end(), [&](const Property& a, const Property& b) { return order(a, b) < 0; });
    size_t kept = 0;
    for (size_t i = 0; i < read.size(); i++)
        if (i + 1 == read.size() || order(read[i], read[i + 1])) read[kept++] = read[i];
    Buffer packed;
    packed.map(kept);
    for (size_t i = 0; i < kept; i++) {
        packed.raw(read[i].key, read[i].key_size);
        packed.raw(read[i].value, read[i].value_size);
    }
    properties.assign(reinterpret_cast<const char*>(packed.data), packed.size);
    return OK;
}

// A property that is wanted.
struct Condition {
    std::string key, value;
};

// Whether all that is wanted is there.
inline bool matches(const Properties& properties, const std::vector<Condition>& wanted) {
    for (const Condition& one : wanted) {
        auto* start = reinterpret_cast<const uint8_t*>(properties.data());
        Cursor c{start, start + properties.size()};
        uint32_t n = 0;
        read_map(c, n);
        bool found = false;
        for (; n && !found; n--) {
            Property p;
            read_property(c, p);
            found = order_of(p.key, p.key_size, one.key.data(), one.key.size()) == 0 &&
                    order_of(p.value, p.value_size, one.value.data(), one.value.size()) == 0;
        }
        if (!found) return false;
    }
    return true;
}

inline int read_conditions(Cursor& c, std::vector<Condition>& conditions) {
    uint32_t n = 0, pair = 0;
    int status = read_array(c, n);
    for (; status == OK && n; n--) {
        Property p;
        status = read_array(c, pair);
        if (status == OK) status = pair == 2 ? read_property(c, p) : MISMATCH;
        if (status == OK) conditions.push_back({{p.key, p.key_size}, {p.value, p.value_size}});
    }
    return status;
}

inline void write_conditions(Buffer& out, const std::vector<Condition>& conditions) {
    out.array(conditions.size());
    for (const Condition& one : conditions) {
        out.array(2);
        out.raw(one.key.data(), one.key.size());
        out.raw(one.value.data(), one.value.size());
    }
}

// Chooses edges and nodes by their properties. Two queries are the same if they want the same in the same order.
struct Query {
    std::vector<Condition> edge, node;
    std::string packed;
    uint64_t hash = 0;

    bool is_empty() const { return edge.empty() && node.empty(); }
    bool operator==(const Query& other) const { return hash == other.hash && packed == other.packed; }
    void finish() {
        Buffer out;
        out.array(2);
        write_conditions(out, edge);
        write_conditions(out, node);
        packed.assign(reinterpret_cast<const char*>(out.data), out.size);
        hash = FNV_OFFSET;
        for (auto* conditions : {&edge, &node})
            for (const Condition& one : *conditions)
                for (auto* text : {&one.key, &one.value}) hash = fnv1(hash, text->data(), text->size()) * FNV_PRIME;
    }
};

// Lists that are missing are empty.
inline int read_query(Cursor& c, Query& query) {
    uint32_t n = 0;
    int status = read_array(c, n);
    if (status == OK && n > 0) status = read_conditions(c, query.edge);
    if (status == OK && n > 1) status = read_conditions(c, query.node);
    if (status == OK && n > 2) status = close_struct(c, n - 2);
    if (status == OK) query.finish();
    return status;
}

// A map from queries to values, in the order of a std::tr1::unordered_map keyed by them.
template <class Value>
struct QueryMap {
    Chains chains;
    std::vector<uint32_t> idle;
    std::vector<Query> queries;  // by place
    std::vector<Value> values;

    size_t size() const { return chains.count; }
    // The place of a query; NONE for an unknown one.
    uint32_t find(const Query& query) const {
        int32_t at = chains.heads[remainder(query.hash, chains.step)];
        while (at >= 0 && !(queries[at] == query)) at = chains.nodes[at].next;
        return at < 0 ? NONE : uint32_t(at);
    }
    Value& operator[](const Query& query) {
        uint32_t at = find(query);
        if (at != NONE) return values[at];
        if (idle.empty()) {
            at = uint32_t(queries.size());
            queries.emplace_back();
            values.emplace_back();
        } else {
            at = idle.back();
            idle.pop_back();
        }
        queries[at] = query;
        chains.insert(at, query.hash);
        return values[at];
    }
    void erase(const Query& query) {
        uint32_t at = find(query);
        if (at == NONE) return;
        chains.erase(at);
        values[at] = Value();
        idle.push_back(at);
    }
    // Calls f with each query and its value in the order of the map.
    template <class F>
    void each(F f) const {
        for (int32_t at : order()) f(queries[at], values[at]);
    }
    std::vector<int32_t> order() const {
        std::vector<int32_t> places(size());
        chains.order(places.data());
        return places;
    }
    // All leave; see Chains.
    void clear() {
        chains.remove_all();
        idle.clear();
        queries.clear();
        values.clear();
    }
};

}  // namespace graph
}  // namespace jubatus
