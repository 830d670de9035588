"""The text of a message, piece by piece."""

OPEN = "{"
CLOSE = "}"
COLON = ": "
DELIMITER = ", "


class MessageStringGenerator:
    """Builds texts like ``name{field: value, other: value}``."""

    def __init__(self) -> None:
        self._name = ""
        self._fields: list[str] = []
        self._end = ""

    def open(self, typ: str) -> None:
        """Start with the name of the message."""
        self._name = typ + OPEN

    def add(self, key: object, value: object) -> None:
        """Append a field."""
        self._fields.append(f"{key}{COLON}{value}")

    def close(self) -> None:
        """End the message."""
        self._end = CLOSE

    def to_string(self) -> str:
        """Return the text."""
        return self._name + DELIMITER.join(self._fields) + self._end
