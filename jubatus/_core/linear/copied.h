// A copy of the diff of a table that goes on learning, with all that is needed to pack it; and the changes that a mixed
// diff will make to a table.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/texts.h"
#include "linear/cells.h"

namespace jubatus {

struct CopiedRow {
    uint64_t id;
    uint64_t name;           // its place in CopiedDiff::names
    uint32_t row;            // index in the model's table
    uint32_t first, count;   // its cells
    uint32_t ordinal;        // its place in the order in which the features came into the diff
};

struct CopiedCell {
    double weight, covariance;
    uint32_t slot, position;
};

struct CopiedDiff {
    std::vector<CopiedRow> rows;  // by row
    std::vector<CopiedCell> cells;
    Texts names;
    std::vector<std::string> labels;  // by slot
    std::vector<uint64_t> ids;        // of the labels
    uint64_t version = 0;

    void clear() {
        rows.clear();
        cells.clear();
        names.clear();
        labels.clear();
        ids.clear();
    }
    size_t room() const {
        size_t n = 64 + rows.size() * ROW_ROOM + names.size;
        for (const CopiedCell& cell : cells) n += CELL_ROOM + labels[cell.slot].size();
        return n;
    }
    // Features are in the order of the original's table, and the labels of each in that of the feature's map.
    void pack(Buffer& out) const {
        uint32_t n = uint32_t(rows.size());
        std::vector<uint64_t> hashes(n);
        std::vector<uint32_t> by_ordinal(n);
        std::vector<int32_t> order(n), inner;
        for (uint32_t i = 0; i < n; i++) {
            by_ordinal[rows[i].ordinal] = i;
            hashes[rows[i].ordinal] = name(rows[i]).hash();
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
                __builtin_prefetch(names.entries.data + later.name);
            }
            const CopiedRow& row = rows[order[i]];
            const CopiedCell* cell = &cells[row.first];
            const Pieces text = name(row);
            put_row_head(out, text, text.size(), row.count);
            inner.resize(row.count);
            order_cells(cell, row.count, buckets, hashes, map, inner.data());
            for (int32_t k : inner) put_cell(out, heads[cell[k].slot], cell[k].weight, cell[k].covariance, 0.0);
        }
        put_diff_end(out, version);
    }
    Pieces name(const CopiedRow& row) const { return names.pieces(row.name); }
    void order_cells(const CopiedCell* cell, uint32_t n, const std::vector<uint32_t>& buckets,
                     std::vector<uint64_t>& hashes, MapOrder& map, int32_t* out) const {
        if (n > PRIMES[0]) {
            hashes.resize(n);
            for (uint32_t k = 0; k < n; k++) hashes[k] = ids[cell[k].slot];
            map.order(hashes.data(), n, out);
            return;
        }
        // A map of this size has not grown yet. Its order is by bucket, and in a bucket the last one comes first.
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
