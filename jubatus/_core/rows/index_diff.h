// What an inverted index learned since the last MIX, by names; how diffs are joined and put into an index.
//
// A cell that is zero is one that was removed. Of several cells the one of the last server counts; changes of squared
// norms are added up. So a column that two servers have learned has twice its squared norm afterwards, as in 1.1.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/names.h"
#include "rows/index.h"

namespace jubatus::inverted {

struct Cell {
    uint32_t column;
    double value;
};

struct Diff {
    Names features;
    std::vector<std::vector<Cell>> cells;  // by feature, by ascending column
    Names columns;
    Names norms;                  // columns whose squared norms changed
    std::vector<double> changes;  // by the place in `norms`
    uint64_t era = 0;             // of the index that it was copied from

    std::vector<Cell>& enter_feature(const std::string& name) {
        const uint32_t f = features.enter(name);
        if (f >= cells.size()) cells.resize(f + 1);
        return cells[f];
    }
    double& enter_norm(const std::string& name) {
        const uint32_t at = norms.enter(name);
        if (at >= changes.size()) changes.resize(at + 1);
        return changes[at];
    }
};

// Sorts cells by column; of several for one column the last one stays.
inline void sort_cells(std::vector<Cell>& cells) {
    bool ascends = true;
    for (size_t i = 1; i < cells.size(); i++) ascends &= cells[i - 1].column < cells[i].column;
    if (ascends) return;
    std::stable_sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.column < b.column; });
    size_t kept = 0;
    for (size_t i = 0; i < cells.size(); i++) {
        if (kept && cells[kept - 1].column == cells[i].column) kept--;
        cells[kept++] = cells[i];
    }
    cells.resize(kept);
}

// `[[{feature: {column: value}}, names of columns], {name of column: change of its squared norm}]`
inline void write_diff(Buffer& out, const Diff& diff) {
    out.array(2);
    out.array(2);
    out.map(diff.features.size());
    for (int32_t f : diff.features.order()) {
        const std::string& name = diff.features.name(uint32_t(f));
        out.raw(name.data(), name.size());
        out.map(diff.cells[uint32_t(f)].size());
        for (const Cell& cell : diff.cells[uint32_t(f)]) {
            out.uint(cell.column);
            out.number(cell.value);
        }
    }
    write_names(out, uint32_t(diff.columns.size()), [&](uint32_t c) {
        const std::string& name = diff.columns.name(c);
        return Span{name.data(), uint32_t(name.size())};
    });
    out.map(diff.norms.size());
    for (int32_t at : diff.norms.order()) {
        const std::string& name = diff.norms.name(uint32_t(at));
        out.raw(name.data(), name.size());
        out.number(diff.changes[uint32_t(at)]);
    }
}

inline int read_features(Cursor& c, Diff& diff, uint32_t& most) {
    uint32_t n = 0, cells = 0, column = 0;
    double value = 0;
    std::string name;
    int status = read_map(c, n);
    for (; status == OK && n; n--) {
        status = read_text(c, name);
        if (status == OK) status = read_map(c, cells);
        if (status) break;
        std::vector<Cell>& row = diff.enter_feature(name);
        for (; cells; cells--) {
            status = read_cell(c, NONE, column, value);
            if (status) return status;
            row.push_back({column, value});
            most = std::max(most, column + 1);
        }
        sort_cells(row);
    }
    return status;
}

inline int read_diff(Cursor& c, Diff& diff) {
    uint32_t more = 0, inner = 0, most = 0, n = 0;
    std::vector<Span> names;
    std::string name;
    double change = 0;
    int status = open_struct(c, 2, more);
    if (status == OK) status = open_struct(c, 2, inner);
    if (status == OK) status = read_features(c, diff, most);
    if (status == OK) status = read_names(c, names);
    if (status == OK) status = close_struct(c, inner);
    if (status == OK) status = read_map(c, n);
    for (; status == OK && n; n--) {
        status = read_text(c, name);
        if (status == OK) status = read_double(c, change);
        if (status == OK) diff.enter_norm(name) = change;
    }
    for (const Span& column : names) diff.columns.enter(std::string(column.p, column.n));
    if (status == OK && (diff.columns.size() != names.size() || most > names.size())) return MISMATCH;
    return status ? status : close_struct(c, more);
}

// Joins the diff of one more server.
inline void join(Diff& sum, const Diff& later) {
    std::vector<uint32_t> place(later.columns.size(), NONE);  // of each column in `sum`
    for (int32_t f : later.features.order()) {
        std::vector<Cell>& row = sum.enter_feature(later.features.name(uint32_t(f)));
        for (const Cell& cell : later.cells[uint32_t(f)]) {
            if (place[cell.column] == NONE) place[cell.column] = sum.columns.enter(later.columns.name(cell.column));
            row.push_back({place[cell.column], cell.value});
        }
        sort_cells(row);
    }
    for (int32_t at : later.norms.order())
        sum.enter_norm(later.norms.name(uint32_t(at))) += later.changes[uint32_t(at)];
}


// Copies the diff of an index, in the order of the original.
inline void copy_diff(const Index& index, Diff& diff) {
    std::vector<uint32_t> place(index.norms.size(), NONE);  // of each column in the copy
    diff.era = index.era;
    for (int32_t f : index.changed_features()) {
        const Pieces pieces = index.feature_name(uint32_t(f));
        std::string name(pieces.size(), 0);
        pieces.copy_to(&name[0]);
        std::vector<Cell>& row = diff.enter_feature(name);
        index.lists[uint32_t(f)].diff.each([&](uint32_t c, double value) {
            if (place[c] == NONE) place[c] = diff.columns.enter(index.columns.name(c));
            row.push_back({place[c], value});
        });
        sort_cells(row);
    }
    for (uint32_t c = 0; c < index.norms.size(); c++) {
        if (!index.norms[c].in_diff) continue;
        diff.enter_norm(index.columns.name(c)) = index.norms[c].diff;
    }
}

inline bool is_same(double a, double b) { return a == b || (a != a && b != b); }

// Takes what a copy holds out of the diff. A cell that was removed after the copy becomes one that removes it: others
// have it by then.
inline void subtract(Index& index, const Diff& given) {
    if (given.era != index.era) return;
    std::vector<uint32_t> number(given.columns.size());  // of each column in the index, which may have swept it out
    for (uint32_t c = 0; c < number.size(); c++) number[c] = index.columns.find(given.columns.name(c));
    for (int32_t at : given.features.order()) {
        const std::string& name = given.features.name(uint32_t(at));
        const uint32_t f = index.enter_feature({name.data(), uint32_t(name.size())});
        for (const Cell& cell : given.cells[uint32_t(at)]) {
            uint32_t& c = number[cell.column];
            const double* now = c == NONE ? nullptr : index.lists[f].diff.find(c);
            if (!now && cell.value != 0) {
                c = index.enter_column(given.columns.name(cell.column));
                index.set_diff(f, c, 0);
            } else if (now && given_back(*now) == cell.value) {
                index.unset_diff(f, c);
            }
        }
    }
    for (int32_t at : given.norms.order()) {
        const uint32_t c = index.enter_column(given.norms.name(uint32_t(at)));
        const double change = given.changes[uint32_t(at)];
        Norm& now = index.norms[c];
        now.diff = is_same(now.diff, change) ? 0 : now.diff - change;  // also of an infinite one nothing is left
        now.in_diff = now.diff != 0;
        index.refresh(c);
    }
    index.era++;
}

// Which columns of a mixed diff are taken in: all, or some.
struct Taken {
    bool all = true;
    std::unordered_set<std::string> some;

    bool has(const std::string& name) const { return all || some.count(name) > 0; }
};

// Puts a mixed diff into the master. Of a column that is not taken only the removal of cells counts, and it loses its
// squared norm.
inline void put_diff(Index& index, const Diff& mixed, const Taken& taken) {
    std::vector<uint32_t> place(mixed.columns.size(), NONE);  // of each column of the diff in the index
    std::vector<uint8_t> is_taken(place.size());
    for (uint32_t c = 0; c < place.size(); c++) is_taken[c] = taken.has(mixed.columns.name(c));
    for (int32_t at : mixed.features.order()) {
        const std::string& feature = mixed.features.name(uint32_t(at));
        const uint32_t f = index.enter_feature({feature.data(), uint32_t(feature.size())});
        for (const Cell& cell : mixed.cells[uint32_t(at)]) {
            if (cell.value != 0 && !is_taken[cell.column]) continue;
            uint32_t& c = place[cell.column];
            if (c == NONE) c = index.enter_column(mixed.columns.name(cell.column));
            if (cell.value == 0)
                index.erase_master(f, c);
            else
                index.set_master(f, c, cell.value);
        }
    }
    for (int32_t at : mixed.norms.order()) {
        const std::string& name = mixed.norms.name(uint32_t(at));
        const uint32_t c = index.enter_column(name);
        Norm& norm = index.norms[c];
        norm.master = taken.has(name) ? norm.master + mixed.changes[uint32_t(at)] : 0;
        norm.in_master = !(norm.master <= 0);
        if (!norm.in_master) norm.master = 0;
        index.removed += !norm.in_master;
        index.refresh(c);
    }
    index.era++;
}

// The columns of a mixed diff that have cells, in the order of the original's map.
struct NamedColumns {
    Names names;
    std::vector<uint8_t> grows;  // by place: whether a cell is positive
};

inline void name_columns(const Diff& mixed, NamedColumns& named) {
    std::vector<uint32_t> place(mixed.columns.size(), NONE);
    for (int32_t f : mixed.features.order())
        for (const Cell& cell : mixed.cells[uint32_t(f)]) {
            uint32_t& at = place[cell.column];
            if (at == NONE) at = named.names.enter(mixed.columns.name(cell.column));
            if (at >= named.grows.size()) named.grows.resize(at + 1);
            named.grows[at] |= cell.value > 0;
        }
}

}  // namespace jubatus::inverted
