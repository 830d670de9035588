// Locality-sensitive hashes of sparse vectors: random projections (Charikar 2002) and MinHash (Ioffe 2010, with one bit
// kept of each winner; Li and Koenig 2010). Features are known by the 64-bit FNV-1 hash of their names.
#pragma once
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "convert/vector.h"
#include "kernels/bits.h"
#include "kernels/gaussians.h"
#include "kernels/hash.h"

namespace jubatus {

struct HashedFeature {
    uint64_t hash;
    double value;
};

inline void hash_features(const Vector& v, std::vector<HashedFeature>& out) {
    const size_t n = v.ids.size();
    out.resize(n);
    for (size_t i = 0; i < n; i++) {
        const Feature& f = v.feature(i);
        const Shape& s = v.shapes[f.shape];
        uint64_t hash = fnv1(FNV_OFFSET, f.key, f.key_size);
        hash = fnv1(hash, s.infix.p, s.infix.n);
        hash = fnv1(hash, f.token, f.token_size);
        out[i] = {fnv1(hash, s.suffix.p, s.suffix.n), v.values[i]};
    }
}

// Of the values in their order.
inline double norm_of(const std::vector<HashedFeature>& features) {
    double squares = 0;
    for (const HashedFeature& f : features) squares += f.value * f.value;
    return std::sqrt(squares);
}

// Projects features on n random directions; the numbers of a feature are those of the seed that is its hash.
inline void project_some(const HashedFeature* f, const HashedFeature* end, size_t n, Gaussians& gaussians, float* sums) {
    for (size_t j = 0; j < n; j++) sums[j] = 0;
    for (; f < end; f++) {
        const float value = float(f->value);
        const float* direction = gaussians.of(uint32_t(f->hash), n);
        for (size_t j = 0; j < n; j++) sums[j] = sums[j] + value * direction[j];
    }
}

// The parts of single features are added in `blocks` groups first, as the original's threads do it: that decides how the
// sums are rounded.
inline void project(
    const std::vector<HashedFeature>& features, size_t n, uint32_t blocks, Gaussians& gaussians, std::vector<float>& sums) {
    const size_t count = features.size();
    const HashedFeature *first = features.data(), *end = first + count;
    sums.resize(n);
    if (blocks < 2 || count == 0) return project_some(first, end, n, gaussians, sums.data());
    const size_t step = size_t(std::ceil(float(count) / float(blocks)));
    std::vector<float> part(n);
    sums.assign(n, 0);
    for (; first < end; first += std::min(step, size_t(end - first))) {
        project_some(first, first + std::min(step, size_t(end - first)), n, gaussians, part.data());
        for (size_t j = 0; j < n; j++) sums[j] = sums[j] + part[j];
    }
}

// How many groups a configuration's `threads` makes.
inline uint32_t blocks_of(int32_t threads) { return threads < 0 ? std::thread::hardware_concurrency() : uint32_t(threads); }

// Bit j says whether sum j is positive.
inline void take_signs(const float* sums, size_t n, uint64_t* words) {
    for (size_t at = 0; at < n; at += 64) {
        uint64_t word = 0;
        for (size_t j = at; j < n && j < at + 64; j++) word |= uint64_t(sums[j] > 0) << (j - at);
        *words++ = word;
    }
}

// Mixes three words, in the twelve steps of Jenkins' hash function (1997).
inline void mix_words(uint64_t& a, uint64_t& b, uint64_t& c) {
    a -= b; a -= c; a ^= c >> 43;
    b -= c; b -= a; b ^= a << 9;
    c -= a; c -= b; c ^= b >> 8;
    a -= b; a -= c; a ^= c >> 38;
    b -= c; b -= a; b ^= a << 23;
    c -= a; c -= b; c ^= b >> 5;
    a -= b; a -= c; a ^= c >> 35;
    b -= c; b -= a; b ^= a << 49;
    c -= a; c -= b; c ^= b >> 11;
    a -= b; a -= c; a ^= c >> 12;
    b -= c; b -= a; b ^= a << 18;
    c -= a; c -= b; c ^= b >> 22;
}

// Writes the exponential numbers of the n slots of a feature.
inline void make_exponentials(uint64_t hash, size_t n, float* out) {
    for (size_t j = 0; j < n; j++) {
        uint64_t a = hash, b = j, c = 0xc3a5c85c97cb3127ull;
        mix_words(a, b, c);
        mix_words(a, b, c);
        out[j] = -std::log(float(a) / 18446744073709551616.0f);
    }
}
typedef KeptNumbers<uint64_t, make_exponentials> Exponentials;

// The smallest number so far of each slot, and the lowest bit of the hash of the feature that it came from.
struct Winners {
    std::vector<float> least;
    std::vector<uint32_t> bits;
};

template <class Real>  // float, or double for a quotient that is made in double precision and then rounded
inline void compete(const float* numbers, Real value, uint32_t bit, size_t n, Winners& winners) {
    float* least = winners.least.data();
    uint32_t* bits = winners.bits.data();
    for (size_t j = 0; j < n; j++) {
        const float h = float(numbers[j] / value);
        const bool wins = h < least[j];
        least[j] = wins ? h : least[j];
        bits[j] = wins ? bit : bits[j];
    }
}

// Bit j is that of the feature that wins slot j: the one with the smallest exponential number over its value. Of equal
// ones the first wins.
inline void find_winners(
    const std::vector<HashedFeature>& features, size_t n, bool rounds_late, Exponentials& exponentials, Winners& winners,
    uint64_t* words) {
    winners.least.assign(n, FLT_MAX);
    winners.bits.assign(n, 0);
    for (const HashedFeature& f : features) {
        const float* numbers = exponentials.of(f.hash, n);
        if (rounds_late) compete<double>(numbers, f.value, f.hash & 1, n, winners);
        else compete<float>(numbers, float(f.value), f.hash & 1, n, winners);
    }
    for (size_t at = 0; at < n; at += 64) {
        uint64_t word = 0;
        for (size_t j = at; j < n && j < at + 64; j++) word |= uint64_t(winners.bits[j]) << (j - at);
        *words++ = word;
    }
}

}  // namespace jubatus
