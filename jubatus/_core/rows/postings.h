// The postings of a feature: the columns that have it, with their values. And what a query does with them: it adds up
// products for all columns, and keeps the best scores.
//
// A feature that many columns have keeps a value for each of them, others included. There +0.0 says that a column does
// not have the feature; a zero that a column does have is stored as -0.0. So a query multiplies and adds without asking,
// because a sum that starts at +0.0 is never changed by a zero of any sign.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace jubatus::inverted {

inline bool is_absent(double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    return bits == 0;
}
inline double stored(double value) { return value == 0 ? -0.0 : value; }
inline double given_back(double value) { return value == 0 ? 0.0 : value; }

struct Postings {
    static constexpr uint32_t FEW = 64;
    std::vector<uint32_t> columns;  // ascending; none if dense
    std::vector<double> values;     // by the place in `columns`, or by column if dense
    uint32_t count = 0;
    bool dense = false;

    double* find(uint32_t column) {
        if (dense) return column < values.size() && !is_absent(values[column]) ? &values[column] : nullptr;
        if (columns.empty() || columns.back() < column) return nullptr;
        const size_t at = place(column);
        return columns[at] == column ? &values[at] : nullptr;
    }
    const double* find(uint32_t column) const { return const_cast<Postings*>(this)->find(column); }
    void set(uint32_t column, double value) {
        value = stored(value);
        if (double* known = find(column)) {
            *known = value;
            return;
        }
        count++;
        if (dense) {
            if (column >= values.size()) values.resize(column + 1);
            values[column] = value;
            if (values.size() > 4 * size_t(count)) spread(false);
            return;
        }
        const size_t at = columns.empty() || columns.back() < column ? columns.size() : place(column);
        columns.insert(columns.begin() + ptrdiff_t(at), column);
        values.insert(values.begin() + ptrdiff_t(at), value);
        if (count >= FEW && columns.back() < 2 * size_t(count)) spread(true);
    }
    bool erase(uint32_t column) {
        double* known = find(column);
        if (!known) return false;
        count--;
        if (dense) {
            *known = 0.0;
            if (values.size() > 4 * size_t(count) + FEW) spread(false);
            return true;
        }
        const ptrdiff_t at = known - values.data();
        columns.erase(columns.begin() + at);
        values.erase(values.begin() + at);
        return true;
    }
    // Calls f(column, value) by ascending column.
    template <class F>
    void each(F f) const {
        for (size_t i = 0; i < values.size(); i++)
            if (!dense || !is_absent(values[i])) f(dense ? uint32_t(i) : columns[i], given_back(values[i]));
    }
    // The columns get other numbers, number[c] instead of c, in the same order.
    void renumber(const std::vector<uint32_t>& number) {
        Postings moved;
        each([&](uint32_t c, double value) { moved.set(number[c], value); });
        *this = std::move(moved);
    }

  private:
    size_t place(uint32_t column) const {
        return size_t(std::lower_bound(columns.begin(), columns.end(), column) - columns.begin());
    }
    void spread(bool wanted) {
        std::vector<uint32_t> new_columns;
        std::vector<double> new_values;
        if (wanted) new_values.resize(columns.back() + 1);
        for (size_t i = 0; i < values.size(); i++) {
            if (wanted) {
                new_values[columns[i]] = values[i];
            } else if (!is_absent(values[i])) {
                new_columns.push_back(uint32_t(i));
                new_values.push_back(values[i]);
            }
        }
        columns.swap(new_columns);
        values.swap(new_values);
        dense = wanted;
    }
};

// One list of a query, with the value of the query's feature.
struct Factor {
    const Postings* postings;
    double value;
};

// Adds the products of four dense lists to the sums of the first n columns, one list after the other.
inline void add_four(double* sums, const Factor* f, size_t from, size_t n) {
    const double *a = f[0].postings->values.data(), *b = f[1].postings->values.data();
    const double *c = f[2].postings->values.data(), *d = f[3].postings->values.data();
    const double p = f[0].value, q = f[1].value, r = f[2].value, s = f[3].value;
    for (size_t i = from; i < n; i++) sums[i] = (((sums[i] + a[i] * p) + b[i] * q) + c[i] * r) + d[i] * s;
}

#if defined(__x86_64__) && defined(__GNUC__)
// The same, four columns at a time. Each product and each sum is rounded as in the function above.
__attribute__((target("avx2"))) inline void add_four_wide(double* sums, const Factor* f, size_t n) {
    const double *a = f[0].postings->values.data(), *b = f[1].postings->values.data();
    const double *c = f[2].postings->values.data(), *d = f[3].postings->values.data();
    const __m256d p = _mm256_set1_pd(f[0].value), q = _mm256_set1_pd(f[1].value);
    const __m256d r = _mm256_set1_pd(f[2].value), s = _mm256_set1_pd(f[3].value);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        __m256d sum = _mm256_loadu_pd(sums + i);
        sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_loadu_pd(a + i), p));
        sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_loadu_pd(b + i), q));
        sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_loadu_pd(c + i), r));
        sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_loadu_pd(d + i), s));
        _mm256_storeu_pd(sums + i, sum);
    }
    add_four(sums, f, i, n);
}
inline bool has_avx2() {
    static const bool has = __builtin_cpu_supports("avx2");
    return has;
}
#else
inline void add_four_wide(double*, const Factor*, size_t) {}
inline bool has_avx2() { return false; }
#endif

// Adds the products of one list from column `from` on.
inline void add_one(double* sums, const Factor& f, size_t from) {
    const Postings& list = *f.postings;
    const double* values = list.values.data();
    const size_t n = list.values.size();
    if (!std::isfinite(f.value)) {  // a product with 0 would be no zero
        for (size_t i = from; i < n; i++)
            if (values[i] != 0) sums[list.dense ? i : list.columns[i]] += values[i] * f.value;
    } else if (list.dense) {
        for (size_t i = from; i < n; i++) sums[i] += values[i] * f.value;
    } else {
        for (size_t i = 0; i < n; i++) sums[list.columns[i]] += values[i] * f.value;
    }
}

inline bool is_plain(const Factor& f) { return f.postings->dense && std::isfinite(f.value); }

// Adds the products of all lists, for each column in the order of the lists.
inline void add_all(std::vector<double>& sums, const std::vector<Factor>& factors) {
    for (size_t i = 0; i < factors.size();) {
        size_t n = sums.size(), group = 0;
        for (; group < 4 && i + group < factors.size() && is_plain(factors[i + group]); group++)
            n = std::min(n, factors[i + group].postings->values.size());
        if (group < 4) {
            add_one(sums.data(), factors[i++], 0);
            continue;
        }
        if (has_avx2())
            add_four_wide(sums.data(), &factors[i], n);
        else
            add_four(sums.data(), &factors[i], 0, n);
        for (size_t k = i; k < i + 4; k++) add_one(sums.data(), factors[k], n);
        i += 4;
    }
}

struct Ranked {
    double score;
    uint32_t column;
};

// The order of results: the higher score, of equal ones the later column.
inline bool is_better(const Ranked& a, const Ranked& b) {
    return a.score > b.score || (a.score == b.score && a.column > b.column);
}

// The best `most` of many; at least one is wanted.
struct Best {
    std::vector<Ranked> items;  // a heap, the worst one first, once it is full
    size_t most = 0;

    void start(size_t wanted) {
        items.clear();
        most = wanted;
    }
    bool is_full() const { return items.size() >= most; }
    double worst() const { return items[0].score; }
    // Returns whether it was taken. NaN counts as the least score, minus infinity.
    bool offer(double score, uint32_t column) {
        const Ranked item{score == score ? score : -INFINITY, column};
        if (is_full()) {
            if (!is_better(item, items[0])) return false;
            std::pop_heap(items.begin(), items.end(), is_better);
            items.back() = item;
            std::push_heap(items.begin(), items.end(), is_better);
            return true;
        }
        items.push_back(item);
        if (is_full()) std::make_heap(items.begin(), items.end(), is_better);
        return true;
    }
    void finish() { std::sort(items.begin(), items.end(), is_better); }
};

}  // namespace jubatus::inverted
