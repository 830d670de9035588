// Vectors of bits in words of 64, and how many bits of two differ (Hamming distance). The instructions are chosen when
// the program runs; all of them give the same numbers.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace jubatus {

inline size_t words_of(size_t bits) { return (bits + 63) / 64; }

// Counts the bits by which a query differs from each of n vectors that follow each other.
typedef void (*CountDifferences)(const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out);

inline void count_differences(const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out) {
    for (size_t i = 0; i < n; i++, vectors += words) {
        uint32_t bits = 0;
        for (size_t k = 0; k < words; k++) bits += uint32_t(__builtin_popcountll(query[k] ^ vectors[k]));
        out[i] = bits;
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("popcnt"))) inline void count_with_popcnt(
    const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out) {
    for (size_t i = 0; i < n; i++, vectors += words) {
        uint64_t bits = 0;
        for (size_t k = 0; k < words; k++) bits += uint64_t(_mm_popcnt_u64(query[k] ^ vectors[k]));
        out[i] = uint32_t(bits);
    }
}

// The bits of each word of four: of each half byte by a table, then added up.
__attribute__((target("avx2"))) inline __m256i count_four(__m256i words) {
    const __m256i of_half = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2,
                                             2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i first = _mm256_shuffle_epi8(of_half, _mm256_and_si256(words, low));
    const __m256i second = _mm256_shuffle_epi8(of_half, _mm256_and_si256(_mm256_srli_epi16(words, 4), low));
    return _mm256_sad_epu8(_mm256_add_epi8(first, second), _mm256_setzero_si256());
}

__attribute__((target("avx2,popcnt"))) inline void count_with_avx2(
    const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out) {
    size_t i = 0;
    if (words == 1) {
        const __m256i wanted = _mm256_set1_epi64x(int64_t(query[0]));
        const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
        for (; i + 4 <= n; i += 4) {
            const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(vectors + i));
            const __m256i bits = _mm256_permutevar8x32_epi32(count_four(_mm256_xor_si256(four, wanted)), even);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_castsi256_si128(bits));
        }
        return count_with_popcnt(query, vectors + i, 1, n - i, out + i);
    }
    const size_t whole = words & ~size_t(3);
    for (; i < n; i++, vectors += words) {
        __m256i sum = _mm256_setzero_si256();
        for (size_t k = 0; k < whole; k += 4) {
            const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + k));
            const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(vectors + k));
            sum = _mm256_add_epi64(sum, count_four(_mm256_xor_si256(a, b)));
        }
        uint64_t bits = uint64_t(_mm256_extract_epi64(sum, 0)) + uint64_t(_mm256_extract_epi64(sum, 1)) +
                        uint64_t(_mm256_extract_epi64(sum, 2)) + uint64_t(_mm256_extract_epi64(sum, 3));
        for (size_t k = whole; k < words; k++) bits += uint64_t(_mm_popcnt_u64(query[k] ^ vectors[k]));
        out[i] = uint32_t(bits);
    }
}

__attribute__((target("avx2,avx512f,avx512vpopcntdq"))) inline void count_with_avx512(
    const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out) {
    if (words == 1) {
        const __m512i wanted = _mm512_set1_epi64(int64_t(query[0]));
        for (size_t i = 0; i < n; i += 8) {
            const __mmask8 there = n - i < 8 ? __mmask8((1 << (n - i)) - 1) : __mmask8(255);
            const __m512i eight = _mm512_maskz_loadu_epi64(there, vectors + i);
            const __m512i bits = _mm512_popcnt_epi64(_mm512_xor_si512(eight, wanted));
            _mm512_mask_cvtepi64_storeu_epi32(out + i, there, bits);
        }
        return;
    }
    for (size_t i = 0; i < n; i++, vectors += words) {
        __m512i sum = _mm512_setzero_si512();
        for (size_t k = 0; k < words; k += 8) {
            const __mmask8 there = words - k < 8 ? __mmask8((1 << (words - k)) - 1) : __mmask8(255);
            const __m512i a = _mm512_maskz_loadu_epi64(there, query + k);
            const __m512i b = _mm512_maskz_loadu_epi64(there, vectors + k);
            sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
        }
        const __m256i four = _mm256_add_epi64(_mm512_maskz_extracti64x4_epi64(255, sum, 0), _mm512_maskz_extracti64x4_epi64(255, sum, 1));
        const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
        out[i] = uint32_t(_mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1));
    }
}
#elif defined(__aarch64__)
inline void count_with_neon(const uint64_t* query, const uint64_t* vectors, size_t words, size_t n, uint32_t* out) {
    for (size_t i = 0; i < n; i++, vectors += words) {
        uint32_t bits = 0;
        size_t k = 0;
        for (; k + 2 <= words; k += 2) {
            const uint64x2_t differ = veorq_u64(vld1q_u64(query + k), vld1q_u64(vectors + k));
            bits += vaddlvq_u8(vcntq_u8(vreinterpretq_u8_u64(differ)));
        }
        if (k < words) bits += vaddlv_u8(vcnt_u8(vcreate_u8(query[k] ^ vectors[k])));
        out[i] = bits;
    }
}
#endif

// What the processor can do, the fastest first; the portable way is always the last.
struct BitKernels {
    CountDifferences ways[4];
    int count = 0;

    BitKernels() {
#if defined(__x86_64__) && defined(__GNUC__)
        const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
        const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq");
        if (has_avx2 && has_avx512) ways[count++] = count_with_avx512;
        if (has_avx2) ways[count++] = count_with_avx2;
        if (__builtin_cpu_supports("popcnt")) ways[count++] = count_with_popcnt;
#elif defined(__aarch64__)
        ways[count++] = count_with_neon;
#endif
        ways[count++] = count_differences;
    }
};
inline const BitKernels& bit_kernels() {
    static const BitKernels kernels;
    return kernels;
}

inline uint32_t hamming(const uint64_t* a, const uint64_t* b, size_t words) {
    uint32_t bits;
    bit_kernels().ways[0](a, b, words, 1, &bits);
    return bits;
}

}  // namespace jubatus
