// Names that come and go. Each has a place (0, 1, 2, ...), which is used again after it has left. Their order is that of
// a std::tr1::unordered_map keyed by them.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/table.h"

namespace jubatus {

struct Names {
    std::unordered_map<std::string, uint32_t> places;
    std::vector<const std::string*> names;  // by place; they stand in `places`
    std::vector<uint32_t> idle;
    Chains chains;

    Names() {}
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;
    void swap(Names& other) {
        places.swap(other.places);
        names.swap(other.names);
        idle.swap(other.idle);
        std::swap(chains, other.chains);
    }
    size_t size() const { return places.size(); }
    const std::string& name(uint32_t at) const { return *names[at]; }
    // The place of a name; NONE for an unknown one.
    uint32_t find(const std::string& name) const {
        auto found = places.find(name);
        return found == places.end() ? NONE : found->second;
    }
    // The place of a name that may be new.
    uint32_t enter(const std::string& name) {
        uint32_t next = idle.empty() ? uint32_t(names.size()) : idle.back();
        auto [found, is_new] = places.try_emplace(name, next);
        if (!is_new) return found->second;
        if (idle.empty())
            names.push_back(nullptr);
        else
            idle.pop_back();
        names[next] = &found->first;
        chains.insert(next, fnv1a(name.data(), name.size()));
        return next;
    }
    void leave(uint32_t at) {
        chains.erase(at);
        places.erase(places.find(*names[at]));
        idle.push_back(at);
    }
    // The places in the order of the map.
    std::vector<int32_t> order() const {
        std::vector<int32_t> listed(places.size());
        chains.order(listed.data());
        return listed;
    }
    // All leave; see Chains.
    void clear() {
        chains.remove_all();
        places.clear();
        names.clear();
        idle.clear();
    }
};

}  // namespace jubatus
