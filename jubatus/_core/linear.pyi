"""Weights of a linear model."""

from typing import final

@final
class Storage:
    """The table of weights."""

    def __init__(self, covariant: bool, distributed: bool) -> None: ...
    @property
    def covariant(self) -> bool: ...
    @property
    def distributed(self) -> bool: ...
