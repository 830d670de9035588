// Rows of features with their values, as they were given. Features have numbers in the order in which they first came;
// a row is sorted by them. After many rows were removed the features are swept out that no row has any more.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convert/vector.h"
#include "kernels/bytes.h"
#include "kernels/hash.h"
#include "kernels/names.h"
#include "kernels/table.h"
#include "rows/packed_names.h"

namespace jubatus {

struct RawFeature {
    uint64_t id;   // name_id of the name
    uint64_t name;
    uint64_t key;  // fnv1 of the name
};

struct RawCell {
    uint32_t feature;  // its number
    double value;
};

constexpr size_t MANY_ROWS = 1024;

using RawRow = std::vector<RawCell>;

inline bool comes_before(const RawCell& a, const RawCell& b) { return a.feature < b.feature; }

// Sorts cells by feature; of several for one feature the last one stays.
inline void sort_cells(RawRow& cells) {
    bool ascends = true;
    for (size_t i = 1; i < cells.size(); i++) ascends &= cells[i - 1].feature < cells[i].feature;
    if (ascends) return;
    std::stable_sort(cells.begin(), cells.end(), comes_before);
    size_t kept = 0;
    for (size_t i = 0; i < cells.size(); i++) {
        if (kept && cells[kept - 1].feature == cells[i].feature) kept--;
        cells[kept++] = cells[i];
    }
    cells.resize(kept);
}

struct SparseRows {
    Table<RawFeature> features;  // a feature's number is its index
    Names names;
    std::vector<RawRow> rows;  // by the place of the name
    RawRow given, merged;      // memory of update
    size_t removed = 0;        // rows, since the last sweep

    size_t size() const { return names.size(); }
    SparseRows() { features.names.whole = true; }
    Span feature_name(uint32_t feature) const { return features.name(feature).token; }
    const RawRow* find(const std::string& name) const {
        const uint32_t at = names.find(name);
        return at == NONE ? nullptr : &rows[at];
    }
    RawRow& enter(const std::string& name) {
        const uint32_t at = names.enter(name);
        if (at >= rows.size()) rows.resize(at + 1);
        return rows[at];
    }
    uint32_t insert_feature(Span name) {
        const uint32_t at = features.insert(name_id(name.p, name.n), name.p, name.n);
        features.rows[at].key = fnv1(FNV_OFFSET, name.p, name.n);
        return at;
    }
    // Gives a row, which may be new, the values of a vector. Its other values stay.
    void update(const std::string& name, const Vector& vector) {
        given.clear();
        for (size_t i = 0; i < vector.ids.size(); i++) {
            uint32_t at = features.find(vector.ids[i]);
            if (at == NONE) {
                at = jubatus::insert_feature(features, vector.ids[i], vector.feature(i), vector.shapes);
                const Span made = feature_name(at);
                features.rows[at].key = fnv1(FNV_OFFSET, made.p, made.n);
            }
            given.push_back({at, vector.values[i]});
        }
        sort_cells(given);
        RawRow& row = enter(name);
        if (row.empty()) {
            row = given;
            return;
        }
        merged.clear();
        auto old = row.begin();
        for (const RawCell& cell : given) {
            for (; old != row.end() && old->feature < cell.feature; ++old) merged.push_back(*old);
            if (old != row.end() && old->feature == cell.feature) ++old;
            merged.push_back(cell);
        }
        merged.insert(merged.end(), old, row.end());
        row = merged;
    }
    bool remove(const std::string& name) {
        const uint32_t at = names.find(name);
        if (at == NONE) return false;
        names.leave(at);
        RawRow().swap(rows[at]);
        if (++removed >= MANY_ROWS && removed >= size()) sweep();
        return true;
    }
    // Takes over the rows of another table that this one does not have.
    void adopt(const SparseRows& other) {
        for (int32_t at : other.names.order()) {
            if (names.find(other.names.name(uint32_t(at))) != NONE) continue;
            RawRow cells = other.rows[uint32_t(at)];
            for (RawCell& cell : cells) {
                const uint32_t known = features.find(other.features.rows[cell.feature].id);
                cell.feature = known != NONE ? known : insert_feature(other.feature_name(cell.feature));
            }
            sort_cells(cells);
            enter(other.names.name(uint32_t(at))).swap(cells);
        }
    }
    void clear() {
        features.clear();
        names.clear();
        rows.clear();
        removed = 0;
    }
    void swap(SparseRows& other) {
        features.swap(other.features);
        names.swap(other.names);
        rows.swap(other.rows);
        std::swap(removed, other.removed);
    }
    // `[{row: {feature number: value}}, names of features]`
    void write(Buffer& out) const {
        out.array(2);
        out.map(names.size());
        for (int32_t at : names.order()) {
            const std::string& name = names.name(uint32_t(at));
            out.raw(name.data(), name.size());
            out.map(rows[uint32_t(at)].size());
            for (const RawCell& cell : rows[uint32_t(at)]) {
                out.uint(cell.feature);
                out.number(cell.value);
            }
        }
        write_names(out, features.size, [this](uint32_t i) { return feature_name(i); });
    }
    // Reads what write wrote into empty rows.
    int read(Cursor& c) {
        uint32_t more = 0, n = 0, most = 0;
        std::vector<Span> known;
        std::string name;
        int status = open_struct(c, 2, more);
        if (status == OK) status = read_map(c, n);
        for (; status == OK && n; n--) {
            status = read_text(c, name);
            if (status == OK) status = read_row(c, enter(name), most);
        }
        if (status == OK) status = read_names(c, known);
        if (status) return status;
        if (most > known.size()) return MISMATCH;
        for (const Span& feature : known) {
            if (features.find(name_id(feature.p, feature.n)) != NONE) return MISMATCH;
            insert_feature(feature);
        }
        return close_struct(c, more);
    }

  private:
    // Forgets the features that no row has. The others keep their order.
    void sweep() {
        std::vector<uint32_t> number(features.size, NONE);
        Table<RawFeature> kept;
        kept.names.whole = true;
        for (const RawRow& row : rows)
            for (const RawCell& cell : row) number[cell.feature] = 0;
        for (uint32_t f = 0; f < number.size(); f++) {
            if (number[f] == NONE) continue;
            const Span name = feature_name(f);
            number[f] = kept.insert(features.rows[f].id, name.p, name.n);
            kept.rows[number[f]].key = features.rows[f].key;
        }
        features.swap(kept);
        for (RawRow& row : rows)
            for (RawCell& cell : row) cell.feature = number[cell.feature];
        removed = 0;
    }
    // `most` becomes greater than all numbers of features.
    static int read_row(Cursor& c, RawRow& row, uint32_t& most) {
        uint32_t n = 0;
        uint64_t feature = 0;
        double value = 0;
        int status = read_map(c, n);
        row.clear();
        for (; status == OK && n; n--) {
            status = read_unsigned(c, feature);
            if (status == OK) status = read_double(c, value);
            if (status == OK && feature >= NONE) status = MISMATCH;
            if (status) break;
            row.push_back({uint32_t(feature), value});
            most = std::max(most, uint32_t(feature) + 1);
        }
        sort_cells(row);
        return status;
    }
};

}  // namespace jubatus
