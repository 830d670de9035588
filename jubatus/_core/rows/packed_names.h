// Names with numbers 0, 1, 2, ... as a model file holds them: `[{name: number}, {number: name}, how many]`.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/bytes.h"

namespace jubatus {

// `name_of(i)` returns the Span of name number i.
template <class F>
inline void write_names(Buffer& out, uint32_t n, F name_of) {
    out.array(3);
    out.map(n);
    for (uint32_t i = 0; i < n; i++) {
        const Span name = name_of(i);
        out.raw(name.p, name.n);
        out.uint(i);
    }
    out.map(n);
    for (uint32_t i = 0; i < n; i++) {
        const Span name = name_of(i);
        out.uint(i);
        out.raw(name.p, name.n);
    }
    out.uint(n);
}

// Reads the names by number. They stay where they are, in the bytes under the cursor.
inline int read_names(Cursor& c, std::vector<Span>& names) {
    uint32_t more = 0, n = 0;
    uint64_t number = 0;
    int status = open_struct(c, 3, more);
    if (status == OK) status = read_map(c, n);
    // A name and its number take two bytes at least.
    if (status == OK && uint64_t(c.end - c.at) < 2 * uint64_t(n)) status = SHORT;
    if (status) return status;
    names.assign(n, Span{nullptr, 0});
    for (uint32_t i = 0; i < n; i++) {
        Span name{nullptr, 0};
        status = read_raw(c, name.p, name.n);
        if (status == OK) status = read_unsigned(c, number);
        if (status) return status;
        if (number >= n || names[number].p) return MISMATCH;
        names[number] = name;
    }
    status = skip(c);
    if (status == OK) status = read_unsigned(c, number);
    if (status) return status;
    return number == n ? close_struct(c, more) : MISMATCH;
}

}  // namespace jubatus
