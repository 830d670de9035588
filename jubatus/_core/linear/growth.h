// How much the names of the features of a datum can come to, judged by the sizes of its keys and values alone.
#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/bytes.h"

namespace jubatus {

// What a converter makes of a value at most.
struct Growth {
    uint32_t rules = 0;         // that may take it
    uint32_t affix = 0;         // bytes of a name besides key and token
    uint32_t gram = 1;          // tokens that each of its bytes is in
    uint32_t spacing = 2;       // bytes of it for each token
    uint32_t factor = 1;        // by which filters and plugins lengthen it, as is supposed
    uint32_t combinations = 0;  // rules that join features

    double names(uint32_t key, uint32_t value, double& features) const {
        const double tokens = double(rules) * (double(value) * factor / spacing + 1);
        features += tokens;
        return tokens * (double(key) + affix) + double(rules) * value * factor * gram;
    }
};

// Bytes of names for the datum under the cursor, whose form was checked; moves behind it.
inline double most_names(Cursor& c, const Growth& growth) {
    const uint32_t NUMBER = 24;  // bytes of a printed number
    double bytes = 0, features = 0;
    uint32_t parts = 0;
    read_array(c, parts);
    for (uint32_t part = 0; part < parts; part++) {
        uint32_t pairs = 0;
        if (part > 2) {
            skip(c);
            continue;
        }
        for (read_array(c, pairs); pairs; pairs--) {
            uint32_t two = 0;
            Span key{nullptr, 0}, value{nullptr, NUMBER};
            double number = 0;
            read_array(c, two);
            read_raw(c, key.p, key.n);
            if (part == 1)
                read_double(c, number);
            else
                read_raw(c, value.p, value.n);
            bytes += growth.names(key.n, value.n, features);
        }
    }
    return bytes + growth.combinations * (2 * features * bytes + 16 * features * features);
}

}  // namespace jubatus
