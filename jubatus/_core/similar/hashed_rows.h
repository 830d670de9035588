// Rows that are known by a hash of their vector: bits, and for euclidean distances a norm and keys of buckets besides.
//
// What was mixed is the master, what was learned since the last MIX the diff. A row of the diff stands for that of the
// master, which is kept `below` meanwhile; it may say that the row is removed. A search looks at one value for each row.
//
// Buckets name rows by numbers that are never used twice. As in 1.1 they may name a row that is gone, or has other keys by
// now: a row that was never mixed leaves its number behind when it is removed, and one that was mixed stays in its old
// buckets while the diff has others. When much of that has come together it is swept out, and the numbers begin anew.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/names.h"
#include "kernels/table.h"

namespace jubatus::hashed {

// What a value consists of, in words: the bits, and with tables the norm and a key for each table.
struct Form {
    size_t bits = 0, tables = 0, words = 0, width = 0;

    Form() {}
    Form(size_t bits, size_t tables)
        : bits(bits), tables(tables), words((bits + 63) / 64), width(words + (tables ? 1 + tables : 0)) {}
    double norm(const uint64_t* value) const {
        double number;
        memcpy(&number, value + words, 8);
        return number;
    }
    const uint64_t* keys(const uint64_t* value) const { return value + words + 1; }
};

using Value = std::vector<uint64_t>;

constexpr size_t MANY_STALE = 1024;

struct Buckets {
    std::unordered_map<uint64_t, std::vector<uint32_t>> rows;

    const std::vector<uint32_t>* find(uint64_t key) const {
        auto found = rows.find(key);
        return found == rows.end() ? nullptr : &found->second;
    }
    void add_last(uint64_t key, uint32_t row) { rows[key].push_back(row); }
    void add_sorted(uint64_t key, uint32_t row) {
        std::vector<uint32_t>& bucket = rows[key];
        auto at = std::lower_bound(bucket.begin(), bucket.end(), row);
        if (at == bucket.end() || *at != row) bucket.insert(at, row);
    }
    void erase(uint64_t key, uint32_t row) {
        auto found = rows.find(key);
        if (found == rows.end()) return;
        std::vector<uint32_t>& bucket = found->second;
        bucket.erase(std::remove(bucket.begin(), bucket.end(), row), bucket.end());
        if (bucket.empty()) rows.erase(found);
    }
};

// Rows of a diff, in the order of the original's map.
struct Diff {
    Form form;
    Names names;
    std::vector<uint8_t> removed;
    std::vector<uint64_t> values;
    uint64_t era = 0;

    // Null for a row that is removed.
    const uint64_t* value(uint32_t at) const { return removed[at] ? nullptr : values.data() + at * form.width; }
    // `value` is null for a row that is removed.
    void put(const std::string& name, const uint64_t* value) {
        const uint32_t at = names.enter(name);
        if (at >= removed.size()) {
            removed.resize(at + 1);
            values.resize(removed.size() * form.width);
        }
        removed[at] = !value;
        if (value) memcpy(values.data() + at * form.width, value, 8 * form.width);
    }
};

inline void join(Diff& sum, const Diff& later) {
    for (int32_t at : later.names.order())
        sum.put(later.names.name(uint32_t(at)), later.value(uint32_t(at)));
}

struct Rows {
    enum Flag : uint8_t { IN_MASTER = 1, IN_DIFF = 2, REMOVED = 4 };

    Form form;
    Names names;                   // with tables none leaves but by sweep: a row's number is its place
    std::vector<uint8_t> flags;    // by place
    std::vector<uint64_t> values;  // by place
    std::unordered_map<uint32_t, Value> below;
    Chains changed;  // the rows of the diff, in the order of the original's map
    Buckets master, diff;
    std::vector<float> shifts;  // of the tables' hashes
    uint64_t era = 0;           // changes when the diff is no longer the one that was copied
    size_t stale = 0;           // rows that may have left something in buckets since the last sweep

    const uint64_t* value(uint32_t at) const { return values.data() + at * form.width; }
    bool is_visible(uint32_t at) const {
        return flags[at] & IN_DIFF ? !(flags[at] & REMOVED) : flags[at] & IN_MASTER;
    }
    bool is_in_diff(uint32_t at) const { return flags[at] & IN_DIFF; }
    // The place of a row that can be found, else NONE.
    uint32_t find(const std::string& name) const {
        const uint32_t at = names.find(name);
        return at != NONE && is_visible(at) ? at : NONE;
    }
    size_t count() const {
        size_t n = 0;
        for (uint32_t at = 0; at < flags.size(); at++) n += is_visible(at);
        return n;
    }
    const uint64_t* master_value(uint32_t at) const {
        return flags[at] & IN_DIFF ? below.at(at).data() : value(at);
    }
    uint32_t enter(const std::string& name) {
        const uint32_t at = names.enter(name);
        if (at >= flags.size()) {
            flags.resize(at + 1);
            values.resize(flags.size() * form.width);
        }
        return at;
    }
    void set(const std::string& name, const uint64_t* value) {
        const uint32_t at = enter(name);
        leave_diff_buckets(at);
        enter_diff(at);
        flags[at] &= ~REMOVED;
        memcpy(values.data() + at * form.width, value, 8 * form.width);
        enter_diff_buckets(at);
    }
    void remove(const std::string& name) {
        const uint32_t at = names.find(name);
        if (at == NONE || !(flags[at] & (IN_MASTER | IN_DIFF))) return;
        stale++;
        if (!(flags[at] & IN_MASTER)) return leave_diff(at);
        leave_diff_buckets(at);
        enter_diff(at);
        flags[at] |= REMOVED;
    }
    // Puts a row of a mixed diff; `value` is null for one that is removed.
    void put(const std::string& name, const uint64_t* value) {
        uint32_t at = names.find(name);
        if (at != NONE && is_visible(at))
            for (size_t t = 0; t < form.tables; t++) master.erase(form.keys(this->value(at))[t], at);
        stale += at != NONE && flags[at] & IN_DIFF;
        if (!value) {
            if (at == NONE) return;
            flags[at] &= ~IN_MASTER;
            below.erase(at);
            if (flags[at] & REMOVED)
                leave_diff(at);
            else if (!(flags[at] & IN_DIFF))
                leave(at);
            return;
        }
        at = enter(name);
        flags[at] |= IN_MASTER;
        if (flags[at] & IN_DIFF)
            below[at].assign(value, value + form.width);
        else
            memcpy(values.data() + at * form.width, value, 8 * form.width);
        for (size_t t = 0; t < form.tables; t++) master.add_last(form.keys(value)[t], at);
    }
    void copy_diff(Diff& out) const {
        out.form = form;
        out.era = era;
        for (int32_t at : changed_rows())
            out.put(names.name(uint32_t(at)), flags[uint32_t(at)] & REMOVED ? nullptr : value(uint32_t(at)));
    }
    // Takes what a copy holds out of the diff, after the mixed diff was put. A removal stays until a mixed diff has it. A
    // row that was removed after the copy is removed once more: others have it by now.
    void subtract(const Diff& given) {
        if (given.era != era) return;
        for (int32_t i : given.names.order()) {
            const uint32_t at = names.find(given.names.name(uint32_t(i)));
            if (at == NONE || given.removed[uint32_t(i)] || flags[at] & REMOVED) continue;
            if (!(flags[at] & IN_DIFF)) {
                if (!(flags[at] & IN_MASTER)) continue;
                enter_diff(at);
                flags[at] |= REMOVED;
            } else if (memcmp(value(at), given.value(uint32_t(i)), 8 * form.width) == 0) {
                leave_diff(at);
            }
        }
        diff.rows.clear();
        for (int32_t at : changed_rows()) enter_diff_buckets(uint32_t(at));
        era++;
    }
    // Sweeps if it pays. The numbers of rows may change.
    void sweep_if_many() {
        if (form.tables && stale >= MANY_STALE && 2 * stale >= flags.size()) sweep();
    }
    void drop_diff() {
        for (int32_t at : changed_rows()) leave_diff(uint32_t(at));
        diff.rows.clear();
        era++;
    }
    std::vector<int32_t> changed_rows() const {
        std::vector<int32_t> found(changed.count);
        changed.order(found.data());
        return found;
    }
    void clear() {
        names.clear();
        flags.clear();
        values.clear();
        below.clear();
        changed.clear();
        master.rows.clear();
        diff.rows.clear();
        stale = 0;
        era++;
    }
    void swap(Rows& other) {
        names.swap(other.names);
        flags.swap(other.flags);
        values.swap(other.values);
        below.swap(other.below);
        std::swap(changed, other.changed);
        master.rows.swap(other.master.rows);
        diff.rows.swap(other.diff.rows);
        shifts.swap(other.shifts);
        era = other.era = std::max(era, other.era) + 1;
        std::swap(stale, other.stale);
    }

    // Puts the diff in the place of that of other rows, which come from another server. What `since` holds is left out.
    void carry(const Diff* since, Rows& theirs) {
        theirs.drop_diff();
        if (since && since->era == era) {
            for (int32_t i : since->names.order()) {
                const std::string& name = since->names.name(uint32_t(i));
                if (!since->removed[uint32_t(i)] && find(name) == NONE) theirs.remove(name);
            }
            subtract(*since);
        }
        for (int32_t at : changed_rows()) {
            const std::string& name = names.name(uint32_t(at));
            if (flags[uint32_t(at)] & REMOVED)
                theirs.remove(name);
            else
                theirs.set(name, value(uint32_t(at)));
        }
    }

  private:
    // Forgets the numbers of rows that are gone, and fills the buckets with what rows have now.
    void sweep() {
        std::vector<uint32_t> number(flags.size(), NONE);
        std::unordered_map<uint32_t, Value> kept_below;
        Names kept;
        for (uint32_t at = 0; at < number.size(); at++) {
            if (!flags[at]) continue;
            const uint32_t now = number[at] = kept.enter(names.name(at));
            flags[now] = flags[at];
            if (now != at) memcpy(values.data() + now * form.width, value(at), 8 * form.width);
        }
        names.swap(kept);
        flags.resize(names.size());
        values.resize(names.size() * form.width);
        for (auto& [at, value] : below) kept_below[number[at]].swap(value);
        below.swap(kept_below);
        changed.renumber(number);
        master.rows.clear();
        diff.rows.clear();
        for (uint32_t at = 0; at < flags.size(); at++)
            for (size_t t = 0; t < form.tables && flags[at] & IN_MASTER; t++)
                master.add_last(form.keys(master_value(at))[t], at);
        for (int32_t at : changed_rows()) enter_diff_buckets(uint32_t(at));
        stale = 0;
    }
    void enter_diff(uint32_t at) {
        if (flags[at] & IN_DIFF) return;
        if (flags[at] & IN_MASTER) below[at].assign(value(at), value(at) + form.width);
        flags[at] |= IN_DIFF;
        changed.insert(at, fnv1a(names.name(at).data(), names.name(at).size()));
    }
    void leave_diff(uint32_t at) {
        changed.erase(at);
        flags[at] &= IN_MASTER;
        if (!flags[at]) return leave(at);
        memcpy(values.data() + at * form.width, below.at(at).data(), 8 * form.width);
        below.erase(at);
    }
    void leave(uint32_t at) {
        flags[at] = 0;
        if (!form.tables) names.leave(at);
    }
    void enter_diff_buckets(uint32_t at) {
        if (flags[at] & REMOVED) return;
        for (size_t t = 0; t < form.tables; t++) diff.add_sorted(form.keys(value(at))[t], at);
    }
    void leave_diff_buckets(uint32_t at) {
        if (!(flags[at] & IN_DIFF) || flags[at] & REMOVED) return;
        for (size_t t = 0; t < form.tables; t++) diff.erase(form.keys(value(at))[t], at);
    }
};

}  // namespace jubatus::hashed
