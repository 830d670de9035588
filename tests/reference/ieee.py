"""Arithmetic as C does it: division by zero, logarithm of zero and overflow give infinities or NaN, never an error."""

import ctypes
import math


def div(a: float, b: float) -> float:
    if b != 0.0:
        return a / b
    if math.isnan(a) or math.isnan(b):
        return a + b
    if a == 0.0:
        return -math.nan  # as x86-64 makes it; the sign is seen where C prints it
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def log(x: float) -> float:
    if x > 0.0:
        return math.log(x)
    return -math.inf if x == 0.0 else math.nan


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def sqrt(x: float) -> float:
    return math.nan if x < 0.0 or math.isnan(x) else math.sqrt(x)


def f32(x: float) -> float:
    """Round to float32; what does not fit becomes infinite."""
    return ctypes.c_float(x).value


def print_g(x: float) -> bytes:
    """Print as C's ``%g`` does, which shows the sign of NaN."""
    return b"-nan" if math.isnan(x) and math.copysign(1.0, x) < 0.0 else b"%g" % x
