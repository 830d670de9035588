// What LOF knows of each row: how far its k-th neighbour is, and how densely its surroundings are populated.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/names.h"
#include "kernels/table.h"

namespace jubatus::lof {

struct Entry {
    double kdist = 0;  // below 0: the row was removed
    double lrd = 0;
    uint64_t when = 0;  // of the last change

    bool is_removed() const { return kdist < 0; }
};

struct Entries {
    Names names;
    std::vector<Entry> values;  // by place

    void swap(Entries& other) {
        names.swap(other.names);
        values.swap(other.values);
    }
    const Entry* find(const std::string& name) const {
        const uint32_t at = names.find(name);
        return at == NONE ? nullptr : &values[at];
    }
    // The entry of a row; one of zeros if there was none.
    Entry& enter(const std::string& name) {
        const size_t before = names.size();
        const uint32_t at = names.enter(name);
        if (at >= values.size()) values.resize(at + 1);
        if (names.size() != before) values[at] = Entry();
        return values[at];
    }
    void remove(const std::string& name) {
        const uint32_t at = names.find(name);
        if (at != NONE) names.leave(at);
    }
    void clear() {
        names.clear();
        values.clear();
    }
};

inline void write_entries(Buffer& out, const Entries& entries) {
    out.map(entries.names.size());
    for (int32_t at : entries.names.order()) {
        const std::string& name = entries.names.name(uint32_t(at));
        out.raw(name.data(), name.size());
        out.array(2);
        out.number(entries.values[at].kdist);
        out.number(entries.values[at].lrd);
    }
}

inline int read_entries(Cursor& c, Entries& entries) {
    uint32_t n = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        uint32_t more = 0;
        std::string name;
        Entry entry;
        status = read_text(c, name);
        if (status == OK) status = open_struct(c, 2, more);
        if (status == OK) status = read_double(c, entry.kdist);
        if (status == OK) status = read_double(c, entry.lrd);
        if (status == OK) status = close_struct(c, more);
        if (status == OK) entries.enter(name) = entry;
    }
    return status;
}

// Adds the diff of a further server: a removal counts, otherwise the entry of the server that came first.
inline void join(Entries& sum, const Entries& later) {
    for (int32_t at : later.names.order()) {
        const std::string& name = later.names.name(uint32_t(at));
        const Entry& entry = later.values[at];
        if (entry.is_removed() || !sum.find(name)) sum.enter(name) = entry;
    }
}

// The entries that were mixed, and those that changed since then.
struct Store {
    Entries master, diff;
    uint64_t time = 0;
    uint64_t k = 0, reverse = 0;
    bool ignores = false;

    // The entry of a row, which may be removed; null if there is none.
    const Entry* find(const std::string& name) const {
        const Entry* found = diff.find(name);
        return found ? found : master.find(name);
    }
    Entry& change(const std::string& name) {
        Entry& entry = diff.enter(name);
        entry.when = ++time;
        return entry;
    }
    void remove(const std::string& name) { change(name).kdist = -1; }
    // Takes a copied diff out of the own one, but for what changed later. A removal stays until a mixed diff has it.
    void subtract(const Entries& given, uint64_t when) {
        for (int32_t at : given.names.order()) {
            const std::string& name = given.names.name(uint32_t(at));
            const Entry* own = diff.find(name);
            if (own && own->when <= when && !own->is_removed()) diff.remove(name);
        }
    }
    void put_removal(const std::string& name) {
        master.remove(name);
        const Entry* own = diff.find(name);
        if (own && own->is_removed()) diff.remove(name);
    }
    void swap(Store& other) {
        master.swap(other.master);
        diff.swap(other.diff);
        std::swap(k, other.k);
        std::swap(reverse, other.reverse);
        std::swap(ignores, other.ignores);
        time = other.time = std::max(time, other.time) + 1;
    }
    void clear() {
        master.clear();
        diff.clear();
    }
};

inline void write_store(Buffer& out, const Store& store) {
    out.array(5);
    write_entries(out, store.master);
    write_entries(out, store.diff);
    out.uint(store.k);
    out.uint(store.reverse);
    out.boolean(store.ignores);
}

inline int read_store(Cursor& c, Store& store) {
    uint32_t more = 0;
    Head head;
    int status = open_struct(c, 5, more);
    if (status == OK) status = read_entries(c, store.master);
    if (status == OK) status = read_entries(c, store.diff);
    if (status == OK) status = read_unsigned(c, store.k);
    if (status == OK) status = read_unsigned(c, store.reverse);
    if (status == OK) status = read_head(c, head);
    if (status == OK && head.kind != BOOLEAN) status = MISMATCH;
    if (status == OK) store.ignores = head.value != 0;
    return status ? status : close_struct(c, more);
}

// A sum in the order of a std::tr1::unordered_map that the names entered one after the other.
struct OrderedSum {
    std::vector<uint64_t> hashes;
    std::vector<double> values;
    std::vector<int32_t> places;
    MapOrder map;

    void clear() {
        hashes.clear();
        values.clear();
    }
    void add(const Span& name, double value) {
        hashes.push_back(fnv1a(name.p, name.n));
        values.push_back(value);
    }
    double sum() {
        places.resize(values.size());
        if (!values.empty()) map.order(hashes.data(), uint32_t(hashes.size()), places.data());
        double total = 0;
        for (int32_t at : places) total += values[at];
        return total;
    }
};

// The score of a query: how much denser its neighbours lie than itself. `reach` is the sum of its reachability distances.
inline double score(size_t neighbours, double densities, double reach) {
    const double infinite = std::numeric_limits<double>::infinity();
    if (!neighbours) return infinite;
    const double density = reach == 0 ? infinite : double(neighbours) / reach;
    if (densities == infinite && density == infinite) return 1;
    return densities / (double(neighbours) * density);
}

}  // namespace jubatus::lof
