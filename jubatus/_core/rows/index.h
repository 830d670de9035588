// An inverted index: for each feature the columns that have it, with their values, and the squared norm of each column.
//
// What was mixed is the master, what was learned since the last MIX the diff; alone, all stays in the diff. A cell of
// the diff stands for that of the master, which is then `hidden`: its place in the master's list holds a zero, so that a
// query walks both lists without comparing them. A cell of the diff that is zero removes the master's. A squared norm is
// the sum of both parts.
//
// A column that was removed keeps its number, which decides among equal scores if it comes back. When more than half of
// the columns are gone, and many, they are swept out, and features that no column has any more.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convert/vector.h"
#include "kernels/bytes.h"
#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/names.h"
#include "kernels/table.h"
#include "rows/packed_names.h"
#include "rows/postings.h"

namespace jubatus::inverted {

struct IndexFeature {
    uint64_t id;  // name_id of the name
    uint64_t name;
};

constexpr size_t MANY_REMOVED = 1024;

struct Lists {
    Postings master, diff, hidden;
};

struct Norm {
    double master = 0, diff = 0;  // 0 for one that is not there
    bool in_master = false, in_diff = false;
};

struct Index {
    Table<IndexFeature> features;
    std::vector<Lists> lists;  // by feature
    Chains changed;            // the features of the diff, in the order of the original's map
    Names columns;             // a column's number is its place; none leaves but by sweep
    std::vector<Norm> norms;   // by column
    std::vector<double> squares, roots;  // the squared norm of each column, and its root
    uint64_t era = 0;                    // changes when the diff is no longer the one that was copied
    size_t removed = 0;                  // columns, since the last sweep

    Pieces feature_name(uint32_t f) const { return features.name(f); }
    uint32_t enter_feature(Span name) {
        const uint64_t id = name_id(name.p, name.n);
        const uint32_t known = features.find(id);
        if (known != NONE) return known;
        const uint32_t at = features.insert(id, name.p, name.n);
        lists.emplace_back();
        return at;
    }
    uint32_t enter_column(const std::string& name) {
        const uint32_t c = columns.enter(name);
        if (c >= norms.size()) {
            norms.emplace_back();
            squares.push_back(0);
            roots.push_back(0);
        }
        return c;
    }
    double value(uint32_t f, uint32_t c) const {
        const double* found = lists[f].diff.find(c);
        if (!found) found = lists[f].master.find(c);
        return found ? given_back(*found) : 0.0;
    }

    // Gives a column, which may be new, the values of a vector. Its other values stay. Without features nothing is done.
    void update(const std::string& name, const Vector& vector) {
        if (vector.ids.empty()) return;
        bool known = columns.find(name) != NONE;
        const uint32_t c = enter_column(name);
        for (size_t i = 0; i < vector.ids.size(); i++) {
            uint32_t f = features.find(vector.ids[i]);
            if (f == NONE) {
                f = insert_feature(features, vector.ids[i], vector.feature(i), vector.shapes);
                lists.emplace_back();
            }
            if (known) norms[c].diff -= value(f, c) * value(f, c);
            known = true;
            set_diff(f, c, vector.values[i]);
            norms[c].diff += vector.values[i] * vector.values[i];
            norms[c].in_diff = norms[c].diff != 0;
        }
        refresh(c);
    }
    // Takes the value of a feature from a column. Whoever removes all of them calls remove_norm in the end.
    void remove_cell(uint64_t feature, uint32_t c) {
        const uint32_t f = features.find(feature);
        if (f == NONE) return;
        if (lists[f].master.find(c))
            set_diff(f, c, 0);
        else
            unset_diff(f, c);
    }
    void remove_norm(uint32_t c) {
        norms[c].in_diff = norms[c].in_master;
        norms[c].diff = norms[c].in_master ? -norms[c].master : 0;
        refresh(c);
        removed++;
    }
    // Removes columns with all their cells; `chosen` tells by column which. It looks at all cells there are.
    void remove_columns(const std::vector<uint8_t>& chosen) {
        std::vector<uint32_t> found;
        for (uint32_t f = 0; f < lists.size(); f++) {
            found.clear();
            for (const Postings* list : {&lists[f].master, &lists[f].diff})
                list->each([&](uint32_t c, double) {
                    if (chosen[c]) found.push_back(c);
                });
            for (uint32_t c : found) remove_cell(features.rows[f].id, c);
        }
        for (uint32_t c = 0; c < norms.size(); c++)
            if (chosen[c]) remove_norm(c);
    }
    // Sweeps if it pays. The numbers of columns and features may change.
    void sweep_if_many() {
        if (removed < MANY_REMOVED || 2 * removed < norms.size()) return;
        sweep_columns();
        sweep_features();
        removed = 0;
    }
    bool is_listed(uint32_t c) const { return norms[c].in_master || (norms[c].in_diff && norms[c].diff > 0); }
    size_t count_listed() const {
        size_t n = 0;
        for (uint32_t c = 0; c < norms.size(); c++) n += is_listed(c);
        return n;
    }
    void refresh(uint32_t c) {
        squares[c] = norms[c].diff + norms[c].master;
        roots[c] = std::sqrt(squares[c]);
    }

    void set_diff(uint32_t f, uint32_t c, double value) {
        Lists& l = lists[f];
        double* below = l.master.find(c);
        if (l.diff.count == 0) {
            changed.insert(f, feature_name(f).hash());
        }
        if (below && !l.diff.find(c)) {
            l.hidden.set(c, *below);
            *below = -0.0;
        }
        l.diff.set(c, value);
    }
    void unset_diff(uint32_t f, uint32_t c) {
        Lists& l = lists[f];
        if (!l.diff.erase(c)) return;
        if (l.diff.count == 0) changed.erase(f);
        if (const double* below = l.hidden.find(c)) {
            l.master.set(c, *below);
            l.hidden.erase(c);
        }
    }
    void set_master(uint32_t f, uint32_t c, double value) {
        Lists& l = lists[f];
        if (l.diff.find(c)) {
            l.hidden.set(c, value);
            value = 0;
        }
        l.master.set(c, value);
    }
    void erase_master(uint32_t f, uint32_t c) {
        lists[f].master.erase(c);
        lists[f].hidden.erase(c);
    }
    std::vector<int32_t> changed_features() const {
        std::vector<int32_t> found(changed.count);
        changed.order(found.data());
        return found;
    }
    void drop_diff() {
        for (int32_t f : changed_features()) {
            Lists& l = lists[uint32_t(f)];
            l.hidden.each([&](uint32_t c, double value) { l.master.set(c, value); });
            l.diff = Postings();
            l.hidden = Postings();
        }
        changed.remove_all();
        for (uint32_t c = 0; c < norms.size(); c++) {
            norms[c].diff = 0;
            norms[c].in_diff = false;
            refresh(c);
        }
        era++;
    }
    // Takes over the diff of another index.
    void adopt_diff(const Index& other) {
        for (int32_t f : other.changed_features()) {
            const uint64_t id = other.features.rows[uint32_t(f)].id;
            uint32_t mine = features.find(id);
            if (mine == NONE) {
                mine = features.insert(id, other.feature_name(uint32_t(f)));
                lists.emplace_back();
            }
            other.lists[uint32_t(f)].diff.each(
                [&](uint32_t c, double value) { set_diff(mine, enter_column(other.columns.name(c)), value); });
        }
        for (uint32_t c = 0; c < other.norms.size(); c++) {
            if (!other.norms[c].in_diff) continue;
            const uint32_t mine = enter_column(other.columns.name(c));
            norms[mine].diff = other.norms[c].diff;
            norms[mine].in_diff = true;
            refresh(mine);
        }
        era++;
    }
    void clear() {
        features.clear();
        lists.clear();
        changed.clear();
        columns.clear();
        norms.clear();
        squares.clear();
        roots.clear();
        removed = 0;
        era++;
    }
    void swap(Index& other) {
        features.swap(other.features);
        lists.swap(other.lists);
        std::swap(changed, other.changed);
        columns.swap(other.columns);
        norms.swap(other.norms);
        squares.swap(other.squares);
        roots.swap(other.roots);
        era = other.era = std::max(era, other.era) + 1;
        std::swap(removed, other.removed);
    }

  private:
    // Forgets the columns that have neither cells nor a norm.
    void sweep_columns() {
        std::vector<uint8_t> used(norms.size());
        std::vector<uint32_t> number(norms.size(), NONE);
        Names kept;
        for (uint32_t c = 0; c < norms.size(); c++) used[c] = norms[c].in_master || norms[c].in_diff;
        for (const Lists& l : lists)
            for (const Postings* list : {&l.master, &l.diff}) list->each([&](uint32_t c, double) { used[c] = 1; });
        for (uint32_t c = 0; c < used.size(); c++) {
            if (!used[c]) continue;
            const uint32_t now = number[c] = kept.enter(columns.name(c));
            norms[now] = norms[c];
            squares[now] = squares[c];
            roots[now] = roots[c];
        }
        columns.swap(kept);
        norms.resize(columns.size());
        squares.resize(columns.size());
        roots.resize(columns.size());
        for (Lists& l : lists)
            for (Postings* list : {&l.master, &l.diff, &l.hidden}) list->renumber(number);
    }
    // Forgets the features that no column has.
    void sweep_features() {
        std::vector<uint32_t> number(lists.size(), NONE);
        std::vector<Lists> kept_lists;
        Table<IndexFeature> kept;
        for (uint32_t f = 0; f < lists.size(); f++) {
            if (!lists[f].master.count && !lists[f].diff.count) continue;
            number[f] = kept.insert(features.rows[f].id, feature_name(f));
            kept_lists.push_back(std::move(lists[f]));
        }
        features.swap(kept);
        lists.swap(kept_lists);
        changed.renumber(number);
    }
};

// What a query looks for, and its memory. `sums` is all zero between two queries.
struct Search {
    std::vector<Factor> factors;
    std::vector<double> sums;
    std::vector<uint32_t> touched;  // the columns that may have a sum, if `few`
    std::vector<uint8_t> met;       // by column: whether it has a feature of the query
    bool few = false;
    double square = 0;  // of the query's norm
    Best best;          // the result, the best first
};

inline void find_lists(const Index& index, const uint64_t* ids, const double* values, size_t n, Search& s) {
    size_t cells = 0;
    s.few = true;
    s.square = 0;
    s.factors.clear();
    for (size_t i = 0; i < n; i++) {
        s.square += values[i] * values[i];
        const uint32_t f = index.features.find(ids[i]);
        if (f == NONE) continue;
        for (const Postings* list : {&index.lists[f].master, &index.lists[f].diff}) {
            if (!list->count) continue;
            s.factors.push_back({list, values[i]});
            cells += list->values.size();
            s.few = s.few && !list->dense;
        }
    }
    s.few = s.few && 4 * cells < index.norms.size();
    if (s.sums.size() < index.norms.size()) s.sums.resize(index.norms.size());
}

inline void add_products(Search& s) {
    s.touched.clear();
    if (!s.few) return add_all(s.sums, s.factors);
    for (const Factor& f : s.factors) {
        for (uint32_t c : f.postings->columns)
            if (s.sums[c] == 0) s.touched.push_back(c);
        add_one(s.sums.data(), f, 0);
    }
}

// Ranks by cosine; columns whose product with the query is 0 are left out.
inline void search_cosine(const Index& index, const uint64_t* ids, const double* values, size_t n, size_t most, Search& s) {
    find_lists(index, ids, values, n, s);
    s.best.start(most);
    if (s.square == 0 || most == 0) return;
    add_products(s);
    const double root = std::sqrt(s.square);
    double bound = -INFINITY;  // what the product must reach per unit of the column's norm, rounding left aside
    auto rank = [&](uint32_t c) {
        const double sum = s.sums[c];
        if (sum == 0) return;
        s.sums[c] = 0;
        const double square = index.squares[c];
        if (sum < bound * index.roots[c] || square == 0) return;
        const double score = square == s.square && sum == square ? 1.0 : sum / index.roots[c] / root;
        if (!s.best.offer(score, c) || !s.best.is_full()) return;
        bound = s.best.worst() * root;
        bound = std::fabs(bound) > 1e-290 ? bound - std::fabs(bound) * 1e-14 : -INFINITY;
    };
    if (s.few) {
        for (uint32_t c : s.touched) rank(c);
    } else {
        for (uint32_t c = 0; c < index.norms.size(); c++) rank(c);
    }
    s.best.finish();
}

// Ranks by the negative euclidean distance. `met_only`: only columns that have a feature of the query.
inline void search_euclid(
    const Index& index, const uint64_t* ids, const double* values, size_t n, size_t most, bool met_only, Search& s) {
    find_lists(index, ids, values, n, s);
    s.best.start(most);
    if (most == 0) return;
    add_products(s);
    if (met_only) {
        s.met.assign(index.norms.size(), 0);
        for (const Factor& f : s.factors) f.postings->each([&](uint32_t c, double) { s.met[c] = 1; });
    }
    double bound = INFINITY;  // of the squared distance, rounding left aside
    for (uint32_t c = 0; c < index.norms.size(); c++) {
        const double square = index.squares[c];
        if (square == 0 || (met_only && !s.met[c])) continue;
        const double distance = s.square + square - 2 * s.sums[c];
        if (distance > bound) continue;
        if (s.best.offer(distance > 0 ? -std::sqrt(distance) : -0.0, c) && s.best.is_full())
            bound = s.best.worst() * s.best.worst() * (1 + 1e-14);
    }
    std::fill(s.sums.begin(), s.sums.end(), 0.0);
    s.best.finish();
}

inline void write_norms(Buffer& out, const Index& index, bool master) {
    size_t n = 0;
    for (const Norm& norm : index.norms) n += master ? norm.in_master : norm.in_diff;
    out.map(n);
    for (uint32_t c = 0; c < index.norms.size(); c++) {
        const Norm& norm = index.norms[c];
        if (!(master ? norm.in_master : norm.in_diff)) continue;
        out.uint(c);
        out.number(master ? norm.master : norm.diff);
    }
}

// `[master, diff, squared norms of the master, of the diff, names of columns]`
inline void write_index(Buffer& out, const Index& index) {
    size_t n = 0;
    out.array(5);
    for (const Lists& l : index.lists) n += l.master.count > 0;
    out.map(n);
    auto write_name = [&](uint32_t f) { index.feature_name(f).write(out); };
    for (uint32_t f = 0; f < index.lists.size(); f++) {
        const Lists& l = index.lists[f];
        if (!l.master.count) continue;
        write_name(f);
        out.map(l.master.count);
        l.master.each([&](uint32_t c, double value) {
            const double* hidden = l.hidden.count ? l.hidden.find(c) : nullptr;
            out.uint(c);
            out.number(hidden ? given_back(*hidden) : value);
        });
    }
    out.map(index.changed.count);
    for (int32_t f : index.changed_features()) {
        write_name(uint32_t(f));
        out.map(index.lists[uint32_t(f)].diff.count);
        index.lists[uint32_t(f)].diff.each([&](uint32_t c, double value) {
            out.uint(c);
            out.number(value);
        });
    }
    write_norms(out, index, true);
    write_norms(out, index, false);
    write_names(out, uint32_t(index.columns.size()), [&](uint32_t c) {
        const std::string& name = index.columns.name(c);
        return Span{name.data(), uint32_t(name.size())};
    });
}

// Reads a cell of a column that there is.
inline int read_cell(Cursor& c, size_t columns, uint32_t& column, double& value) {
    uint64_t number = 0;
    int status = read_unsigned(c, number);
    if (status == OK) status = read_double(c, value);
    if (status == OK && number >= columns) return MISMATCH;
    column = uint32_t(number);
    return status;
}

inline int read_cells(Cursor c, Index& index, bool master) {
    uint32_t n = 0, cells = 0, column = 0;
    double value = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        Span name{nullptr, 0};
        status = read_raw(c, name.p, name.n);
        if (status == OK) status = read_map(c, cells);
        if (status) break;
        const uint32_t f = index.enter_feature(name);
        for (; cells; cells--) {
            status = read_cell(c, index.norms.size(), column, value);
            if (status) return status;
            if (master)
                index.set_master(f, column, value);
            else
                index.set_diff(f, column, value);
        }
    }
    return status;
}

inline int read_norms(Cursor c, Index& index, bool master) {
    uint32_t n = 0, column = 0;
    double value = 0;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        status = read_cell(c, index.norms.size(), column, value);
        if (status) break;
        Norm& norm = index.norms[column];
        (master ? norm.master : norm.diff) = value;
        (master ? norm.in_master : norm.in_diff) = true;
        index.refresh(column);
    }
    return status;
}

// Reads what write_index wrote into an empty index. The names of columns stand behind the cells, and are read first.
inline int read_index(Cursor& c, Index& index) {
    uint32_t more = 0;
    std::vector<Span> names;
    Cursor fields[4];
    int status = open_struct(c, 5, more);
    for (Cursor& field : fields) {
        field = c;
        if (status == OK) status = skip(c);
    }
    if (status == OK) status = read_names(c, names);
    if (status) return status;
    for (const Span& name : names) index.enter_column(std::string(name.p, name.n));
    if (index.norms.size() != names.size()) return MISMATCH;
    for (int i = 0; i < 4 && status == OK; i++)
        status = i < 2 ? read_cells(fields[i], index, i == 0) : read_norms(fields[i], index, i == 2);
    return status ? status : close_struct(c, more);
}

}  // namespace jubatus::inverted
