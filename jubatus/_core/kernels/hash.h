// Hashes of byte strings.
//
// name_id: the id of a feature by its name. A name `key$token@rest` is cut at the first `$` and the last `@` behind it,
//   and its parts are hashed one by one. So a converter hashes key and rest once, and then only each token. Any other
//   name is hashed whole. Each step multiplies two numbers of 64 bits and joins the halves of the product.
// fnv1a: 64-bit FNV-1a as std::tr1::hash<std::string> computes it where char is signed: bytes from 0x80 on enter
//   sign-extended. Check: "" -> 14695981039346656037, "abc" -> 16654208175385433931.
// fnv1: 64-bit FNV-1 (multiply first) with the same sign extension. Check: "a" -> 12638153115695167422.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace jubatus {

const uint64_t SALT[4] = {0x9e6c63d0876a9a35ull, 0xd6e8feb86659fd93ull, 0xa0761d6478bd642full, 0xe7037ed1a0b428dbull};

inline uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 p = static_cast<unsigned __int128>(a) * b;
    return uint64_t(p) ^ uint64_t(p >> 64);
}

inline uint64_t load(const char* p, int size) {
    uint64_t v = 0;
    memcpy(&v, p, size);
    return v;
}

// Ends the hash of a part with its last word, of which `n` bytes (up to 8) belong to the part.
inline uint64_t end_part(uint64_t h, uint64_t word, size_t n) { return fold(h ^ word ^ SALT[0], SALT[1] + n); }

inline uint64_t hash_part(const char* p, size_t n) {
    uint64_t h = n;
    for (; n > 8; p += 8, n -= 8) h = fold(h ^ load(p, 8) ^ SALT[2], SALT[3]);
    if (n == 8) return end_part(h, load(p, 8), 8);
    uint64_t word = 0;
    if (n >= 4)
        word = load(p, 4) | load(p + n - 4, 4) << (8 * (n - 4));
    else
        for (size_t i = 0; i < n; i++) word |= uint64_t(uint8_t(p[i])) << (8 * i);
    return end_part(h, word, n);
}

// The same for a part of 1 to 8 bytes. 8 bytes must be readable from its start on.
inline uint64_t hash_short_part(const char* p, size_t n) {
    return end_part(n, load(p, 8) & (~uint64_t(0) >> (64 - 8 * n)), n);
}

// The id from the hashes of key, token and rest. The first two functions do not need the token, so that a converter
// calls them once.
inline uint64_t spread_key(uint64_t key) { return fold(key ^ SALT[1], SALT[2]); }
inline uint64_t spread_rest(uint64_t rest) { return rest | 1; }
inline uint64_t join_id(uint64_t spread_key, uint64_t token, uint64_t spread_rest) {
    return fold(token ^ spread_key, spread_rest ^ SALT[3]);
}

inline uint64_t name_id(const char* p, size_t n) {
    const char* dollar = static_cast<const char*>(memchr(p, '$', n));
    if (dollar) {
        const char* at = p + n - 1;
        while (at > dollar && *at != '@') at--;
        if (at > dollar)
            return join_id(spread_key(hash_part(p, dollar - p)), hash_part(dollar + 1, at - dollar - 1),
                           spread_rest(hash_part(at, p + n - at)));
    }
    return join_id(SALT[3], hash_part(p, n), SALT[1]);
}

const uint64_t FNV_OFFSET = 14695981039346656037ull;
const uint64_t FNV_PRIME = 1099511628211ull;

inline uint64_t fnv1a_step(uint64_t h, char c) { return (h ^ uint64_t(int64_t(int8_t(c)))) * FNV_PRIME; }
inline uint64_t fnv1a(const char* s, size_t n, uint64_t h = FNV_OFFSET) {
    for (size_t i = 0; i < n; i++) h = fnv1a_step(h, s[i]);
    return h;
}

inline uint64_t fnv1(uint64_t h, const char* s, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h * FNV_PRIME) ^ uint64_t(int64_t(int8_t(s[i])));
    return h;
}

}  // namespace jubatus
