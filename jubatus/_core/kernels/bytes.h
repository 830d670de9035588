// MessagePack over raw memory: a cursor that reads, a buffer that writes. No Python, no exceptions.
// Reads everything that msgpack-c 0.5.9 reads; writes only the old raw format (no str8, no bin).
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "kernels/pool.h"

namespace jubatus {

struct Span {
    const char* p;
    uint32_t n;
};

struct Cursor {
    const uint8_t* at;
    const uint8_t* end;
};

enum Kind { NIL, BOOLEAN, UINT, NEGATIVE, SINGLE, DOUBLE, RAW, ARRAY, MAP };
enum Status { OK = 0, SHORT = -1, INVALID = -2, MISMATCH = -3, DEEP = -4 };

// The first bytes of an object. `value` depends on the kind: the bits of an integer or a float, a bool, or how many 
// bytes, elements or pairs follow.
struct Head {
    int kind;
    uint64_t value;
};

inline uint64_t big_endian(const uint8_t* p, int size) {
    uint64_t v = 0;
#ifdef __BYTE_ORDER__
    if (size == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(&v, p, 8);
        return __builtin_bswap64(v);
    }
    if (size == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        uint32_t half;
        memcpy(&half, p, 4);
        return __builtin_bswap32(half);
    }
#endif
    for (int i = 0; i < size; i++) v = v << 8 | p[i];
    return v;
}

inline int read_head(Cursor& c, Head& h) {
    if (c.at >= c.end) return SHORT;
    uint8_t b = *c.at;
    int size = 0;
    bool is_signed = false;
    if (b < 0x80) { h = {UINT, b}; c.at++; return OK; }
    if (b < 0x90) { h = {MAP, uint64_t(b & 15)}; c.at++; return OK; }
    if (b < 0xa0) { h = {ARRAY, uint64_t(b & 15)}; c.at++; return OK; }
    if (b < 0xc0) { h = {RAW, uint64_t(b & 31)}; c.at++; return OK; }
    if (b >= 0xe0) { h = {NEGATIVE, uint64_t(int64_t(int8_t(b)))}; c.at++; return OK; }
    switch (b) {
        case 0xc0: h = {NIL, 0}; c.at++; return OK;
        case 0xc2: case 0xc3: h = {BOOLEAN, uint64_t(b & 1)}; c.at++; return OK;
        case 0xc4: case 0xd9: h.kind = RAW; size = 1; break;
        case 0xc5: case 0xda: h.kind = RAW; size = 2; break;
        case 0xc6: case 0xdb: h.kind = RAW; size = 4; break;
        case 0xca: h.kind = SINGLE; size = 4; break;
        case 0xcb: h.kind = DOUBLE; size = 8; break;
        case 0xcc: case 0xcd: case 0xce: case 0xcf: h.kind = UINT; size = 1 << (b - 0xcc); break;
        case 0xd0: case 0xd1: case 0xd2: case 0xd3: is_signed = true; size = 1 << (b - 0xd0); break;
        case 0xdc: h.kind = ARRAY; size = 2; break;
        case 0xdd: h.kind = ARRAY; size = 4; break;
        case 0xde: h.kind = MAP; size = 2; break;
        case 0xdf: h.kind = MAP; size = 4; break;
        default: return INVALID;
    }
    if (c.end - c.at < 1 + size) return SHORT;
    h.value = big_endian(c.at + 1, size);
    if (is_signed) {
        int shift = 64 - 8 * size;
        h.value = uint64_t(int64_t(h.value << shift) >> shift);
        h.kind = int64_t(h.value) < 0 ? NEGATIVE : UINT;
    }
    c.at += 1 + size;
    return OK;
}

inline int read_raw(Cursor& c, const char*& p, uint32_t& n) {
    Head h;
    int status = read_head(c, h);
    if (status) return status;
    if (h.kind != RAW) return MISMATCH;
    if (uint64_t(c.end - c.at) < h.value) return SHORT;
    p = reinterpret_cast<const char*>(c.at);
    n = uint32_t(h.value);
    c.at += h.value;
    return OK;
}

inline int read_count(Cursor& c, int kind, uint32_t& n) {
    Head h;
    int status = read_head(c, h);
    if (status) return status;
    n = uint32_t(h.value);
    return h.kind == kind ? OK : MISMATCH;
}

inline int read_array(Cursor& c, uint32_t& n) { return read_count(c, ARRAY, n); }
inline int read_map(Cursor& c, uint32_t& n) { return read_count(c, MAP, n); }

inline int read_unsigned(Cursor& c, uint64_t& v) {
    Head h;
    int status = read_head(c, h);
    if (status) return status;
    v = h.value;
    return h.kind == UINT ? OK : MISMATCH;
}

inline int read_int32(Cursor& c, int32_t& v) {
    Head h;
    int status = read_head(c, h);
    if (status) return status;
    v = int32_t(uint32_t(h.value));
    return h.kind == (v < 0 ? NEGATIVE : UINT) && h.value == uint64_t(int64_t(v)) ? OK : MISMATCH;
}

// Reads a string; an empty one if there is none.
inline int read_text(Cursor& c, std::string& text) {
    const char* p = nullptr;
    uint32_t n = 0;
    int status = read_raw(c, p, n);
    text.assign(p ? p : "", n);
    return status;
}

// Reads the head of an array of exactly two elements.
inline int read_pair(Cursor& c) {
    uint32_t n = 0;
    int status = read_array(c, n);
    return status == OK && n != 2 ? MISMATCH : status;
}

inline int read_double(Cursor& c, double& v) {
    Head h;
    int status = read_head(c, h);
    if (status) return status;
    if (h.kind == DOUBLE) memcpy(&v, &h.value, 8);
    else if (h.kind == SINGLE) {
        uint32_t bits = uint32_t(h.value);
        float f;
        memcpy(&f, &bits, 4);
        v = f;
    } else if (h.kind == UINT) v = double(h.value);
    else if (h.kind == NEGATIVE) v = double(int64_t(h.value));
    else return MISMATCH;
    return OK;
}

// How far a scan for the end of an object has come. `depth` counts the containers that are open, and `open` says how
// many objects each of them still lacks. A scan that runs out of bytes can go on when more have come.
const int MAX_DEPTH = 256;
struct Scan {
    int depth;
    uint64_t open[MAX_DEPTH];
};

inline void scan_start(Scan& s) { s.depth = 0; }

// Moves the cursor behind the object if all of it is there. Else returns SHORT, with the cursor at the first head or
// raw string that is not complete, or an error.
inline int scan(Scan& s, Cursor& c, int max_depth) {
    Head h;
    for (;;) {
        const uint8_t* start = c.at;
        int status = read_head(c, h);
        if (status) { c.at = start; return status; }
        if (h.kind == RAW) {
            if (uint64_t(c.end - c.at) < h.value) { c.at = start; return SHORT; }
            c.at += h.value;
        } else if (h.kind >= ARRAY) {
            if (s.depth >= max_depth) return DEEP;
            s.open[s.depth++] = h.kind == MAP ? 2 * h.value : h.value;
            if (h.value) continue;
            s.depth--;
        }
        while (s.depth && --s.open[s.depth - 1] == 0) s.depth--;
        if (!s.depth) return OK;
    }
}

inline int skip(Cursor& c) {
    Scan s;
    scan_start(s);
    return scan(s, c, 32 + 1);
}

// Enters a struct, an array of at least `wanted` fields. `more` is how many further fields follow those.
inline int open_struct(Cursor& c, uint32_t wanted, uint32_t& more) {
    uint32_t n = 0;
    int status = read_array(c, n);
    if (status == OK && n < wanted) return MISMATCH;
    more = n - wanted;
    return status;
}
inline int close_struct(Cursor& c, uint32_t more) {
    int status = OK;
    for (; status == OK && more; more--) status = skip(c);
    return status;
}

// A version: a struct of one number.
inline int read_version(Cursor& c, uint64_t& version) {
    uint32_t more = 0;
    int status = open_struct(c, 1, more);
    if (status == OK) status = read_unsigned(c, version);
    return status ? status : close_struct(c, more);
}

// A growing block of bytes. It throws bad_alloc if there is no memory. It may start in memory that it was lent; when
// that is full, it moves to memory of its own.
struct Buffer {
    uint8_t* data = nullptr;
    size_t size = 0, capacity = 0;
    bool lent = false;

    Buffer() {}
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
        if (!lent) free(data);
    }

    // Only an empty buffer may be lent memory.
    void lend(void* memory, size_t room) {
        data = static_cast<uint8_t*>(memory);
        capacity = room;
        lent = true;
    }
    void swap(Buffer& other) {
        std::swap(data, other.data);
        std::swap(size, other.size);
        std::swap(capacity, other.capacity);
        std::swap(lent, other.lent);
    }
    void grow(size_t more) {
        size_t wanted = size + more > 2 * capacity ? size + more : 2 * capacity;
        if (wanted < 256) wanted = 256;
        uint8_t* p = static_cast<uint8_t*>(obtain([&] { return realloc(lent ? nullptr : data, wanted); }));
        if (lent) memcpy(p, data, size);
        lent = false;
        data = p;
        capacity = wanted;
    }
    uint8_t* reserve(size_t more) {
        if (capacity - size < more) grow(more);
        return data + size;
    }
    void append(const void* p, size_t n) {
        if (n) memcpy(reserve(n), p, n);
        size += n;
    }
    void put(uint8_t b, uint64_t v, int bytes) {
        uint8_t* p = reserve(9);
        *p++ = b;
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) *p++ = uint8_t(v >> shift);
        size += 1 + bytes;
    }
    void nil() { put(0xc0, 0, 0); }
    void boolean(bool v) { put(v ? 0xc3 : 0xc2, 0, 0); }
    void uint(uint64_t v) {
        if (v < 0x80) put(uint8_t(v), 0, 0);
        else if (v <= 0xff) put(0xcc, v, 1);
        else if (v <= 0xffff) put(0xcd, v, 2);
        else if (v <= 0xffffffff) put(0xce, v, 4);
        else put(0xcf, v, 8);
    }
    void integer(int64_t v) {
        if (v >= 0) uint(uint64_t(v));
        else if (v >= -32) put(uint8_t(v), 0, 0);
        else if (v >= -0x80) put(0xd0, uint64_t(v), 1);
        else if (v >= -0x8000) put(0xd1, uint64_t(v), 2);
        else if (v >= -0x80000000LL) put(0xd2, uint64_t(v), 4);
        else put(0xd3, uint64_t(v), 8);
    }
    void number(double v) {
        uint64_t bits;
        memcpy(&bits, &v, 8);
        put(0xcb, bits, 8);
    }
    void raw_head(size_t n) {
        if (n < 32) put(uint8_t(0xa0 | n), 0, 0);
        else if (n <= 0xffff) put(0xda, n, 2);
        else put(0xdb, n, 4);
    }
    void raw(const void* p, size_t n) {
        raw_head(n);
        append(p, n);
    }
    void array(size_t n) {
        if (n < 16) put(uint8_t(0x90 | n), 0, 0);
        else if (n <= 0xffff) put(0xdc, n, 2);
        else put(0xdd, n, 4);
    }
    void map(size_t n) {
        if (n < 16) put(uint8_t(0x80 | n), 0, 0);
        else if (n <= 0xffff) put(0xde, n, 2);
        else put(0xdf, n, 4);
    }
};

}  // namespace jubatus
