"""A combination feature: the ratio of two numbers, which is not the same in both orders."""

from jubatus.plugins import CombinationFeature, Parameters


class Ratio:
    """Divide the left feature by the right one."""

    commutative = False

    def extract(self, key: str, left: float, right: float) -> list[tuple[str, float]]:
        """Return the ratio. Features of value 0 are dropped before, but a tiny one may be too small to divide by."""
        return [(key, left / right)] if abs(right) > 1e-100 and abs(left) < 1e100 else []


def create(parameters: Parameters) -> CombinationFeature:
    """Take no parameters of its own."""
    return Ratio()
