"""From a packed datum to a feature vector."""

from typing import final

from jubatus._core.rules import ConverterRules

@final
class Converter:
    """Turn datums into feature vectors."""

    def __init__(self, config: object, path: str = "") -> None: ...
    @property
    def rules(self) -> ConverterRules: ...
    def vector(self, datum: bytes, update: bool = False, merge: bool = False) -> list[tuple[bytes, float]]:
        """Convert one packed datum; return its features in vector order."""
