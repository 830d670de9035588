// CRC-32 (ISO 3309, the one of zlib), eight bytes at a time (Kounavis and Berry 2005).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Continues the CRC of what came before, which is 0 for nothing.
inline uint32_t compute_crc(uint32_t crc, const void* data, size_t size) {
    const uint8_t* p = static_cast<const uint8_t*>(data);
    const uint32_t(*t)[256] = CRC_TABLES.of;
    crc = ~crc;
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
    return ~crc;
}

}  // namespace jubatus
