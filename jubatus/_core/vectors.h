// Feature vectors: what a conversion reads, produces and works on.
//
// A feature's name is key + infix + token + suffix, where infix and suffix belong to its Shape (one a rule). The pieces
// point into the request, the configuration or the Arena of the Work; they are put together only for a feature that a
// table sees for the first time.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bytes.h"
#include "hash.h"
#include "table.h"

namespace jubatus {

struct Span {
    const char* p;
    uint32_t n;
};

enum Weighting { BIN, IDF, IDF1, BM25, USER };
enum Form { PLAIN, STRING, NUMBER, NUMBER_TEXT };

struct Shape {
    Form form;
    Weighting weighting;
    Span infix, suffix;
    Text infix_text, suffix_text;
    uint32_t group_from;  // where in the suffix its last '@' stands
    uint32_t sharp_at;    // where in the suffix its '#' stands
};

struct Feature {
    uint64_t id;  // mix() of the name's hash
    double value;
    const char* key;
    const char* token;
    uint32_t key_size, token_size, shape, name_size;
};

// Blocks of memory whose addresses stay until reset.
struct Arena {
    std::vector<std::unique_ptr<char[]>> blocks;
    size_t used = 0, room = 0;
    char* take(size_t n) {
        if (blocks.empty() || room - used < n) {
            room = std::max<size_t>(n, 1 << 16);
            blocks.emplace_back(new char[room]);
            used = 0;
        }
        char* p = blocks.back().get() + used;
        used += n;
        return p;
    }
    void reset() {
        if (blocks.size() > 1) {
            blocks.clear();
            room = 0;
        }
        used = 0;
    }
};

struct Token {
    Span span;
    uint32_t count;
    Text text;
};

struct StringValue {
    Span key, value;
};
struct NumberValue {
    Span key;
    double value;
};

struct SortKey {
    uint64_t prefix;
    uint32_t at;
};

// The memory of one conversion; used again for the next.
struct Work {
    std::vector<StringValue> strings, filtered_strings;
    std::vector<NumberValue> numbers, filtered_numbers;
    Chains chains;
    std::vector<Token> tokens;
    std::vector<int32_t> order;
    std::vector<Feature> features, sorted;
    std::vector<SortKey> keys;
    std::vector<uint32_t> rows;
    std::vector<double> scores;
    std::unordered_map<uint64_t, double> lengths;
    Arena arena;
    std::string scratch, error;

    void reset() {
        strings.clear();
        filtered_strings.clear();
        numbers.clear();
        filtered_numbers.clear();
        features.clear();
        arena.reset();
    }
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

// One byte of whitespace in the C locale.
inline bool is_space(unsigned char b) { return b == ' ' || unsigned(b - '\t') < 5; }

// Counts a token of the current value; tokens keep the order of their first occurrence, chains that of the map.
inline void count_token(Work& w, const char* p, uint32_t n, uint64_t fnv, Text text) {
    for (int32_t i = w.chains.first(fnv); i >= 0; i = w.chains.nodes[i].next)
        if (w.chains.nodes[i].hash == fnv && w.tokens[i].span.n == n && !memcmp(w.tokens[i].span.p, p, n)) {
            w.tokens[i].count++;
            return;
        }
    w.chains.insert(uint32_t(w.tokens.size()), fnv);
    w.tokens.push_back({{p, n}, 1, text});
}
inline void count_token(Work& w, const char* p, uint32_t n) { count_token(w, p, n, fnv1a(p, n), text(p, n)); }

inline void count_words(Work& w, Span value) {
    const char* p = value.p;
    const char* end = p + value.n;
    for (;;) {
        while (p < end && is_space(*p)) p++;
        if (p == end) return;
        const char* start = p;
        // Both hashes in one pass: their multiplications overlap.
        uint64_t fnv = FNV_OFFSET, sum = 0;
        uint32_t n = 0;
        const char* stop = end - p < 64 ? end : p + 64;
        while (p < stop && !is_space(*p)) {
            fnv = (fnv ^ uint64_t(int64_t(int8_t(*p)))) * FNV_PRIME;
            sum += (uint64_t(uint8_t(*p)) + 1) * POWERS.of[n++];
            p++;
        }
        if (p < end && !is_space(*p)) {
            while (p < end && !is_space(*p)) p++;
            count_token(w, start, uint32_t(p - start));
        } else
            count_token(w, start, n, fnv, {sum, POWERS.of[n]});
    }
}

// Offset 0 is a start whatever stands there.
inline bool starts_character(char c) { return (c & 0xc0) != 0x80; }

inline void count_ngrams(Work& w, Span value, uint32_t length) {
    // `first` is where the n-gram starts, `last` runs n characters ahead of it.
    uint32_t first = 0, last = 0, ahead = 0;
    for (last = 0; last < value.n && ahead < length; ahead++) {
        last++;
        while (last < value.n && !starts_character(value.p[last])) last++;
    }
    if (ahead < length) return;
    for (;;) {
        count_token(w, value.p + first, last - first);
        if (last >= value.n) return;
        first++;
        while (!starts_character(value.p[first])) first++;
        last++;
        while (last < value.n && !starts_character(value.p[last])) last++;
    }
}

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

// Bytes [skip, skip + 8) of the name as a number that orders like them; zeros behind the end.
inline uint64_t name_prefix(const Feature& f, const Shape& s, uint32_t skip) {
    char bytes[8] = {0};
    uint32_t filled = 0;
    const Span pieces[4] = {{f.key, f.key_size}, s.infix, {f.token, f.token_size}, s.suffix};
    for (const Span& piece : pieces) {
        if (skip >= piece.n) {
            skip -= piece.n;
            continue;
        }
        uint32_t n = std::min(piece.n - skip, 8 - filled);
        for (uint32_t i = 0; i < n; i++) bytes[filled + i] = piece.p[skip + i];
        filled += n;
        skip = 0;
        if (filled == 8) break;
    }
    return big_endian(reinterpret_cast<const uint8_t*>(bytes), 8);
}

// Sorts by (name, value) and adds up the values of equal names in that order.
inline void sort_and_merge(Work& w, const Shape* shapes) {
    std::vector<Feature>& features = w.features;
    uint32_t n = uint32_t(features.size());
    if (n < 2) return;
    uint32_t head = common_head(features, shapes);
    w.keys.resize(n);
    for (uint32_t i = 0; i < n; i++) w.keys[i] = {name_prefix(features[i], shapes[features[i].shape], head), i};
    std::sort(w.keys.begin(), w.keys.end(), [&](const SortKey& a, const SortKey& b) {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        const Feature& f = features[a.at];
        const Feature& g = features[b.at];
        if (f.id == g.id) return f.value < g.value || (f.value == f.value && g.value != g.value);  // NaN last
        std::string left(f.name_size, 0), right(g.name_size, 0);
        put_name(&left[0], f, shapes);
        put_name(&right[0], g, shapes);
        return left < right;
    });
    w.sorted.clear();
    for (const SortKey& key : w.keys) {
        const Feature& f = features[key.at];
        if (!w.sorted.empty() && w.sorted.back().id == f.id)
            w.sorted.back().value += f.value;
        else
            w.sorted.push_back(f);
    }
    features.swap(w.sorted);
}

}  // namespace jubatus
