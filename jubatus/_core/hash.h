// Hashes of byte strings.
//
// Text: a feature's id is a polynomial over its name's bytes, sum of (s[i] + 1) * B^i mod 2^64. The hash of a
// concatenation follows from the hashes of the parts, so a name is never put together to be hashed. mix() spreads a sum
// over all bits for use in a table.
// fnv1a: 64-bit FNV-1a as std::tr1::hash<std::string> computes it where char is signed: bytes from 0x80 on enter
//   sign-extended. Check: "" -> 14695981039346656037, "abc" -> 16654208175385433931.
// fnv1: 64-bit FNV-1 (multiply first) with the same sign extension. Check: "a" -> 12638153115695167422.
#pragma once
#include <cstddef>
#include <cstdint>

namespace jubatus {

struct Text {
    uint64_t sum;
    uint64_t power;  // B to the length
};

const uint64_t TEXT_BASE = 0x9e6c63d0876a9a35ull;  // odd, 5 mod 8: its powers have the longest period
const Text EMPTY_TEXT = {0, 1};

struct Powers {
    uint64_t of[65];
    constexpr Powers() : of{} {
        of[0] = 1;
        for (int i = 1; i < 65; i++) of[i] = of[i - 1] * TEXT_BASE;
    }
};
constexpr Powers POWERS;

inline Text join(Text a, Text b) { return {a.sum + a.power * b.sum, a.power * b.power}; }

inline Text text(const char* s, size_t n) {
    Text t = EMPTY_TEXT;
    const uint8_t* p = reinterpret_cast<const uint8_t*>(s);
    for (;;) {
        size_t block = n < 64 ? n : 64;
        uint64_t sum = 0;
        for (size_t i = 0; i < block; i++) sum += (uint64_t(p[i]) + 1) * POWERS.of[i];
        t.sum += t.power * sum;
        t.power *= POWERS.of[block];
        n -= block;
        if (!n) return t;
        p += block;
    }
}

inline uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    return x;
}

const uint64_t FNV_OFFSET = 14695981039346656037ull;
const uint64_t FNV_PRIME = 1099511628211ull;

inline uint64_t fnv1a(const char* s, size_t n) {
    uint64_t h = FNV_OFFSET;
    for (size_t i = 0; i < n; i++) h = (h ^ uint64_t(int64_t(int8_t(s[i])))) * FNV_PRIME;
    return h;
}

inline uint64_t fnv1(uint64_t h, const char* s, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h * FNV_PRIME) ^ uint64_t(int64_t(int8_t(s[i])));
    return h;
}

}  // namespace jubatus
