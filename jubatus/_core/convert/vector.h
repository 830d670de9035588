// The sparse vector of a datum: what a learner works on.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "convert/conversion.h"
#include "convert/features.h"
#include "kernels/order.h"

namespace jubatus {

struct Vector {
    std::vector<uint64_t> ids;
    std::vector<double> values;
    // The name of feature i is that of features[from[i]].
    std::vector<uint32_t> from;
    const Feature* features = nullptr;
    const Shape* shapes = nullptr;
    std::vector<uint64_t> keys, sorted;  // memory for sorting

    const Feature& feature(size_t i) const { return features[from[i]]; }
};

// How many bytes the heads (key + infix) of all names have in common.
inline uint32_t common_head(const std::vector<Feature>& features, const Shape* shapes) {
    const Feature& a = features[0];
    const Span infix = shapes[a.shape].infix;
    uint32_t common = a.key_size + infix.n;
    const char* key = a.key;
    uint32_t shape = a.shape;
    for (const Feature& f : features) {
        if (f.key == key && f.shape == shape) continue;
        key = f.key;
        shape = f.shape;
        Span other = shapes[shape].infix;
        uint32_t n = std::min(common, f.key_size + other.n), i = 0;
        while (i < n && (i < f.key_size ? f.key[i] : other.p[i - f.key_size]) ==
                            (i < a.key_size ? a.key[i] : infix.p[i - a.key_size]))
            i++;
        common = i;
    }
    return common;
}

// Bytes [skip, skip + 8) of the name, as prefix_of returns them.
inline uint64_t name_prefix(const Feature& f, const Shape& s, uint32_t skip) {
    uint64_t v = 0;
    uint32_t filled = 0;
    const Span pieces[4] = {{f.key, f.key_size}, s.infix, {f.token, f.token_size}, s.suffix};
    for (const Span& piece : pieces) {
        if (skip >= piece.n) {
            skip -= piece.n;
            continue;
        }
        v |= prefix_of(piece.p + skip, piece.n - skip) >> (8 * filled);
        filled += piece.n - skip;
        skip = 0;
        if (filled >= 8) break;
    }
    return v;
}

inline int compare_names(const Feature& f, const Feature& g, const Shape* shapes) {
    const Shape &s = shapes[f.shape], &t = shapes[g.shape];
    Span left[4] = {{f.key, f.key_size}, s.infix, {f.token, f.token_size}, s.suffix};
    Span right[4] = {{g.key, g.key_size}, t.infix, {g.token, g.token_size}, t.suffix};
    // Of pieces that begin at the same place of both names the shorter one is compared, and then what follows.
    for (int i = 0, j = 0;;) {
        while (i < 4 && !left[i].n) i++;
        while (j < 4 && !right[j].n) j++;
        if (i == 4 || j == 4) return (i < 4) - (j < 4);
        const uint32_t n = std::min(left[i].n, right[j].n);
        const int order = left[i].p == right[j].p ? 0 : memcmp(left[i].p, right[j].p, n);
        if (order) return order;
        left[i] = {left[i].p + n, left[i].n - n};
        right[j] = {right[j].p + n, right[j].n - n};
    }
}

// Copies the features in their order.
inline void take_features(const Conversion& c, Vector& v) {
    const std::vector<Feature>& features = c.features;
    size_t n = features.size();
    v.features = features.data();
    v.shapes = c.shapes;
    v.ids.resize(n);
    v.values.resize(n);
    v.from.resize(n);
    for (size_t i = 0; i < n; i++) {
        v.from[i] = uint32_t(i);
        v.ids[i] = features[i].id;
        v.values[i] = features[i].value;
    }
}

// Sorts the features by (name, value) and adds up the values of equal names in that order.
inline void sort_and_merge(const Conversion& c, Vector& v) {
    const std::vector<Feature>& features = c.features;
    const Shape* shapes = c.shapes;
    v.features = features.data();
    v.shapes = shapes;
    size_t n = features.size();
    v.ids.resize(n);
    v.values.resize(n);
    v.from.resize(n);
    if (n == 0) return;
    // The names of all features begin with `head` equal bytes. A key has the first bits of the name after those, and in
    // its last bits the index of the feature.
    int bits = 64 - __builtin_clzll(n);
    uint64_t number = (uint64_t(1) << bits) - 1;
    uint32_t head = common_head(features, shapes);
    v.keys.resize(n);
    for (size_t i = 0; i < n; i++) {
        const Feature& f = features[i];
        const Shape& s = shapes[f.shape];
        uint64_t prefix;
        if (head == f.key_size + s.infix.n)  // the usual case: the token and what follows it
            prefix = f.token_size >= 8 ? prefix_of(f.token, 8)
                                       : prefix_of(f.token, f.token_size) | s.suffix_prefix >> (8 * f.token_size);
        else
            prefix = name_prefix(f, s, head);
        v.keys[i] = (prefix & ~number) | i;
    }
    sort_numbers(v.keys, v.sorted);
    // Names that share the bits in the key too are compared whole.
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && (v.keys[j] | number) == (v.keys[i] | number)) j++;
        if (j - i > 1)
            std::sort(v.keys.begin() + i, v.keys.begin() + j, [&](uint64_t a, uint64_t b) {
                const Feature& f = features[a & number];
                const Feature& g = features[b & number];
                if (f.id != g.id) return compare_names(f, g, shapes) < 0;
                return f.value < g.value || (f.value == f.value && g.value != g.value);  // NaN last
            });
        i = j;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = uint32_t(v.keys[i] & number);
        const Feature& f = features[at];
        if (kept && v.ids[kept - 1] == f.id) {
            v.values[kept - 1] += f.value;
            continue;
        }
        v.ids[kept] = f.id;
        v.values[kept] = f.value;
        v.from[kept++] = at;
    }
    v.ids.resize(kept);
    v.values.resize(kept);
}

}  // namespace jubatus
