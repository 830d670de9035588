import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubatus._core.clustering import methods
from jubatus._core.clustering.stream import Stream
from tests.reference import clusters
from tests.reference.random_numbers import MersenneTwister

NAMES = [b"c", b"a", b"b", b"d"]
"""Names by column, which are not in ascending order."""


def points_of(rows: list[dict[int, float]], weights: list[float] | None = None) -> methods.Points:
    """Make points of values by column, in the order in which they stand."""
    return methods.Points(
        numpy.cumsum([0, *map(len, rows)]),
        numpy.array([column for row in rows for column in row], numpy.int32),
        numpy.array([value for row in rows for value in row.values()], numpy.float64),
        numpy.array(weights or [1.0] * len(rows)),
        numpy.argsort(numpy.argsort(NAMES)).astype(numpy.int32),
    )


def test_the_worked_example_of_k_means() -> None:
    points = points_of([{0: x} for x in (1.0, 2.0, 10.0, 11.0, 12.0)])
    starts, columns, values = methods.kmeans(points, 2, False, Stream(0))
    assert numpy.frombuffer(starts, numpy.int64).tolist() == [0, 1, 2]
    assert numpy.frombuffer(columns, numpy.int32).tolist() == [0, 0]
    assert numpy.frombuffer(values).tolist() == [1.5, 11.0]


def test_a_sample_is_the_first_index_whose_sum_reaches_the_number() -> None:
    weights = numpy.array([0.0, 1.0, 9.0, 10.0, 11.0])
    assert methods.sample(weights, Stream(0), 1).tolist() == [4]
    assert methods.sample(numpy.zeros(3), Stream(0), 4).tolist() == [0] * 4


def test_points_that_bring_new_columns_lose_what_stands_before_them() -> None:
    data, known = methods._matrix(points_of([{0: 1.0, 1: 2.0, 2: 3.0}, {0: 6.0, 1: 8.0, 3: 7.0}, {0: 5.0, 1: 4.0}, {}]))
    assert known.tolist() == [0, 1, 2, 3]
    assert data.tolist() == [[0, 0, 3, 0], [0, 0, 0, 7], [5, 4, 0, 0], [0, 0, 0, 0]]
    data, known = methods._matrix(points_of([{0: 1.0, 1: 2.0}, {1: 5.0}]))
    assert known.tolist() == [1]
    assert data.tolist() == [[2], [5]]


def test_the_share_that_stays_in_a_round_of_the_first_choice() -> None:
    """Of 1,000 points 184 are left after one round that draws 10 for 100."""
    rest = (1 - math.exp(10 * (math.log(10) - math.log(1000)) / 100)) / 2
    assert rest == pytest.approx(0.18452132775990338)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.integers(0, 3), st.integers(-3, 3).map(float)), st.floats(0.1, 5)), min_size=4
    ),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 99),
)
def test_a_coreset_is_that_of_the_slow_way(
    given: list[tuple[dict[int, float], float]], base: int, by_score: bool, seed: int
) -> None:
    size = 3
    rows = [{column: row[column] for column in sorted(row, key=NAMES.__getitem__)} for row, _ in given]
    points = points_of(rows, [weight for _, weight in given])
    indexes, weights = methods.compress(points, base, size, by_score, Stream(seed))
    slow = [
        clusters.Point(b"%d" % i, weight, sorted([NAMES[column], x] for column, x in row.items()), None)
        for i, (row, weight) in enumerate(given)
    ]
    want = clusters.compress(slow, base, size, by_score, MersenneTwister(seed))
    assert numpy.frombuffer(indexes, numpy.int64).tolist() == [int(point.id) for point in want]
    assert numpy.frombuffer(weights).tolist() == [point.weight for point in want]
    assert len(want) == size
    if min(point.weight for point in want) > 0:
        assert sum(point.weight for point in want) == pytest.approx(sum(weight for _, weight in given))


def test_huge_numbers_are_no_warning() -> None:
    points = points_of([{0: 1e308}, {0: -1e308}, {1: math.inf}, {1: math.nan}])
    methods.kmeans(points, 2, False, Stream(0))
    methods.gmm(points, 2, Stream(0))
    methods.dbscan(points, 1.0, 2, True)
    methods.compress(points, 2, 2, True, Stream(0))
