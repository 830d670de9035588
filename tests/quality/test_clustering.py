"""The clusters are as good as those of scikit-learn on the same points."""

from typing import Any

import numpy
import pytest
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_digits, load_wine, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from jubatus._core.clustering.methods import Points, gmm
from jubatus._core.clustering.stream import Stream
from jubatus._core.services.clustering import Clustering
from tests.core.calls import call

Matrix = NDArray[numpy.float64]
SEEDS = range(10)


def blobs() -> Matrix:
    points: Matrix = make_blobs(1200, 5, centers=6, cluster_std=1.5, random_state=3)[0]
    return points


def wine() -> Matrix:
    points: Matrix = StandardScaler().fit_transform(load_wine().data)
    return points


def digits() -> Matrix:
    points: Matrix = load_digits().data
    return points


def shuffled(points: Matrix) -> Matrix:
    return numpy.random.default_rng(0).permutation(points)


def learn(points: Matrix, method: str, compressor: dict[str, Any] | None = None, **parameter: Any) -> Clustering:
    """Cluster all points; without a compressor there is one more, before which they are clustered."""
    config = {
        "method": method,
        "parameter": parameter,
        "compressor_method": "compressive" if compressor else "simple",
        "compressor_parameter": compressor or {"bucket_size": len(points) + 1},
        "converter": {"num_rules": [{"key": "*", "type": "num"}]},
    }
    model = Clustering(config)
    given = [[str(i), [[], [[f"x{j:02}", x] for j, x in enumerate(row)], []]] for i, row in enumerate(points.tolist())]
    call(model, "push", given if compressor else [*given, given[0]])
    return model


def centers(model: Clustering, width: int) -> Matrix:
    found = numpy.zeros((len(call(model, "get_k_center")), width))
    for center, (_, numbers, _) in zip(found, call(model, "get_k_center"), strict=True):
        for name, value in numbers:
            center[int(name[1:])] = value
    return found


def cost(points: Matrix, means: Matrix) -> float:
    distances = ((points[:, None, :] - means[None]) ** 2).sum(2)
    return float(distances.min(1).sum())


@pytest.mark.parametrize(("points", "k"), [(blobs(), 6), (wine(), 3), (digits(), 10)], ids=["blobs", "wine", "digits"])
def test_kmeans_costs_as_little(points: Matrix, k: int) -> None:
    best = min(cost(points, centers(learn(points, "kmeans", k=k, seed=seed), points.shape[1])) for seed in SEEDS)
    theirs = KMeans(k, n_init=len(SEEDS), random_state=0).fit(points).inertia_
    assert best <= 1.02 * theirs


@pytest.mark.parametrize(
    ("points", "k", "part"),
    [(blobs(), 6, 0.2), (wine(), 3, 0.5), (digits(), 10, 0.33)],
    ids=["blobs", "wine", "digits"],
)
def test_compressed_points_cost_little_more(points: Matrix, k: int, part: float) -> None:
    """A sample that stands for few points costs more by chance: wine has only 178."""
    points = shuffled(points)
    size = len(points) // 2
    compressor = {
        "bucket_size": size,
        "compressed_bucket_size": int(2 * size * part),
        "bicriteria_base_size": 10,
        "bucket_length": 2,
        "forgetting_factor": 0.0,
        "forgetting_threshold": 0.0,
    }
    models = (learn(points, "kmeans", {**compressor, "seed": seed}, k=k, seed=seed) for seed in SEEDS)
    best = min(cost(points, centers(model, points.shape[1])) for model in models)
    theirs = KMeans(k, n_init=len(SEEDS), random_state=0).fit(points).inertia_
    assert best <= 1.05 * theirs


def likelihood(points: Matrix, k: int, seed: int) -> float:
    """The mean logarithm of the density under the distributions that are found, all of the same weight."""
    count, width = points.shape
    every = numpy.arange(width, dtype=numpy.int32)
    given = Points(
        numpy.arange(count + 1) * width, numpy.tile(every, count), points.ravel().copy(), numpy.ones(count), every
    )
    means, matrices = map(numpy.frombuffer, gmm(given, k, Stream(seed))[1:3])
    logs = numpy.empty((k, count))
    for c, (mean, packed) in enumerate(zip(means.reshape(k, width), matrices.reshape(k, width, width), strict=True)):
        lower = numpy.tril(packed, -1) + numpy.eye(width)
        covariance = lower @ numpy.diag(packed.diagonal()) @ lower.T
        away = points - mean
        squares = (away * numpy.linalg.solve(covariance, away.T).T).sum(1)
        logs[c] = -0.5 * (width * numpy.log(2 * numpy.pi) + numpy.linalg.slogdet(covariance)[1] + squares)
    return float(numpy.logaddexp.reduce(logs - numpy.log(k)).mean())


@pytest.mark.parametrize(("points", "k"), [(blobs(), 6), (wine(), 3), (digits(), 10)], ids=["blobs", "wine", "digits"])
def test_a_mixture_is_as_likely(points: Matrix, k: int) -> None:
    best = max(likelihood(points, k, seed) for seed in SEEDS)
    theirs = GaussianMixture(k, reg_covar=0.1, n_init=3, init_params="random_from_data", random_state=0).fit(points)
    assert best >= theirs.score(points) - 0.02 * abs(theirs.score(points))


@pytest.mark.parametrize(
    ("points", "eps", "least"),
    [(make_moons(600, noise=0.06, random_state=2)[0], 0.2, 5), (wine(), 2.3, 5), (digits(), 20.0, 5)],
    ids=["moons", "wine", "digits"],
)
def test_dbscan_finds_the_same_clusters(points: Matrix, eps: float, least: int) -> None:
    labels = numpy.full(len(points), -1)
    for label, group in enumerate(
        call(learn(points, "dbscan", eps=eps, min_core_point=least), "get_core_members_light")
    ):
        for _, name in group:
            labels[int(name)] = label
    theirs = DBSCAN(eps=eps, min_samples=least).fit(points).labels_
    assert theirs.max() > 0
    assert adjusted_rand_score(theirs, labels) >= 0.98
