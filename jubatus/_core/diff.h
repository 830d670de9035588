// The weights' part of a MIX: [count, [[[feature, [[label, [weight, covariance, 0]], ...]], ...], [version]]], where count
// says how many servers it stands for.
//
// ReadDiffs: diffs as they were read. Names point into the bytes that they were read from, which must outlive them.
// CopiedDiff: the diff of a running model as it was when it was copied, with all that packing it needs.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "bytes.h"
#include "hash.h"
#include "order.h"
#include "table.h"
#include "vectors.h"

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

// Distinct names, numbered as they come.
struct Names {
    std::vector<Span> spans;
    std::vector<uint32_t> slots;  // number + 1; 0 where free

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

// A struct of at least `wanted` fields; `more` is how many follow those.
inline int open_struct(Cursor& c, uint32_t wanted, uint32_t& more) {
    uint32_t n;
    int status = read_array(c, n);
    if (status == OK && n < wanted) return MISMATCH;
    more = n - wanted;
    return status;
}
inline int close_struct(Cursor& c, uint32_t more) {
    int status = OK;
    for (; status == OK && more; more--) status = skip(c);
    return status;
}

// Room that a row and a cell take when they are packed, but for their names.
const size_t ROW_ROOM = 11, CELL_ROOM = 34;

inline uint8_t* put_double(uint8_t* out, double v) {
    uint64_t bits;
    memcpy(&bits, &v, 8);
    bits = __builtin_bswap64(bits);
    *out = 0xcb;
    memcpy(out + 1, &bits, 8);
    return out + 9;
}

// What stands before the numbers of a label's cells: [label, [
struct CellHead {
    static const size_t SHORT_SIZE = 16;
    Buffer packed;  // with room for a short one

    CellHead(const char* label, size_t n) {
        packed.array(2);
        packed.raw(label, n);
        packed.array(3);
        packed.reserve(SHORT_SIZE);
    }
    uint8_t* put(uint8_t* out) const {
        if (packed.size <= SHORT_SIZE)
            memcpy(out, packed.data, SHORT_SIZE);
        else
            memcpy(out, packed.data, packed.size);
        return out + packed.size;
    }
};

typedef std::deque<CellHead> CellHeads;

inline void put_row_head(Buffer& out, const char* name, uint32_t size, uint32_t cells) {
    uint8_t* p = out.reserve(size + 16);
    if (size < 32 && cells < 16) {
        p[0] = 0x92;
        p[1] = uint8_t(0xa0 | size);
        memcpy(p + 2, name, size);
        p[2 + size] = uint8_t(0x90 | cells);
        out.size += 3 + size;
        return;
    }
    out.array(2);
    out.raw(name, size);
    out.array(cells);
}
inline void put_cell(Buffer& out, const CellHead& head, double weight, double covariance, double spare) {
    uint8_t* start = out.reserve(head.packed.size + CellHead::SHORT_SIZE + 27);
    uint8_t* p = head.put(start);
    p = put_double(p, weight);
    p = put_double(p, covariance);
    out.size += put_double(p, spare) - start;
}
inline void put_diff_end(Buffer& out, uint64_t version) {
    out.array(1);
    out.uint(version);
}

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
        // A row has three bytes or more: a wrong number costs no memory.
        rows.reserve(rows.size() + std::min<size_t>(n, size_t(c.end - c.at) / 3));
        if (cells.empty()) cells.reserve(size_t(c.end - c.at) / 42);
        head.first_row = uint32_t(rows.size());
        for (; status == OK && n; n--) status = read_row(c);
        head.rows = uint32_t(rows.size()) - head.first_row;
        uint32_t fields;
        if (status == OK) status = open_struct(c, 1, fields);
        if (status == OK) status = read_unsigned(c, head.version);
        if (status == OK) status = close_struct(c, fields);
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
            // As it is nearly always: a short label and three float64.
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

// Folds diffs one after the other, as the original does; the order of the result too comes from the last step of that:
// what the last diff has, then the rest, each by the bytes of the names, for the features and for the labels of each.
struct Average {
    const ReadDiffs& diffs;
    std::vector<DiffHead> heads;     // of those that are joined
    std::vector<uint32_t> ranks;     // of the labels
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
            put_row_head(out, row.name, row.size, row.count);
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
                for (uint32_t i = 0; i < groups[g + 49]; i++) __builtin_prefetch(&rows[order.items[groups[g + 48] + i].at]);
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
        put_row_head(out, row.name, row.size, uint32_t(first.size() + rest.size()));
        for (const Out& cell : first)
            put_cell(out, cell_heads[cell.label], cell.values[0], cell.values[1], cell.values[2]);
        for (const Out& cell : rest)
            put_cell(out, cell_heads[cell.label], cell.values[0], cell.values[1], cell.values[2]);
    }
    // The entries are those of one cell. A server without it counts as (0, 1, 0).
    Out fold(const Entry* entry, size_t n) const {
        Out out = {entry[0].cell->label, {0.0, 1.0, 0.0}};
        const Entry* end = entry + n;
        uint64_t before = 0;
        bool has = false;
        for (uint32_t source = 0; source < heads.size(); source++) {
            const DiffCell* cell = nullptr;
            for (; entry < end && entry->source == source; entry++) cell = entry->cell;  // of equal names the last
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

struct CopiedRow {
    uint64_t id;
    uint64_t name;  // where it stands
    uint32_t size;
    uint32_t row;            // in the model's table
    uint32_t first, count;   // its cells
    uint32_t ordinal;        // in the order in which the features came into the diff
};

struct CopiedCell {
    double weight, covariance;
    uint32_t slot, position;
};

struct CopiedDiff {
    std::vector<CopiedRow> rows;  // by row
    std::vector<CopiedCell> cells;
    Buffer names;
    std::vector<std::string> labels;  // by slot
    std::vector<uint64_t> ids;        // of the labels
    uint64_t version = 0;

    void clear() {
        rows.clear();
        cells.clear();
        names.size = 0;
        labels.clear();
        ids.clear();
    }
    size_t room() const {
        size_t n = 64 + rows.size() * ROW_ROOM + names.size;
        for (const CopiedCell& cell : cells) n += CELL_ROOM + labels[cell.slot].size();
        return n;
    }
    // Features stand in the order of the original's table, labels in that of a feature's map.
    void pack(Buffer& out) const {
        uint32_t n = uint32_t(rows.size());
        std::vector<uint64_t> hashes(n);
        std::vector<uint32_t> by_ordinal(n);
        std::vector<int32_t> order(n), inner;
        for (uint32_t i = 0; i < n; i++) {
            by_ordinal[rows[i].ordinal] = i;
            hashes[rows[i].ordinal] = fnv1a(name(rows[i]), rows[i].size);
        }
        MapOrder map;
        map.order(hashes.data(), n, order.data());
        for (int32_t& at : order) at = int32_t(by_ordinal[at]);
        CellHeads heads;
        std::vector<uint32_t> buckets;
        for (size_t slot = 0; slot < labels.size(); slot++) {
            heads.emplace_back(labels[slot].data(), labels[slot].size());
            buckets.push_back(uint32_t(ids[slot] % PRIMES[0]));
        }
        out.array(2);
        out.uint(1);
        out.array(2);
        out.array(n);
        for (uint32_t i = 0; i < n; i++) {
            if (i + 16 < n) __builtin_prefetch(&rows[order[i + 16]]);
            if (i + 8 < n) {
                const CopiedRow& later = rows[order[i + 8]];
                __builtin_prefetch(&cells[later.first]);
                __builtin_prefetch(name(later));
            }
            const CopiedRow& row = rows[order[i]];
            const CopiedCell* cell = &cells[row.first];
            put_row_head(out, name(row), row.size, row.count);
            inner.resize(row.count);
            order_cells(cell, row.count, buckets, hashes, map, inner.data());
            for (int32_t k : inner) put_cell(out, heads[cell[k].slot], cell[k].weight, cell[k].covariance, 0.0);
        }
        put_diff_end(out, version);
    }
    const char* name(const CopiedRow& row) const { return reinterpret_cast<const char*>(names.data) + row.name; }
    void order_cells(const CopiedCell* cell, uint32_t n, const std::vector<uint32_t>& buckets,
                     std::vector<uint64_t>& hashes, MapOrder& map, int32_t* out) const {
        if (n > PRIMES[0]) {
            hashes.resize(n);
            for (uint32_t k = 0; k < n; k++) hashes[k] = ids[cell[k].slot];
            map.order(hashes.data(), n, out);
            return;
        }
        // The map has not grown yet: by bucket, and in a bucket the last one first.
        for (uint32_t k = 0; k < n; k++) {
            uint32_t to = k;
            for (; to && buckets[cell[out[to - 1]].slot] >= buckets[cell[k].slot]; to--) out[to] = out[to - 1];
            out[to] = int32_t(k);
        }
    }
};

inline void sort_rows(std::vector<CopiedRow>& rows) {
    std::sort(rows.begin(), rows.end(), [](const CopiedRow& a, const CopiedRow& b) { return a.row < b.row; });
}

// A row of a model's table that a mixed diff changes, and a cell of it.
struct PlannedRow {
    uint32_t row, count;
};
struct PlannedCell {
    double weight, covariance;
    uint32_t position;
};

}  // namespace jubatus
