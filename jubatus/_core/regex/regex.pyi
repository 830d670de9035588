"""Regular expressions of converter configs, over bytes."""

from typing import final

@final
class Regex:
    """A compiled expression; several threads may match with it at the same time.

    Args:
        pattern: an expression in Oniguruma's Perl syntax, UTF-8; bytes that are not UTF-8 are taken as they are.
        by_library: whether the library runs it, also if it could be run in linear time.

    Raises:
        ConfigError: the expression is wrong.
    """

    def __init__(self, pattern: bytes, by_library: bool = False) -> None: ...
    @property
    def pattern(self) -> bytes:
        """The source text."""
    @property
    def groups(self) -> int:
        """How many capture groups the expression has, without group 0."""
    @property
    def slots(self) -> int:
        """How many groups ``match_at`` wants room for, so that it need not allocate."""
    def match(self, text: bytes, at: int = 0) -> list[tuple[int, int]] | None:
        """Match at one byte offset exactly; the match need not reach the end of the text.

        Returns the byte span of each group, group 0 first, (-1, -1) for a group that took no part, or None.

        Raises:
            ValueError: `at` is outside the text.
            RuntimeError: it takes too many steps or too much memory.
        """
    def find(self, text: bytes) -> tuple[list[list[tuple[int, int]]], int]:
        """Find all matches one behind the other; return the spans of the groups of each, and the steps it took.

        Raises:
            RuntimeError: it takes too many steps or too much memory.
        """
    def accepts(self, source: bytes) -> bytes:
        """Return for each first byte of a character whether an expression for one character takes it.

        0 is no, 1 is yes; anything else depends on the other bytes.
        """
    @property
    def linear(self) -> bool:
        """Whether it is run in linear time."""
    @property
    def cost(self) -> int:
        """About how many nanoseconds a byte of a text may take."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
