// Numbers of 64 bits that come and go. Each has a place (0, 1, 2, ...), which is used again after it has left. Their
// order is that of a std::tr1::unordered_map keyed by them: its hash of a number is the number, so the chains that keep
// the order also find a number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/chains.h"
#include "kernels/table.h"

namespace jubatus {

// Reads the number of an id as a C++ stream does: blanks and a sign may stand before it and anything behind it, and a
// negative one counts from 2^64 down. Returns whether there is one that fits.
inline bool parse_id(const char* p, size_t size, uint64_t& id) {
    const char* end = p + size;
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) p++;
    bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end || *p < '0' || *p > '9') return false;
    for (id = 0; p < end && *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(id, 10, &id) || __builtin_add_overflow(id, uint64_t(*p - '0'), &id)) return false;
    if (is_negative) id = -id;
    return true;
}

struct Ids {
    Chains chains;
    std::vector<uint32_t> idle;

    size_t size() const { return chains.count; }
    uint64_t operator[](uint32_t at) const { return chains.nodes[at].hash; }
    // The place of a number; NONE for an unknown one.
    uint32_t find(uint64_t id) const {
        int32_t at = chains.heads[remainder(id, chains.step)];
        while (at >= 0 && chains.nodes[at].hash != id) at = chains.nodes[at].next;
        return at < 0 ? NONE : uint32_t(at);
    }
    // The place of a number that may be new.
    uint32_t enter(uint64_t id) {
        uint32_t at = find(id);
        if (at != NONE) return at;
        at = idle.empty() ? uint32_t(chains.nodes.size()) : idle.back();
        if (!idle.empty()) idle.pop_back();
        chains.insert(at, id);
        return at;
    }
    void leave(uint32_t at) {
        chains.erase(at);
        idle.push_back(at);
    }
    // Calls f with each place in the order of the map.
    template <class F>
    void each(F f) const {
        for (int32_t head : chains.heads)
            for (; head >= 0; head = chains.nodes[head].next) f(uint32_t(head));
    }
    // All leave; see Chains.
    void clear() {
        chains.remove_all();
        idle.clear();
    }
};

// A map from numbers to values, which only grows.
template <class Value>
struct IdMap {
    Ids ids;
    std::vector<Value> values;  // by place

    size_t size() const { return ids.size(); }
    const Value* find(uint64_t id) const {
        uint32_t at = ids.find(id);
        return at == NONE ? nullptr : &values[at];
    }
    Value& operator[](uint64_t id) {
        uint32_t at = ids.enter(id);
        if (at == values.size()) values.emplace_back();
        return values[at];
    }
};

}  // namespace jubatus
