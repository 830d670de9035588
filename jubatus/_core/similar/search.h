// Searches among rows that are known by a hash: by the bits that differ, or by buckets with multi-probing (Lv et al. 2007).
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <queue>
#include <string>
#include <vector>

#include "kernels/bits.h"
#include "similar/hashed_rows.h"

namespace jubatus::hashed {

struct Found {
    double score;
    uint32_t row;
};

// The memory of a search.
struct Search {
    std::vector<Found> found;  // the result, the best first
    std::vector<uint32_t> differences;
    std::vector<uint32_t> candidates, seen;
    uint32_t round = 0;
    std::vector<float> shifted;
    std::vector<int32_t> base;
};

// Keeps the best `most` items, of which `is_better` tells the order, and sorts them.
template <class Better>
inline void keep_best(std::vector<Found>& items, size_t most, Better is_better) {
    if (items.size() > most) {
        std::nth_element(items.begin(), items.begin() + ptrdiff_t(most), items.end(), is_better);
        items.resize(most);
    }
    std::sort(items.begin(), items.end(), is_better);
}

// Ranks by the share of bits that are equal; of equal shares the row with the greater name comes first.
inline void search_bits(const Rows& rows, const uint64_t* bits, size_t most, Search& s) {
    const size_t n = rows.flags.size();
    s.found.clear();
    if (n == 0 || most == 0) return;
    s.differences.resize(n);
    bit_kernels().ways[0](bits, rows.values.data(), rows.form.words, n, s.differences.data());
    // How many rows there are with so many differences tells up to which number a row may be among the best.
    std::vector<uint32_t> counts(rows.form.bits + 1);
    for (uint32_t at = 0; at < n; at++)
        if (rows.is_visible(at)) counts[s.differences[at]]++;
    size_t limit = 0, held = counts[0];
    while (limit < rows.form.bits && held < most) held += counts[++limit];
    for (uint32_t at = 0; at < n; at++)
        if (s.differences[at] <= limit && rows.is_visible(at)) s.found.push_back({double(s.differences[at]), at});
    keep_best(s.found, most, [&](const Found& a, const Found& b) {
        return a.score != b.score ? a.score < b.score : rows.names.name(a.row) > rows.names.name(b.row);
    });
    const double all = double(rows.form.bits);
    for (Found& each : s.found) each.score = (all - each.score) / all;
}

// The key of the bucket that a list of numbers stands for in a table.
inline uint64_t bucket_key(const int32_t* numbers, size_t n, uint32_t table) {
    uint64_t key = FNV_OFFSET;
    for (size_t i = 0; i <= n; i++) {
        const uint32_t number = i < n ? uint32_t(numbers[i]) : table;
        for (int shift = 0; shift < 32; shift += 8) key = (key * FNV_PRIME) ^ (number >> shift & 255);
    }
    return key;
}

// As x86-64 converts: what does not fit becomes the least number.
inline int32_t floor_of(float value) {
    const float whole = std::floor(value);
    return whole >= -2147483648.0f && whole < 2147483648.0f ? int32_t(whole) : INT32_MIN;
}

// Makes the value of a vector of its projections and its norm. `s.shifted` and `s.base` are left for the probes.
inline void make_value(const Rows& rows, const float* sums, float bin_width, double norm, uint64_t* value, Search& s) {
    const size_t n = rows.form.bits, per_table = n / rows.form.tables;
    s.shifted.resize(n);
    s.base.resize(n);
    memset(value, 0, 8 * rows.form.words);
    for (size_t i = 0; i < n; i++) {
        const float h = sums[i] / bin_width;
        value[i / 64] |= uint64_t(h > 0) << i % 64;
        s.shifted[i] = h + rows.shifts[i];
        s.base[i] = floor_of(s.shifted[i]);
    }
    memcpy(value + rows.form.words, &norm, 8);
    for (size_t t = 0; t < rows.form.tables; t++)
        value[rows.form.words + 1 + t] = bucket_key(&s.base[t * per_table], per_table, uint32_t(t));
}

// The further buckets of a query, those first whose borders are nearest.
class Probes {
  public:
    Probes(const Rows& rows, const Search& s) : per_table(rows.form.bits / rows.form.tables), s(s) {
        moves.resize(rows.form.tables);
        for (uint32_t t = 0; t < moves.size(); t++) {
            for (size_t j = 0; j < per_table; j++) {
                const size_t i = t * per_table + j;
                const float d = s.shifted[i] - float(s.base[i]);
                moves[t].push_back({ordered((1 - d) * (1 - d)), int32_t(j)});
                moves[t].push_back({ordered(d * d), ~int32_t(j)});
            }
            std::sort(moves[t].begin(), moves[t].end());
            waiting.push({moves[t][0].first, t, {0}});
        }
    }
    // Returns whether there is a further bucket; its key is put into `key`.
    bool next(uint64_t& key) {
        if (waiting.empty()) return false;
        const Probe probe = waiting.top();
        waiting.pop();
        const auto& all = moves[probe.table];
        std::vector<int32_t> numbers(s.base.begin() + ptrdiff_t(probe.table * per_table),
                                     s.base.begin() + ptrdiff_t((probe.table + 1) * per_table));
        for (uint32_t i : probe.taken) {
            const int32_t code = all[i].second;
            int32_t& number = numbers[size_t(code < 0 ? ~code : code)];
            number = int32_t(uint32_t(number) + (code < 0 ? ~0u : 1u));
        }
        key = bucket_key(numbers.data(), per_table, probe.table);
        const uint32_t last = probe.taken.back();
        if (last + 1 >= all.size()) return true;
        Probe further = probe;
        further.taken.back() = last + 1;
        further.score = float(double(probe.score) + double(all[last + 1].first - all[last].first));
        waiting.push(further);
        further.taken.back() = last;
        further.taken.push_back(last + 1);
        further.score = float(double(probe.score) + double(all[last + 1].first));
        waiting.push(further);
        return true;
    }

  private:
    static float ordered(float score) { return score == score ? score : INFINITY; }  // NaN has no place in an order
    struct Probe {
        float score;
        uint32_t table;
        std::vector<uint32_t> taken;  // indices of moves
        bool operator<(const Probe& o) const {
            if (score != o.score) return score > o.score;
            return table != o.table ? table > o.table : taken > o.taken;
        }
    };
    size_t per_table;
    const Search& s;
    std::vector<std::vector<std::pair<float, int32_t>>> moves;  // of each table: score, and number up or ~number down
    std::priority_queue<Probe> waiting;
};

inline void add_bucket(const Rows& rows, uint64_t key, Search& s) {
    for (const Buckets* buckets : {&rows.diff, &rows.master})
        if (const std::vector<uint32_t>* bucket = buckets->find(key))
            for (uint32_t row : *bucket)
                if (s.seen[row] != s.round) {
                    s.seen[row] = s.round;
                    s.candidates.push_back(row);
                }
}

// Ranks the rows in the buckets of a value, and in up to `probes` further ones, by the euclidean distance that norms and
// bits tell. No further bucket is looked at when there are as many rows as wanted, gone ones included.
inline void search_buckets(
    const Rows& rows, const uint64_t* value, size_t probes, const double* cosines, size_t most, Search& s) {
    s.found.clear();
    s.candidates.clear();
    if (++s.round == 0 || s.seen.size() < rows.flags.size()) {
        s.seen.assign(rows.flags.size(), 0);
        s.round = 1;
    }
    for (size_t t = 0; t < rows.form.tables; t++) {
        add_bucket(rows, rows.form.keys(value)[t], s);
        if (s.candidates.size() >= most) break;
    }
    if (probes && s.candidates.size() < most) {
        Probes further(rows, s);
        uint64_t key = 0;
        for (size_t i = 0; i < probes && s.candidates.size() < most && further.next(key); i++) add_bucket(rows, key, s);
    }
    const double norm = rows.form.norm(value);
    for (uint32_t row : s.candidates) {
        if (!rows.is_visible(row)) continue;
        const uint64_t* other = rows.value(row);
        const double length = rows.form.norm(other);
        const uint32_t differences = hamming(value, other, rows.form.words);
        const double score = differences == 0 ? -std::fabs(norm - length)
                                              : -std::sqrt(norm * norm + length * length -
                                                           2 * ((length * norm) * cosines[differences]));
        s.found.push_back({score, row});
    }
    keep_best(s.found, most, [](const Found& a, const Found& b) {
        const double x = a.score == a.score ? a.score : -INFINITY, y = b.score == b.score ? b.score : -INFINITY;
        return x != y ? x > y : a.row < b.row;
    });
}

}  // namespace jubatus::hashed
