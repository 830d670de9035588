"""From datums to feature vectors."""

from typing import Any, final

@final
class Converter:
    """Turn datums into feature vectors.

    Args:
        config: the ``converter`` member of a configuration, as parsed JSON.
        path: where it stands in the whole configuration, for the texts of errors.

    Raises:
        ConfigError: for a configuration that cannot be used.
    """

    def __init__(self, config: object, path: str = "") -> None: ...
    @property
    def program(self) -> Any:
        """What the configuration was compiled to."""
    def vector(self, datum: bytes, update: bool = False, merge: bool = False) -> list[tuple[bytes, float]]:
        """Return the features of a packed datum, in vector order, or sorted and merged; update counts the datum.

        Raises:
            BadArguments: the bytes are no datum.
            ModelError: the datum cannot be converted.
        """
