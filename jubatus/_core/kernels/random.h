// Random numbers of the original: MT19937 (Matsumoto and Nishimura 1998) seeded with one word, and distributions made of
// its words. The same seed gives the same numbers.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>

#include "kernels/bytes.h"

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

// Where a stream stands, as [words, has_stock, stock]: the standard's text of the generator, and the stock of gaussian.
inline void write_stream(Buffer& out, const RandomStream& stream) {
    std::ostringstream words;
    words << stream.words;
    std::string text = words.str();
    out.array(3);
    out.raw(text.data(), text.size());
    out.boolean(stream.has_stock);
    out.number(stream.stock);
}
inline int read_stream(Cursor& c, RandomStream& stream) {
    std::string text;
    RandomStream read;
    Head h;
    uint32_t n = 0;
    int status = read_array(c, n);
    if (status == OK && n != 3) return MISMATCH;
    if (status == OK) status = read_text(c, text);
    if (status == OK) status = read_head(c, h);
    if (status == OK && h.kind != BOOLEAN) return MISMATCH;
    if (status == OK) status = read_double(c, read.stock);
    if (status) return status;
    std::istringstream words(text);
    words >> read.words;
    if (words.fail()) return MISMATCH;
    read.has_stock = h.value != 0;
    stream = read;
    return OK;
}

}  // namespace jubatus
