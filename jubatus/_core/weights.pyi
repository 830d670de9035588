"""Global weights: document statistics and the weights that follow from them."""

from typing import final

@final
class Counter:
    """A map from names to numbers in two parts, diff and master."""

@final
class WeightManager:
    """Document statistics of a converter."""

    def status(self) -> dict[str, str]:
        """Return the counters that get_status shows."""
