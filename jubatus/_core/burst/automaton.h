// Bursts in counted batches: the automaton of two states of J. Kleinberg, "Bursty and Hierarchical Structure in Streams"
// (2002), section 4, "Enumerating bursts". In state 0 a document is relevant with the probability of the whole window, in
// state 1 with one that is higher by a factor.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace jubatus {

struct Batch {
    int32_t all, relevant;  // documents
};

// log of n! in the values of the C library, small ones from a table.
inline double log_factorial(int32_t n) {
    static const std::vector<double> table = [] {
        std::vector<double> made(4096);
        int sign;
        for (size_t i = 0; i < made.size(); ++i) made[i] = lgamma_r(double(i) + 1, &sign);
        return made;
    }();
    int sign;
    return size_t(n) < table.size() ? table[size_t(n)] : lgamma_r(double(n) + 1, &sign);
}

struct Automaton {
    double scaling;  // of the probability in state 1
    double gamma;    // of the cost of going up
    double costcut;  // a batch with a higher difference of costs is in state 0

    std::vector<double> costs[2];           // of each batch in each state
    std::vector<unsigned char> before[2];   // the best state of the batch before
    double threshold, up;

    Automaton(double scaling, double gamma, double costcut) : scaling(scaling), gamma(gamma), costcut(costcut) {}

    // Finds how strong the burst is in each batch.
    // weights: on entry those of the first batches, which a window before had already, at most all; on return those of
    // all.
    void run(const std::vector<Batch>& batches, std::vector<double>& weights) {
        size_t n = batches.size(), known = weights.size();
        if (n == 0) return;
        uint32_t all = 0, relevant = 0;
        for (const Batch& batch : batches) all += uint32_t(batch.all), relevant += uint32_t(batch.relevant);
        double p0 = double(int32_t(relevant)) / double(int32_t(all)), p1 = scaling * p0;
        if (p1 > 1 || p0 == 0) {
            weights.resize(n, p1 > 1 ? std::numeric_limits<double>::infinity() : 0);
            return;
        }
        fill_costs(batches, p0, p1);
        threshold = costcut * std::log(double(n));
        up = gamma * std::log(double(n));
        bool is_up = known && weights.back() > 0;
        for (size_t i = 0; i < known; ++i)
            if (weights[i] > 0) weights[i] = gain(i);
        weights.resize(n, 0);
        int state = follow(batches, known, is_up);
        for (size_t i = n; i-- > known; state = before[state][i])
            weights[i] = state ? gain(i) : 0;
    }

private:
    double gain(size_t i) const {
        double better = costs[0][i] - costs[1][i];
        return better > 0 ? better : 0;  // 0 for NaN
    }
    bool falls(const std::vector<Batch>& batches, size_t i) const {
        return batches[i].all == 0 || costs[1][i] - costs[0][i] > threshold;
    }
    void fill_costs(const std::vector<Batch>& batches, double p0, double p1) {
        double yes[] = {std::log(p0), std::log(p1)}, no[] = {std::log(1 - p0), std::log(1 - p1)};
        for (int state = 0; state < 2; ++state) costs[state].resize(batches.size());
        for (size_t i = 0; i < batches.size(); ++i) {
            int32_t d = batches[i].all, r = batches[i].relevant, rest = int32_t(uint32_t(d) - uint32_t(r));
            double choose = log_factorial(d) - log_factorial(r) - log_factorial(rest);
            for (int state = 0; state < 2; ++state)
                costs[state][i] = -(choose + double(r) * yes[state] + double(rest) * no[state]);
        }
    }
    // Goes through the batches from one on; returns the best last state.
    int follow(const std::vector<Batch>& batches, size_t from, bool is_up) {
        double inf = std::numeric_limits<double>::infinity();
        double sum[] = {is_up ? inf : 0, is_up ? 0 : inf};
        size_t n = batches.size();
        for (int state = 0; state < 2; ++state) before[state].assign(n, 0);
        for (size_t i = from; i < n; ++i) {
            bool fallen = i && falls(batches, i - 1);
            double next[2];
            for (int state = 0; state < 2; ++state) {
                double from0 = sum[0] + (state ? up : 0), from1 = sum[1];
                bool one = !fallen && from1 < from0;
                before[state][i] = one;
                next[state] = (one ? from1 : from0) + costs[state][i];
            }
            sum[0] = next[0], sum[1] = next[1];
        }
        return !(falls(batches, n - 1) || sum[0] <= sum[1]);
    }
};

}  // namespace jubatus
