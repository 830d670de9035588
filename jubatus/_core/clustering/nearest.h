// What the last run of a method found, and which of its centres is nearest to a vector.
#pragma once
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clustering/points.h"
#include "convert/conversion.h"

namespace jubatus {

struct NamedValue {
    std::string_view name;
    double value;
};

typedef std::vector<NamedValue> NamedVector;

// The features of a point. The names point into its content.
inline void read_vector(const Point& point, NamedVector& vector) {
    Cursor c = cursor_of(point.content->features);
    uint32_t n = 0;
    read_array(c, n);
    vector.clear();
    for (; n; n--) {
        const char* p = nullptr;
        uint32_t size = 0;
        double value = 0;
        read_pair(c);
        read_raw(c, p, size);
        read_double(c, value);
        vector.push_back({std::string_view(p, size), value});
    }
}

inline double norm(const NamedVector& v) {
    double sum = 0;
    for (const NamedValue& x : v) sum += x.value * x.value;
    return std::sqrt(sum);
}

inline double euclidean(const NamedVector& a, const NamedVector& b) {
    double sum = 0;
    size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        int side = i == a.size() ? 1 : j == b.size() ? -1 : a[i].name.compare(b[j].name);
        double difference = side < 0 ? a[i].value : side > 0 ? b[j].value : a[i].value - b[j].value;
        i += side <= 0;
        j += side >= 0;
        sum += difference * difference;
    }
    return std::sqrt(sum);
}

inline double cosine(const NamedVector& a, const NamedVector& b, double norm_a, double norm_b) {
    double dot = 0;
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        int side = a[i].name.compare(b[j].name);
        if (side == 0) dot += a[i].value * b[j].value;
        i += side <= 0;
        j += side >= 0;
    }
    if (norm_a == 0 || norm_b == 0) return 1;
    double similarity = dot / norm_a / norm_b;
    return 1 - (similarity < -1 ? -1 : similarity > 1 ? 1 : similarity);
}

// Centres of k-means: the features of each by ascending name.
struct Centers {
    std::vector<std::string> names;
    std::vector<NamedVector> vectors;
    std::vector<double> norms;

    void set(std::vector<std::string>& given, const int64_t* starts, const int32_t* columns, const double* values,
             size_t count) {
        names.swap(given);
        vectors.assign(count, NamedVector());
        norms.clear();
        for (size_t i = 0; i < count; i++) {
            for (int64_t at = starts[i]; at < starts[i + 1]; at++)
                vectors[i].push_back({std::string_view(names[columns[at]]), values[at]});
            norms.push_back(norm(vectors[i]));
        }
    }
    // The nearest one, of equal ones the first; a distance that is no number is never the smallest.
    size_t nearest(const NamedVector& v, bool by_angle) const {
        size_t best = 0;
        double least = DBL_MAX, size = by_angle ? norm(v) : 0;
        for (size_t i = 0; i < vectors.size(); i++) {
            double distance = by_angle ? cosine(v, vectors[i], size, norms[i]) : euclidean(v, vectors[i]);
            if (distance < least) {
                best = i;
                least = distance;
            }
        }
        return best;
    }
};

// Components of a Gaussian mixture: mean, and the covariance as the lower triangle L (below a diagonal of ones) and the
// diagonal D of L D L'. Each matrix is by rows.
struct Mixture {
    std::vector<std::string> names;
    std::unordered_map<std::string_view, size_t> places;
    std::vector<double> means, factors, logs;  // logs: of the determinants
    size_t count = 0;

    void set(std::vector<std::string>& given, const double* mean, const double* factor, const double* log, size_t n) {
        names.swap(given);
        const size_t d = names.size();
        count = n;
        means.assign(mean, mean + n * d);
        factors.assign(factor, factor + n * d * d);
        logs.assign(log, log + n);
        places.clear();
        for (size_t i = 0; i < d; i++) places.emplace(names[i], i);
    }
    // Twice the logarithm of the density, but for a constant. `x` has a value for each name.
    double log_density(size_t c, const std::vector<double>& x, std::vector<double>& y) const {
        const size_t d = names.size();
        const double *mean = means.data() + c * d, *factor = factors.data() + c * d * d;
        double sum = 0;
        y.resize(d);
        for (size_t i = 0; i < d; i++) {
            double rest = x[i] - mean[i];
            for (size_t j = 0; j < i; j++) rest -= factor[i * d + j] * y[j];
            y[i] = rest;
            sum += rest * rest / factor[i * d + i];
        }
        return -0.5 * (logs[c] + sum);
    }
    // The component that is most responsible for a vector; names that it does not know count for nothing.
    size_t nearest(const NamedVector& v) const {
        std::vector<double> x(names.size()), y, densities(count);
        for (const NamedValue& each : v) {
            auto found = places.find(each.name);
            if (found != places.end()) x[found->second] = each.value;
        }
        double highest = -DBL_MAX, sum = 0, most = 0;
        for (size_t c = 0; c < count; c++) {
            densities[c] = log_density(c, x, y);
            if (densities[c] > highest) highest = densities[c];
        }
        for (double density : densities) sum += std::exp(density - highest);
        size_t best = 0;
        for (size_t c = 0; c < count; c++) {
            double part = std::exp(densities[c] - (highest + std::log(sum)));
            if (part > most) {
                best = c;
                most = part;
            }
        }
        return best;
    }
};

// The features of a centre.
inline void name_center(const Centers& centers, size_t i, std::vector<NumberValue>& named) {
    named.clear();
    for (const NamedValue& each : centers.vectors[i])
        named.push_back({{each.name.data(), uint32_t(each.name.size())}, each.value});
}
inline void name_center(const Mixture& mixture, size_t i, std::vector<NumberValue>& named) {
    const size_t d = mixture.names.size();
    named.clear();
    for (size_t j = 0; j < d; j++) {
        const std::string& name = mixture.names[j];
        named.push_back({{name.data(), uint32_t(name.size())}, mixture.means[i * d + j]});
    }
}

}  // namespace jubatus
