// Stable sorting of numbers, and of names by their bytes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

#include "kernels/bytes.h"
#include "kernels/hash.h"

namespace jubatus {

// Returns the first 8 bytes as a number that sorts as they do. Shorter texts are filled up with zeros. Reads no byte
// outside of the text.
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

#if defined(__x86_64__) && defined(__GNUC__)
// The place of a number is how many others are smaller. This takes n^2 comparisons, but does eight at a time and has no
// branches that the processor could guess wrong.
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

struct Keyed {
    uint64_t key;
    uint32_t at;    // index of what is sorted
    uint32_t size;  // of its name, if names are sorted
};

// Sorts by key; equal keys keep their order. `spare` has as much room as `items`.
inline void sort_by_key(Keyed* items, Keyed* spare, size_t n) {
    if (n < 128) {
        for (size_t i = 1; i < n; i++) {
            Keyed item = items[i];
            size_t to = i;
            for (; to && items[to - 1].key > item.key; to--) items[to] = items[to - 1];
            items[to] = item;
        }
        return;
    }
    // Radix sort: by one byte after the other, the lowest first. A byte that all keys share needs no pass.
    uint64_t differs = 0;
    for (size_t i = 0; i < n; i++) differs |= items[i].key ^ items[0].key;
    Keyed *from = items, *to = spare;
    for (int shift = 0; shift < 64; shift += 8) {
        if (!(differs >> shift & 255)) continue;
        uint32_t places[256] = {}, start = 0;
        for (size_t i = 0; i < n; i++) places[from[i].key >> shift & 255]++;
        for (uint32_t& place : places) {
            uint32_t held = place;
            place = start;
            start += held;
        }
        for (size_t i = 0; i < n; i++) to[places[from[i].key >> shift & 255]++] = from[i];
        std::swap(from, to);
    }
    if (from != items) memcpy(static_cast<void*>(items), from, n * sizeof(Keyed));
}

inline void sort_by_key(std::vector<Keyed>& items, std::vector<Keyed>& spare) {
    size_t n = items.size(), i = 1;
    while (i < n && items[i - 1].key <= items[i].key) i++;
    if (i >= n) return;
    spare.resize(n);
    sort_by_key(items.data(), spare.data(), n);
}

inline int order_of(const char* p, size_t n, const char* q, size_t m) {
    int order = memcmp(p, q, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

// Sorts rows, which have `name` and `size`, by their names; equal names keep their order.
template <class Row>
struct NameOrder {
    const Row* rows;
    std::vector<Keyed> items, spare;
    std::vector<uint8_t> fresh;  // for each item in order: whether its name differs from that of the item before

    void sort(const Row* first, uint32_t n) {
        rows = first;
        items.resize(n);
        spare.resize(n);
        fresh.assign(n, 1);
        for (uint32_t i = 0; i < n; i++) items[i] = {0, i, rows[i].size};
        sort(0, n, 0);
    }

  private:
    const char* name(size_t i) const { return rows[items[i].at].name; }

    // All names of the range have their first `depth` bytes in common.
    void sort(size_t from, size_t to, uint32_t depth) {
        if (to - from < 16) return compare(from, to, depth);
        const char* first = name(from);
        uint32_t shortest = items[from].size, head = shortest, tail = shortest;
        const char* end = first + shortest;
        for (size_t i = from + 1; i < to; i++) {
            const char* other = name(i);
            uint32_t n = items[i].size;
            shortest = std::min(shortest, n);
            head = common_head(first, other, std::min(head, n), depth);
            tail = common_tail(end, other + n, std::min(tail, n));
        }
        depth = head;
        // Names of one size up to this that have the same key are the same name.
        uint32_t limit = depth + 8 + std::min(tail, shortest - depth);
        for (size_t i = from; i < to; i++) items[i].key = prefix_of(name(i) + depth, items[i].size - depth);
        sort_by_key(&items[from], &spare[from], to - from);
        for (size_t i = from; i < to;) {
            size_t j = i + 1;
            bool of_one_size = true, longer = items[i].size >= depth + 8;
            for (; j < to && items[j].key == items[i].key; j++) {
                of_one_size &= items[j].size == items[i].size;
                longer &= items[j].size >= depth + 8;
            }
            if (of_one_size && items[i].size <= limit)
                memset(&fresh[i + 1], 0, j - i - 1);
            else if (longer)
                sort(i, j, depth + 8);
            else
                compare(i, j, depth);
            i = j;
        }
    }
    // Returns how many of their first `n` bytes two names have in common. The first `known` are known to be.
    static uint32_t common_head(const char* p, const char* q, uint32_t n, uint32_t known) {
        uint32_t same = known;
        while (same + 8 <= n && load(p + same, 8) == load(q + same, 8)) same += 8;
        while (same < n && p[same] == q[same]) same++;
        return same;
    }
    static uint32_t common_tail(const char* p, const char* q, uint32_t n) {
        uint32_t same = 0;
        while (same + 8 <= n && load(p - same - 8, 8) == load(q - same - 8, 8)) same += 8;
        while (same < n && p[-1 - int64_t(same)] == q[-1 - int64_t(same)]) same++;
        return same;
    }
    void compare(size_t from, size_t to, uint32_t depth) {
        for (size_t i = to; i < to + 4 && i < items.size(); i++) __builtin_prefetch(name(i));
        auto before = [&](const Keyed& a, const Keyed& b) {
            return order_of(rows[a.at].name + depth, a.size - depth, rows[b.at].name + depth, b.size - depth) < 0;
        };
        if (to - from > 2)
            std::stable_sort(items.begin() + from, items.begin() + to, before);
        else if (to - from == 2 && before(items[from + 1], items[from]))
            std::swap(items[from], items[from + 1]);
        for (size_t i = from + 1; i < to; i++)
            fresh[i] = items[i - 1].size != items[i].size ||
                       memcmp(name(i - 1) + depth, name(i) + depth, items[i].size - depth) != 0;
    }
};

}  // namespace jubatus
