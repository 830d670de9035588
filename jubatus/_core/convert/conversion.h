// What it takes to make features of the strings and numbers of a datum: memory, and functions that cut tokens.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

#include "convert/features.h"
#include "kernels/bytes.h"
#include "kernels/chains.h"
#include "kernels/hash.h"
#include "kernels/pool.h"

namespace jubatus {

struct Token {
    Span span;
    uint32_t count;
    uint64_t hash;  // hash_part
};

// A hash table that finds tokens which occurred before in the same value. Each value has an epoch of its own, and an
// entry of an earlier epoch is free. So the table need not be cleared between values. Where a hash goes is mixed with a
// number of chance: nobody can send tokens that all go to one place.
struct Seen {
    struct Entry {
        uint32_t epoch, at;
    };
    std::vector<Entry> entries;
    uint32_t epoch = 0;
    uint64_t salt = uint64_t(std::random_device{}()) << 32 | std::random_device{}() | 1;

    Seen() : entries(512, Entry{0, 0}) {}
    void start() {
        if (++epoch == 0) {
            entries.assign(entries.size(), Entry{0, 0});
            epoch = 1;
        }
    }
    size_t slot(uint64_t hash) const { return size_t(hash * salt >> 32) & (entries.size() - 1); }
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

// The names of features that a request brings, as far as a table does not know them.
struct NewNames {
    std::unordered_set<uint64_t> ids;
    uint64_t bytes = 0;
    void* table = nullptr;  // keeps names of features
    bool (*knows)(const void* table, uint64_t id) = nullptr;
    void (*reserve)(void* table, uint64_t count, uint64_t bytes) = nullptr;

    void start() {
        ids.clear();
        bytes = 0;
    }
    // Whether they still have no more than `limit` bytes.
    bool add(const std::vector<Feature>& features, uint64_t limit) {
        for (const Feature& f : features) {
            if (knows && knows(table, f.id)) continue;
            if (bytes > limit || ids.insert(f.id).second) bytes += f.name_size;
        }
        return bytes <= limit;
    }
};

// The memory of one conversion, which the next one uses again.
struct Conversion {
    std::vector<StringValue> strings, filtered_strings, binaries;
    std::vector<NumberValue> numbers, filtered_numbers;
    std::vector<NumberValue> named;  // features that a plugin has just made
    bool is_finite = false;          // whether numbers must be finite
    MapOrder map_order;
    std::vector<uint64_t> hashes;
    std::vector<Token> tokens;
    std::vector<double> scores;  // the sums of the scores of the tokens, if a plugin made them
    Seen seen;
    std::vector<int32_t> order;
    std::vector<Feature> features;
    const Shape* shapes = nullptr;  // of the features
    bool has_zero = false;          // whether a feature may have the value 0
    bool has_written = false;       // whether a feature is one that a plugin named
    std::unordered_map<uint64_t, double> lengths;
    Arena arena;
    uint64_t room = 0;  // bytes that what is made of the datum may still have
    std::string scratch;
    std::string error;  // why the datum is refused
    uint64_t limit = 0;  // bytes of new names that a request may bring; 0 is no limit
    uint64_t taken = 0;  // bytes of memory that the datum took, about
    NewNames brought;

    void reset() {
        taken = 0;
        strings.clear();
        filtered_strings.clear();
        numbers.clear();
        filtered_numbers.clear();
        binaries.clear();
        features.clear();
        has_zero = has_written = false;
        arena.reset();
    }
};

// A datum may take this many times the bytes of new names that a request may bring.
const uint64_t SHARES = 16;

// Notes that the datum takes memory, before it does.
inline void take_memory(Conversion& w, uint64_t bytes) {
    w.taken += bytes;
    if (w.limit && w.taken > SHARES * w.limit) throw TooMuch();
}

// Says which table keeps the names of features.
template <class Row>
inline void kept_by(Conversion& w, Table<Row>& table) {
    w.brought.table = &table;
    w.brought.knows = [](const void* known, uint64_t id) {
        return static_cast<const Table<Row>*>(known)->find(id) != NONE;
    };
    w.brought.reserve = [](void* known, uint64_t count, uint64_t bytes) {
        static_cast<Table<Row>*>(known)->reserve(count, bytes);
    };
}

inline uint64_t bytes_of_names(const Conversion& w) {
    uint64_t bytes = 0;
    for (const Feature& f : w.features) bytes += f.name_size;
    return bytes;
}

// Bytes that learning a feature may take besides its row, about.
const size_t LEARNED = 128;
const size_t MANY = 1 << 16;

// Bytes that a table needs for the names of the features: it keeps a key once that several of them have.
inline uint64_t bytes_to_keep(const Conversion& w) {
    uint64_t bytes = 0, longest = 0;
    const char* key = nullptr;
    uint32_t met = 0;  // features with that key, one behind the other
    for (const Feature& f : w.features) {
        met = f.key_size && f.key == key ? met + 1 : 0;
        key = f.key;
        longest = std::max<uint64_t>(longest, f.name_size);
        bytes += f.name_size - (met > 1 ? f.key_size : 0);
    }
    return bytes + longest;
}

// Makes room for the features of the datum before anything is learned, in the table that keeps them.
inline void make_room(Conversion& w) {
    const size_t n = w.features.size();
    if (w.brought.reserve) w.brought.reserve(w.brought.table, n, bytes_to_keep(w));
    if (n > MANY) free(obtain([&] { return malloc(n * LEARNED); }));
}

// Writes why so many bytes of new names are refused.
inline void refuse_names(Conversion& w, uint64_t bytes) {
    w.error = "the request brings " + std::to_string(bytes) + " bytes of new names of features, and may bring " +
              std::to_string(w.limit) + " (--max_new_names)";
}

// Whether the datum alone brings no more names than a request may; else writes why.
inline bool brings_few_names(Conversion& w) {
    if (bytes_of_names(w) <= w.limit) return true;
    NewNames alone;
    alone.table = w.brought.table;
    alone.knows = w.brought.knows;
    if (alone.add(w.features, w.limit)) return true;
    refuse_names(w, alone.bytes);
    return false;
}

// Adds the names of the datum to those of the request; whether it still brings no more than it may, else writes why.
inline bool bring_names(Conversion& w) {
    if (w.brought.add(w.features, w.limit)) return true;
    refuse_names(w, w.brought.bytes);
    return false;
}

// Appends n features. The caller fills them in place, which is faster than to fill one elsewhere and copy it: the copy
// would load whole vectors and have to wait for the narrow stores before it.
inline Feature* add_features(Conversion& w, size_t n) {
    take_memory(w, n * sizeof(Feature));
    w.features.resize(w.features.size() + n);
    return w.features.data() + w.features.size() - n;
}

// One byte of whitespace in the C locale.
inline bool is_space(unsigned char b) { return b == ' ' || unsigned(b - '\t') < 5; }

// Counts a token of the current value, and returns its index; tokens keep the order of their first occurrence.
inline uint32_t count_token(Conversion& w, const char* p, uint32_t n, uint64_t hash) {
    Seen& seen = w.seen;
    size_t i = seen.slot(hash);
    while (seen.entries[i].epoch == seen.epoch) {
        Token& token = w.tokens[seen.entries[i].at];
        if (token.hash == hash && token.span.n == n) {
            token.count++;
            return seen.entries[i].at;
        }
        i = (i + 1) & (seen.entries.size() - 1);
    }
    seen.entries[i] = {seen.epoch, uint32_t(w.tokens.size())};
    // Set in place, see add_features.
    w.tokens.emplace_back();
    Token& token = w.tokens.back();
    token.span.p = p;
    token.span.n = n;
    token.count = 1;
    token.hash = hash;
    if (4 * w.tokens.size() > seen.entries.size()) {
        take_memory(w, w.tokens.size() * (2 * sizeof(Token) + 8 * sizeof(Seen::Entry)));
        seen.grow(w.tokens);
    }
    return uint32_t(w.tokens.size() - 1);
}
inline void count_token(Conversion& w, const char* p, uint32_t n) { count_token(w, p, n, hash_part(p, n)); }
// Counts a token by a score.
inline void count_score(Conversion& w, const char* p, uint32_t n, double score) {
    const uint32_t at = count_token(w, p, n, hash_part(p, n));
    w.scores.resize(w.tokens.size());
    w.scores[at] += score;
}

// Computes fnv1a of each token. Each step of a hash needs the step before, so four hashes are computed side by side.
inline void hash_tokens(const Token* tokens, uint32_t n, uint64_t* out) {
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const Span a = tokens[i].span, b = tokens[i + 1].span, c = tokens[i + 2].span, d = tokens[i + 3].span;
        const uint32_t shared = std::min(std::min(a.n, b.n), std::min(c.n, d.n));
        uint64_t h[4] = {FNV_OFFSET, FNV_OFFSET, FNV_OFFSET, FNV_OFFSET};
        for (uint32_t k = 0; k < shared; k++) {
            h[0] = fnv1a_step(h[0], a.p[k]);
            h[1] = fnv1a_step(h[1], b.p[k]);
            h[2] = fnv1a_step(h[2], c.p[k]);
            h[3] = fnv1a_step(h[3], d.p[k]);
        }
        out[i] = fnv1a(a.p + shared, a.n - shared, h[0]);
        out[i + 1] = fnv1a(b.p + shared, b.n - shared, h[1]);
        out[i + 2] = fnv1a(c.p + shared, c.n - shared, h[2]);
        out[i + 3] = fnv1a(d.p + shared, d.n - shared, h[3]);
    }
    for (; i < n; i++) out[i] = fnv1a(tokens[i].span.p, tokens[i].span.n);
}

inline char* take_room(Arena& arena, size_t n) { return arena.take(n); }

// Lists the tokens in w.order by their index: in the order of their first occurrence, or in that of the original's map.
inline void order_tokens(Conversion& w, bool as_map) {
    uint32_t n = uint32_t(w.tokens.size());
    w.order.resize(n);
    if (!as_map) {
        for (uint32_t i = 0; i < n; i++) w.order[i] = int32_t(i);
        return;
    }
    w.hashes.resize(n);
    hash_tokens(w.tokens.data(), n, w.hashes.data());
    w.map_order.order(w.hashes.data(), n, w.order.data());
}

// Returns a bit for each of 64 bytes, which is set if the byte is a space.
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

inline void count_words(Conversion& w, Span value) {
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
        // A bit is set where a word begins or where one has ended.
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

// Whether a byte is the first one of a UTF-8 character. Callers do not ask for offset 0, which always counts as a
// start.
inline bool starts_character(char c) { return (c & 0xc0) != 0x80; }

inline void count_ngrams(Conversion& w, Span value, uint32_t length) {
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

}  // namespace jubatus
