"""A number feature: the place in a cycle, such as the hour of a day, of which the end lies beside the beginning."""

import math

from jubatus.errors import ConfigError
from jubatus.plugins import NumberFeature, Parameters


class Cycle:
    """Make the two coordinates of a place on a circle."""

    def __init__(self, period: float) -> None:
        self.period = period

    def extract(self, key: str, number: float) -> list[tuple[str, float]]:
        """Return sine and cosine."""
        angle = math.fmod(number, self.period) / self.period * 2 * math.pi
        return [(f"{key}#sin", math.sin(angle)), (f"{key}#cos", math.cos(angle))]


def create(parameters: Parameters) -> NumberFeature:
    """Take ``period``, the length of a cycle (default 24)."""
    period = float(parameters.get("period", "24"))
    if not (period > 0 and math.isfinite(period)):
        raise ConfigError(f"period must be positive: {period}")
    return Cycle(period)
