"""The methods of clustering, from arrays of points to what they find in them.

Imported when a model first clusters, because the numerics below take long to import. Arrays come and go as bytes in the
machine's order: int64 of starts and indexes, int32 of columns, float64 of values and weights.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

from jubatus._core import dense
from jubatus._core.clustering.stream import Stream, farthest_first

ROUNDS = 10_000
"""Rounds of k-means, at most; they end long before."""
STEPS = 100_001
"""Steps of a Gaussian mixture, at most, as in 1.1."""

_QUIET = numpy.errstate(all="ignore")  # what a file holds may overflow


@dataclass(frozen=True)
class Points:
    """Weighted points.

    Attributes:
        starts: where the entries of each point start.
        columns: of the entries: the name, by its first appearance.
        values: of the entries.
        weights: of the points.
        ranks: of each column, its place among the names in ascending order.
    """

    starts: dense.Indexes
    columns: dense.Columns
    values: dense.Floats
    weights: dense.Floats
    ranks: dense.Columns

    @classmethod
    def of(cls, starts: bytes, columns: bytes, values: bytes, weights: bytes, ranks: bytes) -> "Points":
        """Read the arrays of points."""
        return cls(
            _array(starts, numpy.int64),
            _array(columns, numpy.int32),
            _array(values, numpy.float64),
            _array(weights, numpy.float64),
            _array(ranks, numpy.int32),
        )

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def rows(self) -> dense.Rows:
        """The points with their columns in the order of the names."""
        return self.starts, self.ranks[self.columns], self.values


def _array(data: bytes, kind: type[Any]) -> Any:
    return numpy.frombuffer(data, kind).copy()


def take(rows: dense.Rows, indexes: dense.Indexes) -> dense.Rows:
    """Return some of the rows."""
    starts, columns, values = rows
    sizes = starts[indexes + 1] - starts[indexes]
    taken = numpy.concatenate(([0], numpy.cumsum(sizes)))
    entries = numpy.repeat(starts[indexes] - taken[:-1], sizes) + numpy.arange(taken[-1])
    return taken, columns[entries], values[entries]


def sample(weights: dense.Floats, stream: Stream, count: int) -> dense.Indexes:
    """Draw indexes with probabilities that are weights, with a stream of their own."""
    ends = numpy.cumsum(weights)
    own = Stream(stream.word())
    at = numpy.array([own.uniform() for _ in range(count)]) * ends[-1]
    drawn: dense.Indexes = numpy.minimum(numpy.searchsorted(ends, at), len(ends) - 1)
    return drawn


@_QUIET
def kmeans(points: Points, k: int, by_angle: bool, stream: Stream) -> tuple[bytes, bytes, bytes]:
    """Find k centres (Lloyd 1982) of at least as many points.

    The first centre is the first point. Each further one is drawn among the points: the larger its weight and its
    distance to the centres so far, the more probable.

    Returns:
        where the entries of each centre start, their columns, and their values.
    """
    rows, weights = points.rows, points.weights
    sizes = dense.norms(rows)
    chosen = [0]
    closest = numpy.full(len(points), dense.FARTHEST)
    while len(chosen) < k:
        last = take(rows, numpy.array(chosen[-1:]))
        _, distances = dense.nearest(rows, sizes, last, dense.norms(last), by_angle)
        closest = numpy.where(distances < closest, distances, closest)
        chosen += sample(closest * weights, stream, 1).tolist()
    centers = take(rows, numpy.array(chosen))
    starts, columns, values = dense.lloyd(rows, weights, centers, by_angle, len(points.ranks), ROUNDS)
    by_rank = numpy.argsort(points.ranks).astype(numpy.int32)
    return starts.tobytes(), by_rank[columns].tobytes(), values.tobytes()


@_QUIET
def gmm(points: Points, k: int, stream: Stream) -> tuple[bytes, bytes, bytes, bytes]:
    """Fit k normal distributions, each of which starts at a point that is drawn.

    Returns:
        the columns that they know, their means, their covariances (``dense.factor``), and the logarithms of the
        determinants of these.

    Raises:
        MemoryError: there are too many of them.
    """
    data, known = _matrix(points)
    matrices = numpy.empty((k, len(known), len(known)))
    means = data[[stream.below(len(points) - 1) for _ in range(k)]]
    logs = dense.expect(data, points.weights, means, matrices, STEPS)
    return known.tobytes(), means.tobytes(), matrices.tobytes(), logs.tobytes()


def _matrix(points: Points) -> tuple[dense.Floats, dense.Columns]:
    """Return the points as a matrix, and which column each of its columns is.

    A point whose entries bring new columns keeps only the last of these and what follows it, as in 1.1, where making
    room for a column drops what was entered before.
    """
    starts, columns = points.starts, points.columns
    highest = numpy.maximum.accumulate(numpy.concatenate(([-1], columns)))
    is_new = columns > highest[:-1]
    owners = numpy.repeat(numpy.arange(len(points)), numpy.diff(starts))
    first = starts[:-1].copy()
    numpy.maximum.at(first, owners[is_new], numpy.flatnonzero(is_new))
    kept = numpy.arange(len(columns)) >= first[owners]
    known, places = numpy.unique(columns[kept], return_inverse=True)
    data = numpy.zeros((len(points), len(known)))
    data[owners[kept], places] = points.values[kept]
    return data, known


@_QUIET
def dbscan(points: Points, eps: float, least: int, by_angle: bool) -> tuple[bytes, bytes]:
    """Find clusters of neighbours; return where the members of each start, and the members."""
    starts, members = dense.density(points.rows, by_angle, eps, min(least, len(points) + 1))
    return starts.tobytes(), members.tobytes()


@_QUIET
def compress(points: Points, base: int, size: int, by_score: bool, stream: Stream) -> tuple[bytes, bytes]:
    """Choose points that stand for all (a coreset: Feldman, Faulkner and Krause 2011).

    Args:
        points: more than `size`.
        base: how many points one round of the first choice draws, at most.
        size: how many points are wanted.
        by_score: whether points of small clusters are drawn more often, as Gaussian mixtures need it.
        stream: of random numbers.

    Returns:
        the indexes of the points, and their new weights.
    """
    rows, weights = points.rows, points.weights
    rough = _rough(rows, weights, base, size, stream)
    drawn, new_weights = numpy.empty(0, numpy.int64), numpy.empty(0)
    count = size - len(rough)
    if count > 0:
        indexes, distances = dense.nearest(rows, weights, take(rows, rough), weights, False)
        total = numpy.cumsum(weights)[-1]
        costs = distances * distances * weights
        shares = costs / max(numpy.cumsum(costs)[-1], numpy.finfo(numpy.float64).tiny)
        if by_score:
            scores = numpy.bincount(indexes, weights, len(rough))
            chances = numpy.ceil(total * (5 / scores[indexes] + shares))
        else:
            chances = numpy.ceil(total * shares) + 1
        drawn = sample(chances, stream, count)
        new_weights = weights[drawn] * (1 / count / (chances[drawn] / numpy.cumsum(chances)[-1]))
    rough = rough[: size - len(drawn)]
    rest = numpy.zeros(len(rough))
    if len(rough):
        kept = take(rows, rough)
        numpy.subtract.at(rest, dense.nearest(take(rows, drawn), weights, kept, weights, False)[0], new_weights)
        numpy.add.at(rest, dense.nearest(rows, weights, kept, weights, False)[0], weights)
    final = numpy.concatenate((new_weights, rest))
    return numpy.concatenate((drawn, rough)).tobytes(), numpy.where(final < 0, 0.0, final).tobytes()


def _rough(rows: dense.Rows, weights: dense.Floats, base: int, size: int, stream: Stream) -> dense.Indexes:
    """Choose points round by round among those that are farthest from the points so far."""
    count = len(weights)
    keep = max(0.1, (1 - math.exp(base * (math.log(base) - math.log(count)) / size)) / 2)
    chosen: list[int] = []
    left = numpy.arange(count)
    while len(left) > 1 and len(chosen) < size:
        picks = numpy.unique(sample(weights[left], stream, base))
        base = len(picks)  # a later round draws no more than this one found
        chosen += left[picks].tolist()
        known = take(rows, numpy.array(chosen))
        _, distances = dense.nearest(take(rows, left), weights, known, weights, False)
        left = left[farthest_first(distances.tobytes(), max(1, int(len(left) * keep)))]
    return numpy.array(chosen, numpy.int64)


def warm_up(*methods: str) -> None:
    """Have the numerics of some methods compiled, or loaded from the disk, before a call has to wait for that.

    Args:
        methods: their names; all methods if there are none.
    """
    points = Points(
        numpy.arange(4), numpy.zeros(3, numpy.int32), numpy.arange(3.0), numpy.ones(3), numpy.zeros(1, numpy.int32)
    )
    runs: dict[str, Callable[[], object]] = {
        "kmeans": lambda: kmeans(points, 2, False, Stream(0)),
        "gmm": lambda: gmm(points, 2, Stream(0)),
        "dbscan": lambda: dbscan(points, 1.0, 1, False),
    }
    for method in methods or runs:
        runs[method]()
