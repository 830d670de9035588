"""The random numbers of the original: words of MT19937, and distributions made of them."""

import math

from tests.reference.ieee import div, log


def power(x: float, y: float) -> float:
    """x ** y of C for x from 0 on: what is too large is infinite."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return math.inf
    except ValueError:  # 0 to a negative power
        return math.inf


class MersenneTwister:
    """MT19937 (Matsumoto and Nishimura 1998), seeded with one word."""

    N, M = 624, 397

    def __init__(self, seed: int) -> None:
        state = [seed]
        for i in range(1, self.N):
            last = state[-1]
            state.append((1812433253 * (last ^ last >> 30) + i) & 0xFFFFFFFF)
        self._state = state
        self._at = self.N
        self._stock: float | None = None

    def next_word(self) -> int:
        if self._at == self.N:
            s = self._state
            for k in range(self.N):
                y = (s[k] & 0x80000000) | (s[(k + 1) % self.N] & 0x7FFFFFFF)
                s[k] = s[(k + self.M) % self.N] ^ y >> 1 ^ (0x9908B0DF if y & 1 else 0)
            self._at = 0
        y = self._state[self._at]
        self._at += 1
        y ^= y >> 11
        y ^= y << 7 & 0x9D2C5680
        y ^= y << 15 & 0xEFC60000
        return y ^ y >> 18

    def next_double(self) -> float:
        a, b = self.next_word() >> 5, self.next_word() >> 6
        return (a * 67108864.0 + b) / 9007199254740992.0

    def next_int(self, n: int) -> int:
        return int(self.next_double() * n)

    def next_gaussian(self) -> float:
        """Standard normal, two at a time: the second one waits for the next call."""
        if self._stock is not None:
            stock, self._stock = self._stock, None
            return stock
        first, second = 1 - self.next_double(), 1 - self.next_double()
        radius = math.sqrt(-2 * math.log(first))
        self._stock = radius * math.cos(2 * math.pi * second)
        return radius * math.sin(2 * math.pi * second)

    def next_gamma(self, alpha: float) -> float:
        """Gamma of a shape, with scale 1; NaN for a shape that is no finite number."""
        if not math.isfinite(alpha):
            return math.nan
        return self._small_gamma(alpha) if alpha <= 1 else self._large_gamma(alpha)

    def _small_gamma(self, alpha: float) -> float:
        e = 2.718281828
        c = div(e, alpha + e)
        while True:
            u, v = self.next_double(), self.next_double()
            if u < c:
                x = power(u / c, div(1, alpha))
                limit = -x
            else:
                x = -log((1 - u) / (c * alpha))
                limit = (alpha - 1) * log(x)
            if log(v) <= limit:
                return x

    def _large_gamma(self, alpha: float) -> float:
        c1 = alpha - 1 / 3
        c2 = 1 / math.sqrt(9 * c1)
        while True:
            z = self.next_gaussian()
            if c2 * z <= -1:
                continue
            t = 1 + c2 * z
            nu = t * t * t
            u = self.next_double()
            if u < 1 - 0.0331 * z * z * z * z or log(u) < 0.5 * z * z + c1 * (1 - nu + log(nu)):
                return c1 * nu

    def next_beta(self, alpha: float, beta: float) -> float:
        x = self.next_gamma(alpha)
        y = self.next_gamma(beta)
        return div(x, x + y)
