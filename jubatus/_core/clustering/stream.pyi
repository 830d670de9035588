"""The random numbers of a method or of a compressor, and samples that are drawn with them."""

class Stream:
    """The stream of random numbers of the original.

    Args:
        seed: any integer; its last 32 bits count.
    """

    def __init__(self, seed: int) -> None: ...
    def word(self) -> int:
        """Return 32 bits."""
    def uniform(self) -> float:
        """Return a number in [0, 1)."""
    def below(self, count: int) -> int:
        """Return an integer in 0 .. count - 1; 0 for no count."""

def farthest_first(distances: bytes, count: int) -> list[int]:
    """Return the indexes of the largest distances, at most that many, the largest first; equal ones as in 1.1."""
