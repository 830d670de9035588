// The iteration order of a std::tr1::unordered_set that was made from a list in one go. It has as many buckets as the
// list has elements, rounded up to a prime of a fixed list. A new element is put at the front of its bucket.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/bytes.h"
#include "kernels/chains.h"
#include "kernels/hash.h"

namespace jubatus {

constexpr uint64_t SET_SIZES[] = {
    2,    3,    5,    7,    11,   13,   17,   19,   23,   29,   31,   37,   41,   43,   47,   53,   59,   61,
    67,   71,   73,   79,   83,   89,   97,   103,  109,  113,  127,  137,  139,  149,  157,  167,  179,  193,
    199,  211,  227,  241,  257,  277,  293,  313,  337,  359,  383,  409,  439,  467,  503,  541,  577,  619,
    661,  709,  761,  823,  887,  953,  1031, 1109, 1193, 1289, 1381, 1493, 1613, 1741, 1879, 2029, 2179, 2357,
    2549, 2753, 2971, 3209, 3469, 3739, 4027, 4349, 4703, 5087, 5503, 5953, 6427, 6949, 7517};

// The number of buckets for n elements. Beyond the list the sizes of growing maps do: nothing depends on the order there.
inline uint64_t buckets_of_set(uint64_t n) {
    const uint64_t* found = std::lower_bound(std::begin(SET_SIZES), std::end(SET_SIZES), n);
    if (found != std::end(SET_SIZES)) return *found;
    return *std::lower_bound(std::begin(PRIMES), std::end(PRIMES) - 1, n);
}

// Sorts items, which have names, by the order of such a set.
template <class Item>
void order_as_set(std::vector<Item>& items) {
    const uint64_t buckets = buckets_of_set(items.size());
    std::vector<std::vector<Item>> held(items.empty() ? 0 : buckets);
    for (const Item& item : items) held[fnv1a(item.name.p, item.name.n) % buckets].push_back(item);
    items.clear();
    for (const std::vector<Item>& bucket : held) items.insert(items.end(), bucket.rbegin(), bucket.rend());
}

}  // namespace jubatus
