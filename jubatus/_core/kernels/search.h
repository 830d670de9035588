// Which of many words are in a text, as bytes at any place. A table of the pairs of bytes that follow each other in the
// text rules out most words without a search.
#pragma once
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "kernels/bytes.h"

namespace jubatus {

struct SearchedText {
    Span text{nullptr, 0};
    bool has_pairs = false;
    std::bitset<65536> pairs;

    static uint16_t pair(const char* p) { return uint16_t(uint8_t(p[0]) << 8 | uint8_t(p[1])); }

    // Begins with a text. It costs a walk through the text, which is worth it for many words only.
    void start(Span other, bool for_many) {
        text = other;
        has_pairs = for_many;
        if (!for_many) return;
        pairs.reset();
        for (size_t i = 0; i + 1 < text.n; ++i) pairs.set(pair(text.p + i));
    }
    bool has(const std::string& word) const {
        size_t n = word.size();
        if (n > text.n) return false;
        if (has_pairs && n > 1 && !(pairs[pair(word.data())] && pairs[pair(word.data() + n - 2)])) return false;
        return n == 0 || memmem(text.p, text.n, word.data(), n) != nullptr;
    }
};

}  // namespace jubatus
