"""Regular expressions of converter configs, over bytes."""

from typing import final

@final
class Regex:
    """A compiled expression; several threads may match with it at the same time.

    Args:
        pattern: an expression in Oniguruma's Perl syntax, UTF-8; bytes that are not UTF-8 are taken as they are.

    Raises:
        ConfigError: the expression is wrong.
    """

    def __init__(self, pattern: bytes) -> None: ...
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
            RuntimeError: the library gave up (a limit on backtracking or memory).
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
