// The rows that are nearest to a query, found by looking at all of them.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/bits.h"

namespace jubatus {

// Keeps the smallest items, up to so many.
template <class Item>
struct Best {
    size_t most;
    std::vector<Item> items;  // a heap with the largest item first, once there are as many as wanted

    explicit Best(size_t most) : most(most) {}
    bool is_full() const { return items.size() >= most; }
    const Item& worst() const { return items.front(); }
    void offer(const Item& item) {
        if (items.size() < most) {
            items.push_back(item);
            if (items.size() == most) std::make_heap(items.begin(), items.end());
        } else if (most && item < items.front()) {
            std::pop_heap(items.begin(), items.end());
            items.back() = item;
            std::push_heap(items.begin(), items.end());
        }
    }
    void sort() { std::sort(items.begin(), items.end()); }
};

struct Ranked {
    double distance;
    uint32_t row;
    // NaN comes last.
    bool operator<(const Ranked& o) const {
        if (distance < o.distance) return true;
        if (o.distance < distance) return false;
        const bool is_nan = distance != distance, other_is_nan = o.distance != o.distance;
        return is_nan != other_is_nan ? other_is_nan : row < o.row;
    }
};

const size_t SCAN_BLOCK = 512;       // rows whose differences are counted before they are looked at
const size_t SCAN_SHARE = 1 << 17;   // words from which a further thread is worth its start

// Calls scan(from, to, best) for ranges of n rows, on several threads if there are many, and joins what they found.
template <class Item, class Scan>
inline void scan_rows(size_t n, size_t words, uint32_t threads, Best<Item>& best, Scan scan) {
    const size_t worth = 1 + n * words / SCAN_SHARE;
    const size_t shares = std::min<size_t>(std::max<uint32_t>(threads, 1), worth);
    if (shares == 1) return scan(size_t(0), n, best);
    std::vector<Best<Item>> found(shares, Best<Item>(best.most));
    std::vector<std::thread> helpers;
    helpers.reserve(shares);
    for (Best<Item>& each : found) each.items.reserve(std::min(each.most, n / shares + 1));  // no thread may lack memory
    size_t started = 1;
    try {
        for (; started < shares; started++) {
            const size_t i = started;
            helpers.emplace_back([&, i] { scan(n * i / shares, n * (i + 1) / shares, found[i]); });
        }
    } catch (const std::system_error&) {  // the system has no further thread
    }
    scan(size_t(0), n / shares, found[0]);
    for (size_t i = started; i < shares; i++) scan(n * i / shares, n * (i + 1) / shares, found[i]);
    for (std::thread& helper : helpers) helper.join();
    for (const Best<Item>& each : found)
        for (const Item& item : each.items) best.offer(item);
}

// Calls look(row, bits) for the rows of a range that differ from the query in at most `limit` bits, which may fall
// meanwhile. Most rows are passed over in groups.
template <class Look>
inline void look_through(
    const uint64_t* query, const uint64_t* vectors, size_t words, size_t from, size_t to, const uint32_t& limit, Look look) {
    const size_t group = 16;
    uint32_t bits[SCAN_BLOCK];
    const CountDifferences count = bit_kernels().ways[0];
    for (size_t at = from; at < to; at += SCAN_BLOCK) {
        const size_t some = std::min(SCAN_BLOCK, to - at);
        count(query, vectors + at * words, words, some, bits);
        size_t i = 0;
        for (; i + group <= some; i += group) {
            const int32_t most = int32_t(limit);
            int32_t found = 0;
            for (size_t k = 0; k < group; k++) found |= int32_t(bits[i + k]) <= most;
            if (!found) continue;
            for (size_t k = i; k < i + group; k++)
                if (bits[k] <= limit) look(at + k, bits[k]);
        }
        for (; i < some; i++)
            if (bits[i] <= limit) look(at + i, bits[i]);
    }
}

const uint32_t ANY_BITS = 0x7fffffff;

// The rows with the fewest bits that differ; of equal ones the first.
inline void rank_by_bits(
    const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t threads, size_t most,
    std::vector<Ranked>& out) {
    Best<uint64_t> best(std::min(most, n));  // bits * 2^32 + row
    scan_rows(n, words, threads, best, [&](size_t from, size_t to, Best<uint64_t>& found) {
        uint32_t limit = ANY_BITS;
        look_through(query, vectors, words, from, to, limit, [&](size_t row, uint32_t bits) {
            found.offer(uint64_t(bits) << 32 | row);
            if (found.is_full()) limit = uint32_t(found.worst() >> 32);
        });
    });
    best.sort();
    out.clear();
    for (uint64_t item : best.items) out.push_back({double(item >> 32), uint32_t(item)});
}

// The distance of vectors by their norms and the angle between them, of which `cosines` has the cosine for each number of
// bits that differ.
inline double distance_of(uint32_t bits, double norm, double other, const double* cosines) {
    if (bits == 0) return std::fabs(norm - other);
    return std::sqrt(norm * norm + other * other - 2 * norm * other * cosines[bits]);
}

// Lowers the limit of bits as far as a row beyond it cannot be nearer than `worst`, whatever its norm is: the distance of
// a point from a ray at an angle is at least the norm times the sine of the angle, and the norm from a right angle on.
inline void lower_limit(double worst, double norm, const double* cosines, uint32_t right_angle, uint32_t& limit) {
    const double square = worst * worst * (1 + 1e-9);  // more than what rounding can do
    if (limit > right_angle) {
        if (!(norm * norm > square)) return;
        limit = right_angle;
    }
    while (limit > 0 && norm * norm * (1 - cosines[limit] * cosines[limit]) > square) limit--;
}

// The rows with the smallest distance; of equal ones the first.
//
// bits: of a vector; `cosines` has one number more.
inline void rank_by_distance(
    const uint64_t* query, double norm, const uint64_t* vectors, const double* norms, size_t bits, size_t n,
    const double* cosines, uint32_t threads, size_t most, std::vector<Ranked>& out) {
    const size_t words = words_of(bits);
    Best<Ranked> best(std::min(most, n));
    scan_rows(n, words + 1, threads, best, [&](size_t from, size_t to, Best<Ranked>& found) {
        uint32_t limit = ANY_BITS;
        look_through(query, vectors, words, from, to, limit, [&](size_t row, uint32_t differ) {
            found.offer({distance_of(differ, norm, norms[row], cosines), uint32_t(row)});
            if (found.is_full()) lower_limit(found.worst().distance, norm, cosines, uint32_t(bits / 2), limit);
        });
    });
    best.sort();
    out.swap(best.items);
}

}  // namespace jubatus
