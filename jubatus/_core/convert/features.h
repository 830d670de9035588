// Features of a datum.
//
// The name of a feature is key + infix + token + suffix. Infix and suffix are those of its Shape, of which each rule
// has one. These pieces point into the request, the configuration or the Arena of the Conversion. They are put together
// only when a table gets a feature that it does not have yet.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "kernels/bytes.h"
#include "kernels/hash.h"
#include "kernels/order.h"
#include "kernels/table.h"

namespace jubatus {

enum Weighting { BIN, IDF, IDF1, BM25, USER };
// PLAIN is a name as it is, WRITTEN likewise, but of a plugin: what weighs it has to be read off the name.
enum Form { PLAIN, STRING, NUMBER, NUMBER_TEXT, WRITTEN };

struct Shape {
    Form form;
    Weighting weighting;
    Span infix, suffix;
    uint64_t rest;       // spread_rest of the suffix's hash
    bool cut_at_suffix;  // whether the last '@' of the name is the first byte of the suffix
    uint32_t group_from;  // index of the last '@' in the suffix
    uint32_t sharp_at;    // index of the '#' in the suffix
    uint64_t suffix_prefix;  // prefix_of the suffix
};

struct Feature {
    uint64_t id;  // name_id of the name
    double value;
    const char* key;
    const char* token;
    uint32_t key_size, token_size, shape, name_size;
};

// How the original weighs a feature of this name: by what stands behind the last '/'.
inline Weighting weighting_of(const char* name, size_t n) {
    const std::string_view whole(name, n);
    const size_t slash = whole.rfind('/');
    if (slash == whole.npos) return BIN;
    const std::string_view kind = whole.substr(slash + 1);
    return kind == "idf" ? IDF : kind == "idf1" ? IDF1 : kind == "bm25" ? BM25 : kind == "weight" ? USER : BIN;
}

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
    return table.insert(id, f.name_size, [&](char* out) { put_name(out, f, shapes); });
}

}  // namespace jubatus
