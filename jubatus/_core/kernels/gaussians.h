// Normal random numbers of the original: SFMT with period 2^607-1 (Saito and Matsumoto 2008), and the transform of Box and
// Muller (1958) in single precision. The same seed gives the same numbers, bit by bit.
//
// The original makes eight numbers at a time by polynomials (those of Cephes), and the rest of fewer than eight by the
// functions of the C library, so numbers depend in their last bits on how many are wanted.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace jubatus {

struct Sfmt607 {
    static const int WORDS = 20;
    uint32_t state[WORDS];

    explicit Sfmt607(uint32_t seed) {
        state[0] = seed;
        for (uint32_t i = 1; i < WORDS; i++) state[i] = 1812433253u * (state[i - 1] ^ state[i - 1] >> 30) + i;
        const uint32_t parity = (state[0] & 1) ^ (state[3] & 0x5986f054);
        if (!__builtin_parity(parity)) state[0] ^= 1;  // otherwise the period could be shorter
    }
    // Replaces the state by the next words.
    void step() {
        Block c = block(3), d = block(4);
        for (int i = 0; i < 5; i++) {
            const Block a = block(i), b = block((i + 2) % 5);
            const unsigned __int128 whole = static_cast<unsigned __int128>(a.high) << 64 | a.low;
            const unsigned __int128 before = static_cast<unsigned __int128>(c.high) << 64 | c.low;
            const unsigned __int128 left = whole << 24, right = before >> 24;
            const uint64_t most = 0x0007ffff0007ffffull, least = 0xffff8000ffff8000ull;
            Block r;
            r.low = a.low ^ uint64_t(left) ^ (b.low >> 13 & most & 0xef7f3f7dfdff37ffull) ^ uint64_t(right) ^
                    (d.low << 15 & least);
            r.high = a.high ^ uint64_t(left >> 64) ^ (b.high >> 13 & most & 0x7ff7fb2fff777b7dull) ^
                     uint64_t(right >> 64) ^ (d.high << 15 & least);
            state[4 * i] = uint32_t(r.low);
            state[4 * i + 1] = uint32_t(r.low >> 32);
            state[4 * i + 2] = uint32_t(r.high);
            state[4 * i + 3] = uint32_t(r.high >> 32);
            c = d;
            d = r;
        }
    }

  private:
    struct Block {
        uint64_t low, high;
    };
    Block block(int i) const {
        const uint32_t* w = state + 4 * i;
        return {uint64_t(w[1]) << 32 | w[0], uint64_t(w[3]) << 32 | w[2]};
    }
};

// ln(x) for 0 < x <= 1.
inline float log_by_polynomial(float x) {
    int32_t bits;
    memcpy(&bits, &x, 4);
    float e = float((bits >> 23) - 126), m;
    bits = (bits & 0x007fffff) | 0x3f000000;
    memcpy(&m, &bits, 4);
    const bool low = m < 0.707106781186547524f;
    e = e - (low ? 1.0f : 0.0f);
    m = (m - 1.0f) + (low ? m : 0.0f);
    const float z = m * m;
    float y = 7.0376836292e-2f;
    y = y * m + -1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m + -1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m + -1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m + -2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m;
    y = y * z;
    y = y + e * -2.12194440e-4f;
    y = y - z * 0.5f;
    return (m + y) + e * 0.693359375f;
}

// sin(x) and cos(x) for x >= 0.
inline void sine_by_polynomial(float x, float& sine, float& cosine) {
    const int32_t j = (int32_t(x * 1.27323954473516f) + 1) & ~1;
    float y = float(j);
    x = x + y * -0.78515625f;
    x = x + y * -2.4187564849853515625e-4f;
    x = x + y * -3.77489497744594108e-8f;
    const float z = x * x;
    float c = 2.443315711809948e-5f * z + -1.388731625493765e-3f;
    c = c * z + 4.166664568298827e-2f;
    c = c * z * z;
    c = c - z * 0.5f;
    c = c + 1.0f;
    float s = -1.9515295891e-4f * z + 8.3321608736e-3f;
    s = s * z + -1.6666654611e-1f;
    s = s * z;
    s = s * x;
    s = s + x;
    const bool swapped = j & 2;
    const float first = swapped ? c : s, second = swapped ? s : c;
    sine = j & 4 ? -first : first;
    cosine = (j - 2) & 4 ? second : -second;
}

// Writes the first n numbers of a seed.
inline void make_gaussians(uint32_t seed, size_t n, float* out) {
    static const float TURN = 6.28318530717958647692f;
    Sfmt607 words(seed);
    const size_t by_eight = n - n % 8;
    float up[Sfmt607::WORDS / 2], around[Sfmt607::WORDS / 2];
    for (size_t i = 0; i < n;) {
        words.step();
        const int pairs = Sfmt607::WORDS / 2;
        for (int k = 0; k < pairs; k++) {
            up[k] = 1.0f - float(int32_t(words.state[2 * k] >> 8)) * (1.0f / 16777216.0f);
            around[k] = 1.0f - float(int32_t(words.state[2 * k + 1] >> 8)) * (1.0f / 16777216.0f);
        }
        float made[Sfmt607::WORDS];
        for (int k = 0; k < pairs; k++) {
            const float radius = std::sqrt(log_by_polynomial(up[k]) * -2.0f);
            float sine, cosine;
            sine_by_polynomial(around[k] * TURN, sine, cosine);
            made[2 * k] = radius * sine;
            made[2 * k + 1] = radius * cosine;
        }
        for (int k = 0; k < pairs && i + 2 * k < n; k++) {
            if (i + 2 * k < by_eight) continue;
            const float radius = std::sqrt(-2.0f * std::log(up[k])), angle = TURN * around[k];
            made[2 * k] = radius * std::sin(angle);
            made[2 * k + 1] = radius * std::cos(angle);
        }
        const size_t more = n - i < size_t(Sfmt607::WORDS) ? n - i : size_t(Sfmt607::WORDS);
        memcpy(out + i, made, more * sizeof(float));
        i += more;
    }
}

// Keeps the numbers of keys that were used lately, in bounded memory. Each key has one place, which it shares with others;
// the last one that was used is there. `make` writes the first n numbers of a key.
template <class Key, void (*make)(Key key, size_t n, float* out)>
struct KeptNumbers {
    static const size_t MOST = size_t(32) << 20;  // bytes
    size_t length = 0, places = 0;
    std::vector<Key> keys;
    std::vector<uint8_t> is_set;
    float* numbers = nullptr;  // memory that is not used yet costs nothing

    KeptNumbers() {}
    KeptNumbers(const KeptNumbers&) = delete;
    KeptNumbers& operator=(const KeptNumbers&) = delete;
    ~KeptNumbers() { free(numbers); }
    // Returns the first n numbers of a key; they stay until the next call.
    const float* of(Key key, size_t n) {
        if (n != length) start(n);
        const size_t at = (uint64_t(key) * 0x9e3779b97f4a7c15ull >> 32) & (places - 1);
        float* found = numbers + at * length;
        if (!is_set[at] || keys[at] != key) {
            make(key, length, found);
            keys[at] = key;
            is_set[at] = 1;
        }
        return found;
    }

  private:
    void start(size_t n) {
        free(numbers);
        numbers = nullptr;
        length = 0;
        places = 1;
        while (places * 2 * n * sizeof(float) <= MOST && places < size_t(1) << 16) places *= 2;
        keys.assign(places, 0);
        is_set.assign(places, 0);
        numbers = static_cast<float*>(calloc(places * n, sizeof(float)));
        if (!numbers) throw std::bad_alloc();
        length = n;
    }
};
typedef KeptNumbers<uint32_t, make_gaussians> Gaussians;

}  // namespace jubatus
