"""Hashes of sparse vectors as the original makes them: random projections and MinHash, in single precision.

A vector is a list of (name, value) in the order of the converter.
"""

import ctypes
import math
import struct
from functools import lru_cache

from tests.reference.ieee import div
from tests.reference.tr1 import FNV_PRIME, FNV_START, MASK, signed_bytes

Vector = list[tuple[bytes, float]]
WORD = 0xFFFFFFFF

_libm = ctypes.CDLL("libm.so.6")
for _name in ("logf", "sinf", "cosf", "sqrtf"):
    _function = getattr(_libm, _name)
    _function.restype, _function.argtypes = ctypes.c_float, [ctypes.c_float]


def f32(x: float) -> float:
    """Round to single precision; what is too large is infinite."""
    try:
        return float(struct.unpack("f", struct.pack("f", x))[0])
    except OverflowError:
        return math.copysign(math.inf, x)


def bits_of(x: float) -> int:
    return int(struct.unpack("I", struct.pack("f", x))[0])


def float_of(bits: int) -> float:
    return float(struct.unpack("f", struct.pack("I", bits))[0])


@lru_cache(maxsize=1 << 14)
def fnv1(text: bytes) -> int:
    """FNV-1 over sign-extended bytes."""
    h = FNV_START
    for c in signed_bytes(text):
        h = (h * FNV_PRIME & MASK) ^ c
    return h


def sfmt607(seed: int, count: int) -> list[int]:
    """The first words of SFMT with period 2**607 - 1, word by word as Saito and Matsumoto (2008) write it."""
    s = [seed]
    for i in range(1, 20):
        s.append((1812433253 * (s[-1] ^ s[-1] >> 30) + i) & WORD)
    if ((s[0] & 1) ^ (s[3] & 0x5986F054)).bit_count() % 2 == 0:
        s[0] ^= 1
    masks = (0xFDFF37FF, 0xEF7F3F7D, 0xFF777B7D, 0x7FF7FB2F)

    def whole(words: list[int]) -> int:
        return sum(word << 32 * i for i, word in enumerate(words))

    def split(x: int) -> list[int]:
        return [x >> 32 * i & WORD for i in range(4)]

    made: list[int] = []
    blocks = [s[4 * i : 4 * i + 4] for i in range(5)]
    while len(made) < count:
        for i in range(5):
            a, b, c, d = blocks[i], blocks[(i + 2) % 5], blocks[(i + 3) % 5], blocks[(i + 4) % 5]
            x, y = split(whole(a) << 24), split(whole(c) >> 24)
            blocks[i] = [
                a[k] ^ x[k] ^ (b[k] >> 13 & masks[k]) ^ y[k] ^ (d[k] << 15 & WORD)
                for k in range(4)
            ]  # fmt: skip
            made += blocks[i]
    return made[:count]


def log_poly(x: float) -> float:
    """ln(x) for 0 < x <= 1 by the polynomial of Cephes."""
    bits = bits_of(x)
    e = float((bits >> 23) - 127 + 1)
    m = float_of(bits & 0x007FFFFF | 0x3F000000)
    if m < f32(0.707106781186547524):
        e -= 1.0
        m = f32(f32(m - 1.0) + m)
    else:
        m = f32(m - 1.0)
    z = f32(m * m)
    y = f32(7.0376836292e-2)
    for c in (-1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
              -2.4999993993e-1, 3.3333331174e-1):  # fmt: skip
        y = f32(f32(y * m) + f32(c))
    y = f32(f32(y * m) * z)
    y = f32(y + f32(e * f32(-2.12194440e-4)))
    y = f32(y - f32(z * 0.5))
    return f32(f32(m + y) + f32(e * f32(0.693359375)))


def sin_cos_poly(x: float) -> tuple[float, float]:
    """Sine and cosine for x >= 0 by the polynomials of Cephes."""
    j = int(f32(x * f32(1.27323954473516))) + 1 & ~1
    y = float(j)
    for c in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8):
        x = f32(x + f32(y * f32(c)))
    z = f32(x * x)
    c = f32(f32(f32(2.443315711809948e-5) * z) + f32(-1.388731625493765e-3))
    c = f32(f32(c * z) + f32(4.166664568298827e-2))
    c = f32(f32(c * z) * z)
    c = f32(f32(c - f32(z * 0.5)) + 1.0)
    s = f32(f32(f32(-1.9515295891e-4) * z) + f32(8.3321608736e-3))
    s = f32(f32(s * z) + f32(-1.6666654611e-1))
    s = f32(f32(f32(s * z) * x) + x)
    sine, cosine = (c, s) if j & 2 else (s, c)
    return (-sine if j & 4 else sine), (cosine if (j - 2) & 4 else -cosine)


TURN = f32(2 * math.pi)


@lru_cache(maxsize=1 << 12)
def gaussians(seed: int, n: int) -> list[float]:
    """The first normal numbers of a seed: full blocks of eight by polynomials, the rest by the C library."""
    words = sfmt607(seed, n + n % 2)
    made: list[float] = []
    for i in range(0, n, 2):
        a = f32(1.0 - f32((words[i] >> 8) * 2.0**-24))
        b = f32(1.0 - f32((words[i + 1] >> 8) * 2.0**-24))
        if i < n - n % 8:
            radius = _libm.sqrtf(f32(log_poly(a) * -2.0))
            sine, cosine = sin_cos_poly(f32(b * TURN))
        else:
            radius = _libm.sqrtf(f32(-2.0 * _libm.logf(a)))
            angle = f32(TURN * b)
            sine, cosine = _libm.sinf(angle), _libm.cosf(angle)
        made += [f32(radius * sine), f32(radius * cosine)]
    return made[:n]


def project(vector: Vector, n: int, threads: int = 0) -> list[float]:
    """The sums of the random directions of the features; of several threads each adds a block of features first."""
    blocks = [vector]
    if threads > 1 and vector:
        size = math.ceil(f32(f32(len(vector)) / f32(threads)))
        blocks = [vector[i : i + size] for i in range(0, len(vector), size)]
    parts = []
    for block in blocks:
        sums = [0.0] * n
        for name, value in block:
            v = f32(value)
            sums = [f32(s + f32(v * r)) for s, r in zip(sums, gaussians(fnv1(name) & WORD, n), strict=True)]
        parts.append(sums)
    if len(parts) == 1:
        return parts[0]
    total = [0.0] * n
    for part in parts:
        total = [f32(t + p) for t, p in zip(total, part, strict=True)]
    return total


def signs(sums: list[float]) -> int:
    """Bit j says whether sum j is positive."""
    return sum(1 << j for j, s in enumerate(sums) if s > 0)


SHIFTS = ((43, 9, 8), (38, 23, 5), (35, 49, 11), (12, 18, 22))


def mix_words(a: int, b: int, c: int) -> tuple[int, int, int]:
    for first, second, third in SHIFTS:
        a = (a - b - c & MASK) ^ c >> first
        b = (b - c - a & MASK) ^ (a << second & MASK)
        c = (c - a - b & MASK) ^ b >> third
    return a, b, c


@lru_cache(maxsize=1 << 14)
def exponential(name: bytes, slot: int) -> float:
    """The exponential number of a feature in a slot."""
    a, _, _ = mix_words(*mix_words(fnv1(name), slot, 0xC3A5C85C97CB3127))
    return f32(-_libm.logf(f32(f32(a) / 2.0**64)))


def minhash(vector: Vector, n: int, rounds_late: bool = False) -> int:
    """Bit j is the lowest bit of the hash of the feature that wins slot j."""
    bits = 0
    for j in range(n):
        least, winner = struct.unpack("f", b"\xff\xff\x7f\x7f")[0], 0
        for name, value in vector:
            h = f32(div(exponential(name, j), value if rounds_late else f32(value)))
            if h < least:
                least, winner = h, fnv1(name)
        bits |= (winner & 1) << j
    return bits


def norm(vector: Vector) -> float:
    total = 0.0
    for _, value in vector:
        total += value * value
    return math.sqrt(total)
