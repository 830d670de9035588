// The memory that a call needs to hash vectors and to rank rows.
#pragma once
#include <cstdint>
#include <vector>

#include "near/hashes.h"
#include "near/rank.h"

namespace jubatus {

struct NearMemory {
    std::vector<HashedFeature> features;
    Gaussians gaussians;
    Exponentials exponentials;
    Winners winners;
    std::vector<float> sums;
    std::vector<uint64_t> words;  // the hash of the vector
    double norm = 0;
    std::vector<Ranked> ranked;
};

}  // namespace jubatus
