"""Counting bits that differ gives the same numbers with all instructions."""

from random import Random

import pytest

from jubatus._core.near.memory import differences


@pytest.mark.parametrize("words", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, 8, 9, 100])
def test_all_ways_count_alike(words: int, count: int) -> None:
    random = Random(1000 * words + count)
    query = random.randbytes(8 * words)
    vectors = [random.choice((random.randbytes(8 * words), query, bytes(8 * words))) for _ in range(count)]
    number = int.from_bytes(query, "little")
    want = [(number ^ int.from_bytes(vector, "little")).bit_count() for vector in vectors]
    found = differences(query, b"".join(vectors))
    assert len(found) >= 1
    assert all(counts == want for counts in found)
