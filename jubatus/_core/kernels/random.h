// Random numbers of the original: MT19937 (Matsumoto and Nishimura 1998) seeded with one word, and distributions made of
// its words. The same seed gives the same numbers.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>

namespace jubatus {

struct RandomStream {
    // For parameters below 0, which no distribution has, nearly every try may be rejected; then the search ends.
    static const int TRIES = 1 << 20;
    std::mt19937 words;
    bool has_stock = false;
    double stock = 0;  // the second number of the last pair of gaussian

    void seed(uint32_t word) {
        words.seed(word);
        has_stock = false;
    }
    // Uniform in [0, 1), of two words.
    double uniform() {
        uint32_t a = words() >> 5, b = words() >> 6;
        return (a * 67108864.0 + b) * (1.0 / 9007199254740992.0);
    }
    // Uniform among 0 .. n-1.
    uint32_t below(uint32_t n) { return uint32_t(uniform() * n); }
    // Normal with mean 0 and deviation 1 (Box and Muller 1958).
    double gaussian() {
        if (has_stock) {
            has_stock = false;
            return stock;
        }
        double a = 1 - uniform(), b = 1 - uniform();
        double radius = std::sqrt(-2 * std::log(a)), angle = 2 * (4 * std::atan(1.0)) * b;
        stock = radius * std::cos(angle);
        has_stock = true;
        return radius * std::sin(angle);
    }
    // Gamma with scale 1. Up to 1: Ahrens and Dieter 1974, with the original's value of e; above: Marsaglia and Tsang 2000.
    double gamma(double alpha) {
        if (!std::isfinite(alpha)) return NAN;
        return alpha <= 1 ? small_gamma(alpha) : large_gamma(alpha);
    }
    double beta(double alpha, double beta) {
        double x = gamma(alpha), y = gamma(beta);
        return x / (x + y);
    }

    double small_gamma(double alpha) {
        const double e = 2.718281828;
        double c = e / (alpha + e);
        for (int i = 0; i < TRIES; i++) {
            double u = uniform(), v = uniform(), x;
            if (u < c) {
                x = std::pow(u / c, 1 / alpha);
                if (std::log(v) <= -x) return x;
            } else {
                x = -std::log((1 - u) / (c * alpha));
                if (std::log(v) <= (alpha - 1) * std::log(x)) return x;
            }
        }
        return NAN;
    }
    double large_gamma(double alpha) {
        double c1 = alpha - 1.0 / 3, c2 = 1 / std::sqrt(9 * c1);
        for (;;) {
            double z = gaussian();
            if (c2 * z <= -1) continue;
            double t = 1 + c2 * z, nu = t * t * t, u = uniform();
            if (u < 1 - 0.0331 * z * z * z * z || std::log(u) < 0.5 * z * z + c1 * (1 - nu + std::log(nu))) return c1 * nu;
        }
    }
};

}  // namespace jubatus
