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

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

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
    uint64_t hash;  // hash_part
};

// Finds tokens that were seen before in the same value. An entry of an earlier epoch is free, so nothing is cleared.
struct Seen {
    struct Entry {
        uint32_t epoch, at;
    };
    std::vector<Entry> entries;
    uint32_t epoch = 0;

    Seen() : entries(512, Entry{0, 0}) {}
    void start() {
        if (++epoch == 0) {
            entries.assign(entries.size(), Entry{0, 0});
            epoch = 1;
        }
    }
    size_t slot(uint64_t hash) const { return size_t(hash) & (entries.size() - 1); }
    void grow(const std::vector<Token>& tokens) {
        entries.assign(2 * entries.size(), Entry{0, 0});
        epoch = 1;
        for (uint32_t at = 0; at < tokens.size(); at++) {
            size_t i = slot(tokens[at].hash);
            while (entries[i].epoch == epoch) i = (i + 1) & (entries.size() - 1);
            entries[i] = {epoch, at};
        }
    }
};

struct StringValue {
    Span key, value;
};
struct NumberValue {
    Span key;
    double value;
};

// The memory of one conversion; used again for the next.
struct Work {
    std::vector<StringValue> strings, filtered_strings;
    std::vector<NumberValue> numbers, filtered_numbers;
    MapOrder map_order;
    std::vector<uint64_t> hashes;
    std::vector<Token> tokens;
    Seen seen;
    std::vector<int32_t> order;
    std::vector<Feature> features;
    // The vector that a learner works on: id and value of each feature, and where in features its name stands.
    std::vector<uint64_t> ids;
    std::vector<double> values;
    std::vector<uint32_t> from;
    std::vector<uint64_t> keys, sorted;
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

// Room for n more features, to be filled in place: a copy by wide loads would wait for narrow stores.
inline Feature* add_features(Work& w, size_t n) {
    w.features.resize(w.features.size() + n);
    return w.features.data() + w.features.size() - n;
}

// One byte of whitespace in the C locale.
inline bool is_space(unsigned char b) { return b == ' ' || unsigned(b - '\t') < 5; }

// Counts a token of the current value; tokens keep the order of their first occurrence.
inline void count_token(Work& w, const char* p, uint32_t n, uint64_t hash) {
    Seen& seen = w.seen;
    size_t i = seen.slot(hash);
    while (seen.entries[i].epoch == seen.epoch) {
        Token& token = w.tokens[seen.entries[i].at];
        if (token.hash == hash && token.span.n == n) {
            token.count++;
            return;
        }
        i = (i + 1) & (seen.entries.size() - 1);
    }
    seen.entries[i] = {seen.epoch, uint32_t(w.tokens.size())};
    // Field by field: a copy by wide loads would wait for the narrow stores of a temporary.
    w.tokens.emplace_back();
    Token& token = w.tokens.back();
    token.span.p = p;
    token.span.n = n;
    token.count = 1;
    token.hash = hash;
    if (4 * w.tokens.size() > seen.entries.size()) seen.grow(w.tokens);
}
inline void count_token(Work& w, const char* p, uint32_t n) { count_token(w, p, n, hash_part(p, n)); }

// Puts the tokens' numbers into w.order: as they came, or in the order of the original's map.
inline void order_tokens(Work& w, bool as_map) {
    uint32_t n = uint32_t(w.tokens.size());
    w.order.resize(n);
    if (!as_map) {
        for (uint32_t i = 0; i < n; i++) w.order[i] = int32_t(i);
        return;
    }
    w.hashes.resize(n);
    for (uint32_t i = 0; i < n; i++) w.hashes[i] = fnv1a(w.tokens[i].span.p, w.tokens[i].span.n);
    w.map_order.order(w.hashes.data(), n, w.order.data());
}

// A bit for each of 64 bytes: set where it is a space.
inline uint64_t spaces(const char* p) {
    uint64_t mask = 0;
#ifdef __SSE2__
    for (int k = 0; k < 4; k++) {
        __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * k));
        __m128i from_tab = _mm_sub_epi8(v, _mm_set1_epi8('\t'));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8(4)), from_tab);
        __m128i found = _mm_or_si128(control, _mm_cmpeq_epi8(v, _mm_set1_epi8(' ')));
        mask |= uint64_t(uint32_t(_mm_movemask_epi8(found))) << (16 * k);
    }
#else
    for (int k = 0; k < 64; k++) mask |= uint64_t(is_space(p[k])) << k;
#endif
    return mask;
}

inline void count_words(Work& w, Span value) {
    const char* start = nullptr;  // of the current word
    uint64_t before = 1;          // whether the byte before the block is a space
    for (uint32_t at = 0; at < value.n; at += 64) {
        const char* block = value.p + at;
        char last[64];
        const char* bytes = block;
        if (value.n - at < 64) {
            memset(last, ' ', 64);
            memcpy(last, block, value.n - at);
            bytes = last;
        }
        uint64_t mask = spaces(bytes);
        // Where a space follows a word's byte or the other way round.
        uint64_t edges = mask ^ (mask << 1 | before);
        before = mask >> 63;
        while (edges) {
            const char* edge = block + __builtin_ctzll(edges);
            edges &= edges - 1;
            if (start) {
                uint32_t n = uint32_t(edge - start);
                bool is_short = n <= 8 && start + 8 <= value.p + value.n;
                count_token(w, start, n, is_short ? hash_short_part(start, n) : hash_part(start, n));
                start = nullptr;
            } else
                start = edge;
        }
    }
    if (start) count_token(w, start, uint32_t(value.p + value.n - start));
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

// Up to 8 bytes as a number that orders like them; zeros behind the end. Reads no byte outside.
inline uint64_t prefix_of(const char* p, uint32_t n) {
    uint64_t v;
    if (n >= 8) return big_endian(reinterpret_cast<const uint8_t*>(p), 8);
    if (n >= 4) {
        uint64_t high = big_endian(reinterpret_cast<const uint8_t*>(p), 4);
        uint64_t low = big_endian(reinterpret_cast<const uint8_t*>(p + n - 4), 4);
        return high << 32 | low << (64 - 8 * n);
    }
    v = 0;
    for (uint32_t i = 0; i < n; i++) v |= uint64_t(uint8_t(p[i])) << (56 - 8 * i);
    return v;
}

// Bytes [skip, skip + 8) of the name, likewise.
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
    std::string left(f.name_size, 0), right(g.name_size, 0);
    put_name(&left[0], f, shapes);
    put_name(&right[0], g, shapes);
    return left.compare(right);
}

#if defined(__x86_64__) && defined(__GNUC__)
// A number's place is how many are smaller: n^2 comparisons, but eight at a time and with no branch to guess.
__attribute__((target("avx512f"))) inline void rank_sort(const uint64_t* keys, uint64_t* sorted, size_t n) {
    const __m512i one = _mm512_set1_epi64(1);
    for (size_t i = 0; i < n; i += 8) {
        const __m512i eight = _mm512_loadu_si512(keys + i);
        __m512i smaller = _mm512_setzero_si512();
        for (size_t j = 0; j < n; j++) {
            __mmask8 is_smaller = _mm512_cmplt_epu64_mask(_mm512_set1_epi64(int64_t(keys[j])), eight);
            smaller = _mm512_mask_add_epi64(smaller, is_smaller, smaller, one);
        }
        uint64_t places[8];
        _mm512_storeu_si512(places, smaller);
        for (size_t k = 0; k < 8 && i + k < n; k++) sorted[places[k]] = keys[i + k];
    }
}
inline bool has_wide_vectors() {
    static const bool has = __builtin_cpu_supports("avx512f");
    return has;
}
#else
inline void rank_sort(const uint64_t*, uint64_t*, size_t) {}
inline bool has_wide_vectors() { return false; }
#endif

// Sorts distinct numbers below 2^64 - 1.
inline void sort_numbers(std::vector<uint64_t>& keys, std::vector<uint64_t>& sorted) {
    size_t n = keys.size();
    if (n > 256 || !has_wide_vectors()) {
        std::sort(keys.begin(), keys.end());
        return;
    }
    keys.resize(n + 7, ~uint64_t(0));
    sorted.resize(n);
    rank_sort(keys.data(), sorted.data(), n);
    keys.swap(sorted);
}

// Takes the features as they are.
inline void take_features(Work& w) {
    size_t n = w.features.size();
    w.ids.resize(n);
    w.values.resize(n);
    for (size_t i = 0; i < n; i++) {
        w.ids[i] = w.features[i].id;
        w.values[i] = w.features[i].value;
    }
}

// Takes the features sorted by (name, value), with the values of equal names added up in that order.
inline void sort_and_merge(Work& w, const Shape* shapes) {
    std::vector<Feature>& features = w.features;
    size_t n = features.size();
    w.ids.resize(n);
    w.values.resize(n);
    w.from.resize(n);
    if (n == 0) return;
    // A key is the first bits of the name behind what all names share, and the feature's number in the last bits.
    int bits = 64 - __builtin_clzll(n);
    uint64_t number = (uint64_t(1) << bits) - 1;
    uint32_t head = common_head(features, shapes);
    w.keys.resize(n);
    for (size_t i = 0; i < n; i++) {
        const Feature& f = features[i];
        const Shape& s = shapes[f.shape];
        uint64_t prefix;
        if (head == f.key_size + s.infix.n)  // the usual case: the token and what follows it
            prefix = f.token_size >= 8 ? prefix_of(f.token, 8)
                                       : prefix_of(f.token, f.token_size) | s.suffix_prefix >> (8 * f.token_size);
        else
            prefix = name_prefix(f, s, head);
        w.keys[i] = (prefix & ~number) | i;
    }
    sort_numbers(w.keys, w.sorted);
    // Where names share those bits too they are compared whole.
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && (w.keys[j] | number) == (w.keys[i] | number)) j++;
        if (j - i > 1)
            std::sort(w.keys.begin() + i, w.keys.begin() + j, [&](uint64_t a, uint64_t b) {
                const Feature& f = features[a & number];
                const Feature& g = features[b & number];
                if (f.id != g.id) return compare_names(f, g, shapes) < 0;
                return f.value < g.value || (f.value == f.value && g.value != g.value);  // NaN last
            });
        i = j;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = uint32_t(w.keys[i] & number);
        const Feature& f = features[at];
        if (kept && w.ids[kept - 1] == f.id) {
            w.values[kept - 1] += f.value;
            continue;
        }
        w.ids[kept] = f.id;
        w.values[kept] = f.value;
        w.from[kept++] = at;
    }
    w.ids.resize(kept);
    w.values.resize(kept);
}

}  // namespace jubatus
