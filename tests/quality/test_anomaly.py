"""Scores are local outlier factors, and find the outliers that scikit-learn finds."""

from typing import Any

import numpy
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_wine, make_blobs
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from jubatus._core.services.anomaly import Anomaly
from tests.core.calls import call

Matrix = NDArray[numpy.float64]
K = 10


def blobs() -> tuple[Matrix, Matrix, NDArray[numpy.bool_]]:
    """Points of clusters with unlike density; further ones, and points of no cluster."""
    points = make_blobs(400, 3, centers=4, cluster_std=[0.3, 0.6, 1.0, 1.5], random_state=2)[0]
    far = numpy.random.default_rng(1).uniform(-14, 14, (40, 3))
    return points[:300], numpy.vstack([points[300:], far]), numpy.arange(140) >= 100


def wine() -> tuple[Matrix, Matrix, NDArray[numpy.bool_]]:
    """Wines of two kinds; further ones of them, and those of the third kind."""
    wines = load_wine()
    points = StandardScaler().fit_transform(wines.data)
    usual = numpy.flatnonzero(wines.target != 2)
    asked = numpy.concatenate([usual[::4], numpy.flatnonzero(wines.target == 2)])
    return points[numpy.delete(usual, numpy.s_[::4])], points[asked], wines.target[asked] == 2


def datum(row: Any) -> list[Any]:
    return [[], [[f"x{j:02}", x] for j, x in enumerate(row.tolist())], []]


def scores(method: str, rows: dict[str, Any], points: Matrix, asked: Matrix) -> Matrix:
    """Store points, all of which are computed again whenever one comes, and ask for the scores of others."""
    numbers = {"nearest_neighbor_num": K, "reverse_nearest_neighbor_num": len(points)}
    converter = {"num_rules": [{"key": "*", "type": "num"}]}
    model = Anomaly({"method": method, "parameter": {**numbers, **rows}, "converter": converter})
    call(model, "add_bulk", [datum(row) for row in points])
    return numpy.array([call(model, "calc_score", datum(row)) for row in asked])


EXACT = {"method": "inverted_index_euclid", "parameter": {}}


def factors(points: Matrix, asked: Matrix) -> Matrix:
    """Compute the factors from all distances; a stored point is the first of its own neighbours."""

    def distances(some: Matrix) -> Matrix:
        found: Matrix = numpy.linalg.norm(some[:, None] - points[None], axis=2)
        return found

    own, other = distances(points), distances(asked)
    near = numpy.argsort(own, axis=1, kind="stable")[:, :K]
    reach = numpy.take_along_axis(own, near, 1)[:, -1]
    density = K / numpy.maximum(numpy.take_along_axis(own, near, 1), reach[near]).sum(axis=1)
    near = numpy.argsort(other, axis=1, kind="stable")[:, :K]
    here = K / numpy.maximum(numpy.take_along_axis(other, near, 1), reach[near]).sum(axis=1)
    found: Matrix = density[near].mean(axis=1) / here
    return found


@pytest.mark.parametrize("data", [blobs, wine])
def test_scores_are_those_of_the_definition(data: Any) -> None:
    points, asked, _ = data()
    numpy.testing.assert_allclose(scores("lof", EXACT, points, asked), factors(points, asked), rtol=1e-6)


@pytest.mark.parametrize("data", [blobs, wine])
def test_scores_rank_as_those_of_scikit_learn(data: Any) -> None:
    """They are not equal: there a point is none of its own neighbours."""
    points, asked, is_outlier = data()
    found = scores("lof", EXACT, points, asked)
    theirs = -LocalOutlierFactor(n_neighbors=K, novelty=True).fit(points).score_samples(asked)
    ranks = [numpy.argsort(numpy.argsort(each)) for each in (found, theirs)]
    assert numpy.corrcoef(*ranks)[0, 1] > 0.98
    assert roc_auc_score(is_outlier, found) > roc_auc_score(is_outlier, theirs) - 0.01


@pytest.mark.parametrize("data", [blobs, wine])
def test_hashes_find_outliers_too(data: Any) -> None:
    points, asked, is_outlier = data()
    hashes = {"method": "euclid_lsh", "parameter": {"hash_num": 512}}
    exact, found = scores("lof", EXACT, points, asked), scores("light_lof", hashes, points, asked)
    assert roc_auc_score(is_outlier, found) > roc_auc_score(is_outlier, exact) - 0.1
