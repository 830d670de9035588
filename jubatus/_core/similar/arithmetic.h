// Arithmetic with sparse vectors as wholes.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convert/vector.h"
#include "kernels/order.h"
#include "rows/sparse.h"

namespace jubatus {

inline double norm_of(const std::vector<double>& values) {
    double squares = 0;
    for (double value : values) squares += value * value;
    return std::sqrt(squares);
}

using NamedFeatures = std::vector<std::pair<std::string, double>>;

// The features by name, those of one name by value.
inline NamedFeatures sorted_features(const Vector& vector) {
    NamedFeatures features;
    for (size_t i = 0; i < vector.ids.size(); i++) {
        features.emplace_back(std::string(vector.feature(i).name_size, 0), vector.values[i]);
        put_name(&features.back().first[0], vector.feature(i), vector.shapes);
    }
    std::stable_sort(features.begin(), features.end());
    return features;
}

// The cosine of two vectors; 0 if one has no length. Of several features of one name each meets one of the other vector.
inline double cosine_of(const Vector& a, const Vector& b) {
    const double left = norm_of(a.values), right = norm_of(b.values);
    if (left == 0 || right == 0) return 0;
    const NamedFeatures p = sorted_features(a), q = sorted_features(b);
    double sum = 0;
    for (size_t i = 0, j = 0; i < p.size() && j < q.size();) {
        const int order = p[i].first.compare(q[j].first);
        if (order == 0) sum += p[i].second * q[j].second;
        i += order <= 0;
        j += order >= 0;
    }
    return sum / left / right;
}

// Writes the mean of rows, in the order of the names of features. A row that lacks a feature counts with 0. The values
// of a feature are added in ascending order.
inline void average_rows(const SparseRows& raw, const std::vector<const RawRow*>& rows, std::vector<NumberValue>& mean) {
    RawRow cells;
    mean.clear();
    for (const RawRow* row : rows) cells.insert(cells.end(), row->begin(), row->end());
    std::sort(cells.begin(), cells.end(), [](const RawCell& a, const RawCell& b) {
        return a.feature < b.feature || (a.feature == b.feature && a.value < b.value);
    });
    for (size_t i = 0; i < cells.size();) {
        double sum = 0;
        const uint32_t feature = cells[i].feature;
        for (; i < cells.size() && cells[i].feature == feature; i++) sum += cells[i].value;
        mean.push_back({raw.feature_name(feature), sum / double(rows.size())});
    }
    std::sort(mean.begin(), mean.end(), [](const NumberValue& a, const NumberValue& b) {
        return order_of(a.key.p, a.key.n, b.key.p, b.key.n) < 0;
    });
}

// Writes the features of a row in the order of their numbers.
inline void name_row(const SparseRows& raw, const RawRow* row, std::vector<NumberValue>& features) {
    features.clear();
    if (!row) return;
    for (const RawCell& cell : *row) features.push_back({raw.feature_name(cell.feature), cell.value});
}

}  // namespace jubatus
