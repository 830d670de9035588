"""Writing of packed values, and of replies."""

class Writer:
    """Write packed values one behind the other."""

    def string(self, v: bytes | str) -> None:
        """Write a string in the old raw format."""
    def integer(self, v: int) -> None:
        """Write an integer in its shortest form."""
    def double(self, v: float) -> None:
        """Write a number as float64."""
    def boolean(self, v: bool) -> None:
        """Write a bool."""
    def nil(self) -> None:
        """Write nil."""
    def array(self, n: int) -> None:
        """Start an array of n values."""
    def map(self, n: int) -> None:
        """Start a map of n pairs."""
    def append(self, packed: bytes) -> None:
        """Write values that are packed already."""
    def pack(self, v: object) -> None:
        """Write a Python value; dicts by ascending key bytes."""
    def getvalue(self) -> bytes:
        """Return all that was written."""

def pack(v: object) -> bytes:
    """Return a value packed."""

def order_of_key(key: object) -> bytes:
    """Return what the keys of a map are sorted by."""

def reply(msgid: int, result: bytes) -> bytes:
    """Return the response that carries a packed result."""

def error_reply(msgid: int, error: int | str | bytes, result: bytes | str | None = None) -> bytes:
    """Return the response that carries an error."""
