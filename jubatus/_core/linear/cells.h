// How the part of a diff with the weights is packed:
//   [count, [[[feature, [[label, [weight, covariance, 0]], ...]], ...], [version]]]
// where count is the number of servers whose diffs are in it.
#pragma once
#include <cstdint>
#include <cstring>
#include <deque>

#include "kernels/bytes.h"
#include "kernels/texts.h"

namespace jubatus {

// The most bytes that a row and a cell take when they are packed, without their names.
const size_t ROW_ROOM = 11, CELL_ROOM = 34;

inline uint8_t* put_double(uint8_t* out, double v) {
    uint64_t bits;
    memcpy(&bits, &v, 8);
    bits = __builtin_bswap64(bits);
    *out = 0xcb;
    memcpy(out + 1, &bits, 8);
    return out + 9;
}

// The bytes before the numbers of each cell of a label: [label, [
struct CellHead {
    static const size_t SHORT_SIZE = 16;
    Buffer packed;  // has SHORT_SIZE bytes or more of room, so that put may copy that many

    CellHead(const char* label, size_t n) {
        packed.array(2);
        packed.raw(label, n);
        packed.array(3);
        packed.reserve(SHORT_SIZE);
    }
    uint8_t* put(uint8_t* out) const {
        if (packed.size <= SHORT_SIZE)
            memcpy(out, packed.data, SHORT_SIZE);
        else
            memcpy(out, packed.data, packed.size);
        return out + packed.size;
    }
};

typedef std::deque<CellHead> CellHeads;

inline void copy_name(const Span& name, uint8_t* out) { memcpy(out, name.p, name.n); }
inline void copy_name(const Pieces& name, uint8_t* out) { name.copy_to(reinterpret_cast<char*>(out)); }

// `name` is a Span or Pieces of so many bytes.
template <class Name>
inline void put_row_head(Buffer& out, const Name& name, uint32_t size, uint32_t cells) {
    uint8_t* p = out.reserve(size_t(size) + 16);
    if (size < 32 && cells < 16) {
        p[0] = 0x92;
        p[1] = uint8_t(0xa0 | size);
        copy_name(name, p + 2);
        p[2 + size] = uint8_t(0x90 | cells);
        out.size += 3 + size;
        return;
    }
    out.array(2);
    out.raw_head(size);
    copy_name(name, out.reserve(size));
    out.size += size;
    out.array(cells);
}
inline void put_cell(Buffer& out, const CellHead& head, double weight, double covariance, double spare) {
    uint8_t* start = out.reserve(head.packed.size + CellHead::SHORT_SIZE + 27);
    uint8_t* p = head.put(start);
    p = put_double(p, weight);
    p = put_double(p, covariance);
    out.size += put_double(p, spare) - start;
}
inline void put_diff_end(Buffer& out, uint64_t version) {
    out.array(1);
    out.uint(version);
}

}  // namespace jubatus
