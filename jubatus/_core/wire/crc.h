// CRC-32 (ISO 3309, the one of zlib): by carry-less multiplication where the processor has it (Gopal et al. 2009), else
// eight bytes at a time by tables (Kounavis and Berry 2005).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace jubatus {

struct CrcTables {
    uint32_t of[8][256];

    constexpr CrcTables() : of() {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = byte;
            for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
            of[0][byte] = crc;
        }
        for (int i = 1; i < 8; i++)
            for (uint32_t byte = 0; byte < 256; byte++) of[i][byte] = of[i - 1][byte] >> 8 ^ of[0][of[i - 1][byte] & 0xff];
    }
};

inline constexpr CrcTables CRC_TABLES;

// Here and below a CRC is given and returned inverted.
inline uint32_t crc_by_tables(uint32_t crc, const uint8_t* p, size_t size) {
    const uint32_t(*t)[256] = CRC_TABLES.of;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; size >= 8; size -= 8, p += 8) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + 4, 4);
        a ^= crc;
        crc = t[7][a & 0xff] ^ t[6][a >> 8 & 0xff] ^ t[5][a >> 16 & 0xff] ^ t[4][a >> 24] ^ t[3][b & 0xff] ^
              t[2][b >> 8 & 0xff] ^ t[1][b >> 16 & 0xff] ^ t[0][b >> 24];
    }
#endif
    for (; size; size--) crc = crc >> 8 ^ t[0][(crc ^ *p++) & 0xff];
    return crc;
}

#if defined(__x86_64__)
#define JUBATUS_CLMUL __attribute__((target("pclmul,sse4.1")))

JUBATUS_CLMUL inline __m128i load_16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// Moves 16 bytes on by the distance that the two constants stand for, onto the bytes there.
JUBATUS_CLMUL inline __m128i fold_16(__m128i x, __m128i by, __m128i onto) {
    __m128i low = _mm_clmulepi64_si128(x, by, 0x00), high = _mm_clmulepi64_si128(x, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

// Of 64 bytes or more, a multiple of 16. The constants are powers of x modulo the polynomial, with their bits reversed.
JUBATUS_CLMUL inline uint32_t crc_by_folding(uint32_t crc, const uint8_t* p, size_t size) {
    const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0xccaa009e, 0x1751997d0);
    const __m128i by_8 = _mm_set_epi64x(0, 0x163cd6124), polynomial = _mm_set_epi64x(0x1f7011641, 0x1db710641);
    const __m128i half = _mm_setr_epi32(~0, 0, ~0, 0);
    __m128i x[4], y;
    for (int i = 0; i < 4; i++) x[i] = load_16(p + 16 * i);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(int(crc)));
    for (p += 64, size -= 64; size >= 64; p += 64, size -= 64)
        for (int i = 0; i < 4; i++) x[i] = fold_16(x[i], by_64, load_16(p + 16 * i));
    for (int i = 1; i < 4; i++) x[0] = fold_16(x[0], by_16, x[i]);
    for (; size >= 16; p += 16, size -= 16) x[0] = fold_16(x[0], by_16, load_16(p));
    // From 16 bytes to 8, to 4, and the remainder by two multiplications (Barrett 1986).
    y = _mm_xor_si128(_mm_srli_si128(x[0], 8), _mm_clmulepi64_si128(x[0], by_16, 0x10));
    y = _mm_xor_si128(_mm_srli_si128(y, 4), _mm_clmulepi64_si128(_mm_and_si128(y, half), by_8, 0x00));
    x[0] = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(y, half), polynomial, 0x10), half);
    y = _mm_xor_si128(y, _mm_clmulepi64_si128(x[0], polynomial, 0x00));
    return uint32_t(_mm_extract_epi32(y, 1));
}
#endif

// Continues the CRC of what came before, which is 0 for nothing.
inline uint32_t compute_crc(uint32_t crc, const void* data, size_t size) {
    const uint8_t* p = static_cast<const uint8_t*>(data);
    crc = ~crc;
#if defined(__x86_64__)
    static const bool can_fold = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
    if (size >= 64 && can_fold) {
        crc = crc_by_folding(crc, p, size & ~size_t(15));
        p += size & ~size_t(15);
        size &= 15;
    }
#endif
    return ~crc_by_tables(crc, p, size);
}

}  // namespace jubatus
