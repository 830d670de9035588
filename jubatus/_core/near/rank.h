// The rows that are nearest to a query, found by looking at all of them.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
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
    for (size_t i = 1; i < shares; i++)
        helpers.emplace_back([&, i] { scan(n * i / shares, n * (i + 1) / shares, found[i]); });
    scan(size_t(0), n / shares, best);
    for (std::thread& helper : helpers) helper.join();
    for (const Best<Item>& each : found)
        for (const Item& item : each.items) best.offer(item);
}

// The rows with the fewest bits that differ; of equal ones the first.
inline void rank_by_bits(
    const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t threads, size_t most,
    std::vector<Ranked>& out) {
    Best<uint64_t> best(std::min(most, n));  // bits * 2^32 + row
    scan_rows(n, words, threads, best, [&](size_t from, size_t to, Best<uint64_t>& found) {
        uint32_t bits[SCAN_BLOCK];
        const CountDifferences count = bit_kernels().ways[0];
        for (size_t at = from; at < to; at += SCAN_BLOCK) {
            const size_t some = std::min(SCAN_BLOCK, to - at);
            count(query, vectors + at * words, words, some, bits);
            if (found.is_full()) {
                uint32_t least = bits[0];
                for (size_t i = 1; i < some; i++) least = std::min(least, bits[i]);
                if (least > found.worst() >> 32) continue;
            }
            for (size_t i = 0; i < some; i++) found.offer(uint64_t(bits[i]) << 32 | (at + i));
        }
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

// The rows with the smallest distance; of equal ones the first.
inline void rank_by_distance(
    const uint64_t* query, double norm, const uint64_t* vectors, const double* norms, size_t words, size_t n,
    const double* cosines, uint32_t threads, size_t most, std::vector<Ranked>& out) {
    Best<Ranked> best(std::min(most, n));
    scan_rows(n, words + 3, threads, best, [&](size_t from, size_t to, Best<Ranked>& found) {
        uint32_t bits[SCAN_BLOCK];
        double squares[SCAN_BLOCK];
        const CountDifferences count = bit_kernels().ways[0];
        for (size_t at = from; at < to; at += SCAN_BLOCK) {
            const size_t some = std::min(SCAN_BLOCK, to - at);
            count(query, vectors + at * words, words, some, bits);
            for (size_t i = 0; i < some; i++)  // with cosines[0] = 1 nearly that of bits that are equal, too
                squares[i] = norm * norm + norms[at + i] * norms[at + i] - 2 * norm * norms[at + i] * cosines[bits[i]];
            for (size_t i = 0; i < some; i++) {
                if (found.is_full()) {
                    // Rounding moves a square by less than a few units of the largest number in its sum.
                    const double worst = found.worst().distance, other = norms[at + i];
                    const double slack = 1e-14 * (norm * norm + other * other);
                    if (squares[i] - slack > worst * worst) continue;
                }
                found.offer({distance_of(bits[i], norm, norms[at + i], cosines), uint32_t(at + i)});
            }
        }
    });
    best.sort();
    out.swap(best.items);
}

}  // namespace jubatus
