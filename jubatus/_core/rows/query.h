// A vector that rows are compared with.
#pragma once
#include <cstdint>
#include <vector>

#include "convert/vector.h"
#include "kernels/hash.h"
#include "rows/sparse.h"

namespace jubatus {

struct Query {
    std::vector<uint64_t> ids;    // of the features: name_id
    std::vector<uint64_t> keys;   // fnv1 of their names, if they were asked for
    std::vector<double> values;

    void clear() {
        ids.clear();
        keys.clear();
        values.clear();
    }
};

// The query that a converted datum is, in the order of its features.
inline void query_of_vector(const Vector& vector, bool with_keys, Query& query) {
    const size_t n = vector.ids.size();
    query.ids = vector.ids;
    query.values = vector.values;
    query.keys.clear();
    if (!with_keys) return;
    const char* key = nullptr;
    uint32_t shape = 0;
    uint64_t head = 0;  // the hash of key and infix, which features of one rule have in common
    for (size_t i = 0; i < n; i++) {
        const Feature& f = vector.feature(i);
        const Shape& s = vector.shapes[f.shape];
        if (i == 0 || f.key != key || f.shape != shape) {
            head = fnv1(fnv1(FNV_OFFSET, f.key, f.key_size), s.infix.p, s.infix.n);
            key = f.key;
            shape = f.shape;
        }
        query.keys.push_back(fnv1(fnv1(head, f.token, f.token_size), s.suffix.p, s.suffix.n));
    }
}

// The query that a row is, in the order of its features' numbers; an empty one for a row that is not there.
inline void query_of_row(const SparseRows& rows, const RawRow* row, Query& query) {
    query.clear();
    if (!row) return;
    for (const RawCell& cell : *row) {
        query.ids.push_back(rows.features.rows[cell.feature].id);
        query.keys.push_back(rows.features.rows[cell.feature].key);
        query.values.push_back(cell.value);
    }
}

}  // namespace jubatus
