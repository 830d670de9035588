import math
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubatus._core import dense
from tests.reference import clusters

NAMES = [b"a", b"b", b"c", b"d", b"e"]
vectors = st.dictionaries(st.sampled_from(NAMES), st.floats(-10, 10) | st.just(0.0))


def rows(given: list[clusters.Vector]) -> dense.Rows:
    entries = [[(NAMES.index(name), vector[name]) for name in sorted(vector)] for vector in given]
    flat = [entry for row in entries for entry in row]
    starts = numpy.cumsum([0, *map(len, entries)])
    return starts, numpy.array([c for c, _ in flat], numpy.int32), numpy.array([x for _, x in flat], numpy.float64)


@given(vectors, vectors)
def test_distances_are_those_of_the_slow_way(a: clusters.Vector, b: clusters.Vector) -> None:
    left, right = rows([a]), rows([b])
    assert dense.euclidean(left, 0, right, 0) == clusters.euclidean(a, b)
    sizes = dense.norm(left, 0), dense.norm(right, 0)
    assert dense.cosine(left, 0, sizes[0], right, 0, sizes[1]) == clusters.cosine(a, b)


def test_of_equal_distances_the_first_counts_and_no_number_never_does() -> None:
    points = rows([{b"a": 1.0}, {b"a": math.nan}])
    centers = rows([{b"a": math.nan}, {b"a": 0.0}, {b"a": 2.0}])
    indexes, distances = dense.nearest(points, dense.norms(points), centers, dense.norms(centers), False)
    assert indexes.tolist() == [1, 0]
    assert distances.tolist() == [1.0, dense.FARTHEST]


@given(st.lists(vectors, min_size=1, max_size=5), st.lists(vectors, min_size=4, max_size=6))
def test_full_rows_have_the_same_nearest_centres(points: list[clusters.Vector], centers: list[clusters.Vector]) -> None:
    full = [dict.fromkeys(NAMES, 0.0) | center for center in centers]
    for some in (centers, full):
        left, right = rows(points), rows(some)
        indexes, distances = dense.nearest(left, dense.norms(left), right, dense.norms(right), False)
        want = [clusters.nearest(point, some, clusters.euclidean) for point in points]
        assert list(zip(indexes.tolist(), distances.tolist(), strict=True)) == want


def test_a_centre_without_weight_stays() -> None:
    points = rows([{b"a": 1.0}, {b"a": 3.0, b"c": 1.0}])
    centers = rows([{b"b": 5.0}, {b"a": 2.0}])
    moved = dense.means(points, numpy.array([1.0, 3.0]), numpy.array([1, 1]), centers, 5)
    assert [part.tolist() for part in moved] == [[0, 1, 3], [1, 0, 2], [5.0, 2.5, 0.75]]


@pytest.mark.parametrize("by_angle", [False, True])
@pytest.mark.parametrize("value", [0.0, 1e308, math.nan, math.inf])
def test_k_means_ends_with_any_numbers(value: float, by_angle: bool) -> None:
    points = rows([{b"a": value}, {b"a": 1.0}, {b"b": -value}, {}])
    centers = rows([{b"a": value}, {}])
    found: Any = dense.lloyd(points, numpy.ones(4), centers, by_angle, 5, 10**9)
    assert len(found[0]) == 3


@given(st.integers(1, 6), st.integers(0, 1000))
def test_a_factored_matrix_is_the_matrix(width: int, seed: int) -> None:
    random = numpy.random.default_rng(seed)
    half = random.normal(size=(width, width))
    matrix = half @ half.T + 0.1 * numpy.eye(width)
    factored = matrix.copy()
    logarithm = dense.factor(factored)
    lower = numpy.tril(factored, -1) + numpy.eye(width)
    assert numpy.allclose(lower @ numpy.diag(factored.diagonal()) @ lower.T, matrix)
    assert math.isclose(logarithm, numpy.linalg.slogdet(matrix)[1], abs_tol=1e-9)
    points, mean = random.normal(size=(7, width)), random.normal(size=width)
    away = points - mean
    want = -0.5 * (logarithm + (away * numpy.linalg.solve(matrix, away.T).T).sum(1))
    assert numpy.allclose(dense.log_densities(points.T.copy(), mean, factored, logarithm), want)


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2), min_size=1, max_size=5))
def test_the_shares_of_the_components_add_up(densities: list[list[float]]) -> None:
    shares = numpy.array(densities)
    dense.weigh(shares)
    assert numpy.allclose(shares.sum(0), 1.0)


def test_kernels_are_kept_on_disk_and_run_without_the_gil() -> None:
    for kernel in (dense.lloyd, dense.expect, dense.density, dense.nearest):
        options = kernel.targetoptions  # type: ignore[attr-defined]
        assert options["nogil"]
        assert not options.get("fastmath")
