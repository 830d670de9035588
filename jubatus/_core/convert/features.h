// Features of a datum.
//
// A feature's name is key + infix + token + suffix, where infix and suffix belong to its Shape (one a rule). The pieces
// point into the request, the configuration or the Arena of the Conversion; they are put together only for a feature that
// a table sees for the first time.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>

#include "kernels/bytes.h"
#include "kernels/hash.h"
#include "kernels/order.h"
#include "kernels/table.h"

namespace jubatus {

enum Weighting { BIN, IDF, IDF1, BM25, USER };
enum Form { PLAIN, STRING, NUMBER, NUMBER_TEXT };

struct Shape {
    Form form;
    Weighting weighting;
    Span infix, suffix;
    uint64_t rest;       // spread_rest of the suffix's hash
    bool cut_at_suffix;  // whether the name's last '@' starts the suffix
    uint32_t group_from;  // where in the suffix its last '@' stands
    uint32_t sharp_at;    // where in the suffix its '#' stands
    uint64_t suffix_prefix;  // prefix_of the suffix
};

struct Feature {
    uint64_t id;  // name_id of the name
    double value;
    const char* key;
    const char* token;
    uint32_t key_size, token_size, shape, name_size;
};

inline char* put(char* out, const char* p, size_t n) {
    memcpy(out, p, n);
    return out + n;
}
inline char* put_name(char* out, const Feature& f, const Shape* shapes) {
    const Shape& s = shapes[f.shape];
    out = put(out, f.key, f.key_size);
    out = put(out, s.infix.p, s.infix.n);
    out = put(out, f.token, f.token_size);
    return put(out, s.suffix.p, s.suffix.n);
}

template <class Row>
inline uint32_t insert_feature(Table<Row>& table, uint64_t id, const Feature& f, const Shape* shapes) {
    uint32_t at = table.insert(id, f.name_size);
    char* out = reinterpret_cast<char*>(table.names.reserve(f.name_size));
    put_name(out, f, shapes);
    table.names.size += f.name_size;
    return at;
}

}  // namespace jubatus
