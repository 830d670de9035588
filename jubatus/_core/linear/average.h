// Diffs of several servers, as they were read, and their average. Names point into the bytes from which they were read,
// so those bytes must be kept as long.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/hash.h"
#include "kernels/order.h"
#include "kernels/pool.h"
#include "linear/cells.h"

namespace jubatus {

struct DiffCell {
    const uint8_t* numbers;  // weight, covariance and 0, each packed as float64
    uint32_t label;          // number of its name
    double number(int k) const {
        uint64_t bits = big_endian(numbers + 1 + 9 * k, 8);
        double v;
        memcpy(&v, &bits, 8);
        return v;
    }
};

struct DiffRow {
    const char* name;
    uint32_t size;
    uint32_t first, count;  // its cells
    uint32_t source;        // number of the diff
};

struct DiffHead {
    uint64_t count, version;
    uint32_t first_row, rows;
};

// Different names, numbered in the order in which they come.
struct Names {
    std::vector<Span> spans;
    std::vector<uint32_t> slots;  // number + 1; 0 if the slot is free

    Names() : slots(64, 0) {}
    uint32_t add(const char* p, uint32_t n) {
        size_t i = hash_part(p, n) & (slots.size() - 1);
        while (slots[i]) {
            const Span& span = spans[slots[i] - 1];
            if (span.n == n && memcmp(span.p, p, n) == 0) return slots[i] - 1;
            i = (i + 1) & (slots.size() - 1);
        }
        spans.push_back({p, n});
        slots[i] = uint32_t(spans.size());
        if (spans.size() * 2 > slots.size()) {
            slots.assign(slots.size() * 2, 0);
            for (uint32_t k = 0; k < spans.size(); k++) {
                i = hash_part(spans[k].p, spans[k].n) & (slots.size() - 1);
                while (slots[i]) i = (i + 1) & (slots.size() - 1);
                slots[i] = k + 1;
            }
        }
        return uint32_t(spans.size() - 1);
    }
};

struct ReadDiffs {
    std::vector<DiffHead> heads;
    std::vector<DiffRow> rows;
    std::vector<DiffCell> cells;
    Names labels;
    Arena arena;       // numbers that were not packed as float64
    size_t room = 64;  // bytes that suffice to pack all rows

    int read(Cursor& c) {
        uint32_t more, content, n;
        DiffHead head;
        int status = open_struct(c, 2, more);
        if (status == OK) status = read_unsigned(c, head.count);
        if (status == OK) status = open_struct(c, 2, content);
        if (status == OK) status = read_array(c, n);
        if (status) return status;
        // A row has at least three bytes, which limits the memory that a wrong number can cost.
        rows.reserve(rows.size() + std::min<size_t>(n, size_t(c.end - c.at) / 3));
        if (cells.empty()) cells.reserve(size_t(c.end - c.at) / 42);
        head.first_row = uint32_t(rows.size());
        for (; status == OK && n; n--) status = read_row(c);
        head.rows = uint32_t(rows.size()) - head.first_row;
        if (status == OK) status = read_version(c, head.version);
        if (status == OK) status = close_struct(c, content);
        heads.push_back(head);
        return status ? status : close_struct(c, more);
    }
    int read_row(Cursor& c) {
        DiffRow row;
        uint32_t size, n;
        int status = read_array(c, size);
        if (status == OK && size != 2) return MISMATCH;
        if (status == OK) status = read_raw(c, row.name, row.size);
        if (status == OK) status = read_array(c, n);
        if (status) return status;
        row.first = uint32_t(cells.size());
        row.source = uint32_t(heads.size());
        room += ROW_ROOM + row.size;
        for (; status == OK && n; n--) status = read_cell(c);
        row.count = uint32_t(cells.size()) - row.first;
        rows.push_back(row);
        return status;
    }
    int read_cell(Cursor& c) {
        const char* label;
        uint32_t size, more;
        const uint8_t* p = c.at;
        if (c.end - p >= 2 + 31 + 28 && p[0] == 0x92 && (p[1] & 0xe0) == 0xa0) {
            // Nearly all cells have a short label and three numbers packed as float64.
            size = p[1] & 31;
            p += 2 + size;
            if (p[0] == 0x93 && p[1] == 0xcb && p[10] == 0xcb && p[19] == 0xcb) {
                add_cell(reinterpret_cast<const char*>(p - size), size, p + 1);
                c.at = p + 28;
                return OK;
            }
        }
        double values[3];
        int status = read_array(c, size);
        if (status == OK && size != 2) return MISMATCH;
        if (status == OK) status = read_raw(c, label, size);
        if (status == OK) status = open_struct(c, 3, more);
        for (int k = 0; k < 3 && status == OK; k++) status = read_double(c, values[k]);
        if (status == OK) status = close_struct(c, more);
        if (status) return status;
        uint8_t* numbers = reinterpret_cast<uint8_t*>(arena.take(27));
        for (int k = 0; k < 3; k++) put_double(numbers + 9 * k, values[k]);
        add_cell(label, size, numbers);
        return OK;
    }
    void add_cell(const char* label, uint32_t size, const uint8_t* numbers) {
        cells.push_back({numbers, labels.add(label, size)});
        room += CELL_ROOM + size;
    }
    void cell_heads(CellHeads& heads) const {
        for (const Span& label : labels.spans) heads.emplace_back(label.p, label.n);
    }
    // Writes the average over the servers of some of the diffs, which are of one version.
    void pack_average(const std::vector<size_t>& chosen, Buffer& out) const;
};

// Averages diffs as the original does, which joins them one after the other. Its last join decides the order of the
// result: first the features that the last diff has, then the others, both sorted by the bytes of their names. The
// labels of each feature are ordered in the same way.
struct Average {
    const ReadDiffs& diffs;
    std::vector<DiffHead> heads;     // of the diffs that are joined
    std::vector<uint32_t> ranks;     // by label: its place among all labels when they are sorted
    CellHeads cell_heads;
    struct Entry {
        uint32_t rank, source;
        const DiffCell* cell;
    };
    struct Out {
        uint32_t label;
        double values[3];
    };
    std::vector<Entry> entries;
    std::vector<Out> first, rest;

    Average(const ReadDiffs& read) : diffs(read) {}

    void pack(const std::vector<size_t>& chosen, Buffer& out) {
        uint64_t count = 0;
        for (size_t i : chosen) {
            heads.push_back(diffs.heads[i]);
            count += heads.back().count;
        }
        diffs.cell_heads(cell_heads);
        out.array(2);
        out.uint(count);
        out.array(2);
        if (heads.size() == 1)
            copy_rows(out, heads[0]);
        else if (heads.size() == diffs.heads.size())
            join_rows(out, diffs.rows);
        else
            join_rows(out, chosen_rows());
        put_diff_end(out, heads[0].version);
    }
    std::vector<DiffRow> chosen_rows() const {
        std::vector<DiffRow> rows;
        for (uint32_t source = 0; source < heads.size(); source++)
            for (uint32_t i = 0; i < heads[source].rows; i++) {
                rows.push_back(diffs.rows[heads[source].first_row + i]);
                rows.back().source = source;
            }
        return rows;
    }
    void copy_rows(Buffer& out, const DiffHead& head) {
        out.array(head.rows);
        for (uint32_t i = 0; i < head.rows; i++) {
            const DiffRow& row = diffs.rows[head.first_row + i];
            put_row_head(out, Span{row.name, row.size}, row.size, row.count);
            for (uint32_t k = 0; k < row.count; k++) {
                const DiffCell& cell = diffs.cells[row.first + k];
                put_cell(out, cell_heads[cell.label], cell.number(0), cell.number(1), cell.number(2));
            }
        }
    }
    void rank_labels() {
        struct Label {
            const char* name;
            uint32_t size;
        };
        std::vector<Label> labels;
        for (const Span& span : diffs.labels.spans) labels.push_back({span.p, span.n});
        NameOrder<Label> order;
        order.sort(labels.data(), uint32_t(labels.size()));
        ranks.resize(labels.size());
        for (uint32_t i = 0; i < labels.size(); i++) ranks[order.items[i].at] = i;
    }
    void join_rows(Buffer& out, const std::vector<DiffRow>& rows) {
        rank_labels();
        NameOrder<DiffRow> order;
        order.sort(rows.data(), uint32_t(rows.size()));
        // Rows of the same feature stand together, in the order of the diffs.
        size_t n = rows.size();
        std::vector<uint32_t> groups, others;
        for (size_t i = 0, j; i < n; i = j) {
            for (j = i + 1; j < n && !order.fresh[j]; j++) {}
            bool in_last = rows[order.items[j - 1].at].source == heads.size() - 1;
            (in_last ? groups : others).push_back(uint32_t(i));
            (in_last ? groups : others).push_back(uint32_t(j - i));
        }
        groups.insert(groups.end(), others.begin(), others.end());
        out.array(groups.size() / 2);
        for (size_t g = 0; g < groups.size(); g += 2) {
            if (g + 48 < groups.size())
                for (uint32_t i = 0; i < groups[g + 49]; i++)
                    __builtin_prefetch(&rows[order.items[groups[g + 48] + i].at]);
            if (g + 24 < groups.size())
                for (uint32_t i = 0; i < groups[g + 25]; i++) {
                    const DiffRow& later = rows[order.items[groups[g + 24] + i].at];
                    __builtin_prefetch(&diffs.cells[later.first]);
                    for (uint32_t k = 0; k < 3; k++) __builtin_prefetch(later.name + 64 * k);
                }
            join_row(out, rows, &order.items[groups[g]], groups[g + 1]);
        }
    }
    void join_row(Buffer& out, const std::vector<DiffRow>& rows, const Keyed* items, uint32_t n) {
        entries.clear();
        first.clear();
        rest.clear();
        for (uint32_t i = 0; i < n; i++) {
            const DiffRow& row = rows[items[i].at];
            for (uint32_t k = 0; k < row.count; k++) {
                const DiffCell* cell = &diffs.cells[row.first + k];
                entries.push_back({ranks[cell->label], row.source, cell});
            }
        }
        auto before = [](const Entry& a, const Entry& b) {
            return a.rank != b.rank ? a.rank < b.rank : a.source < b.source;
        };
        if (entries.size() > 32)
            std::stable_sort(entries.begin(), entries.end(), before);
        else
            for (size_t i = 1; i < entries.size(); i++) {
                Entry entry = entries[i];
                size_t to = i;
                for (; to && before(entry, entries[to - 1]); to--) entries[to] = entries[to - 1];
                entries[to] = entry;
            }
        for (size_t i = 0, j; i < entries.size(); i = j) {
            for (j = i + 1; j < entries.size() && entries[j].rank == entries[i].rank; j++) {}
            bool in_last = entries[j - 1].source == heads.size() - 1;
            (in_last ? first : rest).push_back(fold(&entries[i], j - i));
        }
        const DiffRow& row = rows[items[0].at];
        put_row_head(out, Span{row.name, row.size}, row.size, uint32_t(first.size() + rest.size()));
        for (const Out& cell : first)
            put_cell(out, cell_heads[cell.label], cell.values[0], cell.values[1], cell.values[2]);
        for (const Out& cell : rest)
            put_cell(out, cell_heads[cell.label], cell.values[0], cell.values[1], cell.values[2]);
    }
    // Averages the entries of one cell. A server without the cell counts as weight 0, covariance 1 and 0.
    Out fold(const Entry* entry, size_t n) const {
        Out out = {entry[0].cell->label, {0.0, 1.0, 0.0}};
        const Entry* end = entry + n;
        uint64_t before = 0;
        bool has = false;
        for (uint32_t source = 0; source < heads.size(); source++) {
            const DiffCell* cell = nullptr;
            // If a diff has a label twice in a row, the last one counts.
            for (; entry < end && entry->source == source; entry++) cell = entry->cell;
            if (cell || has) {
                double one[3] = {0.0, 1.0, 0.0};
                for (int k = 0; cell && k < 3; k++) one[k] = cell->number(k);
                if (source == 0)
                    memcpy(out.values, one, sizeof one);
                else {
                    double share = double(heads[source].count), other_share = double(before);
                    out.values[0] = (share * one[0] + other_share * out.values[0]) / (share + other_share);
                    out.values[1] = out.values[1] < one[1] ? out.values[1] : one[1];
                    out.values[2] = (share * one[2] + other_share * out.values[2]) / (share + other_share);
                }
                has = true;
            }
            before += heads[source].count;
        }
        return out;
    }
};

inline void ReadDiffs::pack_average(const std::vector<size_t>& chosen, Buffer& out) const {
    Average(*this).pack(chosen, out);
}

}  // namespace jubatus
