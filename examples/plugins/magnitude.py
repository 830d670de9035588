"""A number filter: the order of magnitude of a number, with its sign; for prices, counts and sizes."""

import math

from jubatus.plugins import NumberFilter, Parameters


class Magnitude:
    """Replace x by the logarithm of 1 + abs(x), with the sign of x."""

    def filter(self, number: float) -> float:
        """Return the magnitude."""
        return math.copysign(math.log1p(abs(number)), number)


def create(parameters: Parameters) -> NumberFilter:
    """Take no parameters of its own."""
    return Magnitude()
