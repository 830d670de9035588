import struct

from hypothesis import given
from hypothesis import strategies as st

from jubatus._core.clustering.stream import Stream, farthest_first
from tests.reference import clusters
from tests.reference.random_numbers import MersenneTwister


def test_the_numbers_of_the_original() -> None:
    stream = Stream(0)
    assert [stream.word() for _ in range(3)] == [2357136044, 2546248239, 3071714933]
    assert Stream(-1).word() == Stream(2**32 - 1).word()
    assert Stream(2**32 + 1).word() == Stream(1).word()


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(["word", "uniform", "below"]), max_size=20))
def test_a_stream_goes_on_like_the_slow_one(seed: int, kinds: list[str]) -> None:
    fast, slow = Stream(seed), MersenneTwister(seed)
    for kind in kinds:
        if kind == "word":
            assert fast.word() == slow.next_word()
        elif kind == "uniform":
            assert fast.uniform() == slow.next_double()
        else:
            assert fast.below(7) == slow.next_int(7)
    assert fast.below(0) == slow.next_int(0) == 0


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 2.5]), max_size=40), st.integers(0, 45))
def test_the_farthest_stand_first_and_equal_ones_as_in_the_slow_sort(distances: list[float], count: int) -> None:
    found = farthest_first(struct.pack(f"{len(distances)}d", *distances), count)
    assert found == clusters.farthest_first(distances, count)
    assert [distances[i] for i in found] == sorted(distances, reverse=True)[:count]
