"""What clustering computes, with dictionaries and lists: k-means, Gaussian mixtures, DBSCAN, and a coreset."""

import math
import sys
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from tests.reference.ieee import div, exp, log, sqrt
from tests.reference.random_numbers import MersenneTwister

Vector = dict[bytes, float]
Distance = Callable[[Vector, Vector], float]


@dataclass(frozen=True)
class Point:
    """A point: what it is called, how many points it stands for, its features by ascending name, and its datum."""

    id: bytes
    weight: float
    features: list[list[Any]]
    datum: Any

    @property
    def vector(self) -> Vector:
        return {name: value for name, value in self.features}

    def pack(self) -> list[Any]:
        return [self.id, self.weight, self.features, self.datum]


def euclidean(a: Vector, b: Vector) -> float:
    total = 0.0
    for name in sorted(a.keys() | b.keys()):
        difference = a[name] - b[name] if name in a and name in b else a.get(name, b.get(name, 0.0))
        total += difference * difference
    return sqrt(total)


def cosine(a: Vector, b: Vector) -> float:
    norms = [sqrt(sum((v[name] * v[name] for name in sorted(v)), 0.0)) for v in (a, b)]
    if 0.0 in norms:
        return 1.0
    dot = sum((a[name] * b[name] for name in sorted(a.keys() & b.keys())), 0.0)
    return 1.0 - min(max(dot / norms[0] / norms[1], -1.0), 1.0)


def nearest(v: Vector, centers: list[Vector], distance: Distance) -> tuple[int, float]:
    """The first of the nearest ones."""
    best = (0, sys.float_info.max)
    for i, center in enumerate(centers):
        d = distance(v, center)
        if d < best[1]:
            best = (i, d)
    return best


def sample(weights: list[float], random: MersenneTwister, count: int) -> list[int]:
    ends = list(accumulate(weights))
    own = MersenneTwister(random.next_word())
    return [min(bisect_left(ends, own.next_double() * ends[-1]), len(ends) - 1) for _ in range(count)]


class KMeans:
    def __init__(self, parameter: dict[str, Any], distance: Distance) -> None:
        self.k, self.distance = parameter["k"], distance
        self.random = MersenneTwister(parameter["seed"] & 0xFFFFFFFF)
        self.forget()

    def forget(self) -> None:
        self.centers: list[Vector] = []
        self.is_done = False

    def run(self, points: list[Point]) -> None:
        if not 0 < self.k <= len(points):
            return
        vectors, weights = [point.vector for point in points], [point.weight for point in points]
        centers = [vectors[0]]
        while len(centers) < self.k:
            far = [nearest(v, centers, self.distance)[1] * w for v, w in zip(vectors, weights, strict=True)]
            centers.append(vectors[sample(far, self.random, 1)[0]])
        for _ in range(10_000):
            sums: list[Vector] = [{} for _ in centers]
            totals = [0.0] * len(centers)
            for v, w in zip(vectors, weights, strict=True):
                i, _ = nearest(v, centers, self.distance)
                totals[i] += w
                for name, value in v.items():
                    sums[i][name] = sums[i].get(name, 0.0) + w * value
            moved = [
                {name: value * (1.0 / total) for name, value in sum_.items()} if total else center
                for center, sum_, total in zip(centers, sums, totals, strict=True)
            ]
            stays = all(self.distance(a, b) <= 1e-9 for a, b in zip(centers, moved, strict=True)) or moved == centers
            centers = moved
            if stays:
                break
        self.centers, self.is_done = centers, True

    def nearest(self, v: Vector) -> int:
        return nearest(v, self.centers, self.distance)[0]

    def center(self, i: int) -> list[tuple[bytes, float]]:
        return sorted(self.centers[i].items())


Matrix = list[list[float]]


def factor(a: Matrix) -> float:
    """L D L' in the place of the lower triangle; the logarithm of the determinant."""
    total = 0.0
    for j in range(len(a)):
        for i in range(j, len(a)):
            for k in range(j):
                a[i][j] -= a[i][k] * a[k][k] * a[j][k]
            if i > j:
                a[i][j] = div(a[i][j], a[j][j])
        total += log(abs(a[j][j]))
    return total


def log_density(x: list[float], mean: list[float], a: Matrix, logarithm: float) -> float:
    total, y = 0.0, []
    for i in range(len(x)):
        rest = x[i] - mean[i]
        for j in range(i):
            rest -= a[i][j] * y[j]
        y.append(rest)
        total += div(rest * rest, a[i][i])
    return -0.5 * (logarithm + total)


def shares(densities: list[float]) -> list[float]:
    highest = max(densities)
    total = 0.0
    for density in densities:
        total += exp(density - highest)
    return [exp(density - (highest + log(total))) for density in densities]


class Gmm:
    def __init__(self, parameter: dict[str, Any], distance: Distance) -> None:
        self.k, self.seed = parameter["k"], parameter["seed"] & 0xFFFFFFFF
        self.forget()

    def forget(self) -> None:
        self.random = MersenneTwister(self.seed)
        self.is_done = False

    def run(self, points: list[Point]) -> None:
        data, weights = self._matrix(points), [point.weight for point in points]
        width = len(self.names)
        means = [list(data[self.random.next_int(len(data) - 1)]) for _ in range(self.k)]
        self.matrices = [[[float(i == j) for j in range(width)] for i in range(width)] for _ in means]
        self.logs = [0.0] * self.k
        for _ in range(100_001):
            parts = [
                shares([log_density(x, *c) for c in zip(means, self.matrices, self.logs, strict=True)]) for x in data
            ]
            farthest = 0.0
            for c, mean in enumerate(means):
                gains = [part[c] * w for part, w in zip(parts, weights, strict=True)]
                moved = self._fit(c, data, gains)
                farthest = max(
                    farthest, math.sqrt(sum(((a - b) * (a - b) for a, b in zip(moved, mean, strict=True)), 0.0))
                )
                means[c] = moved
            if farthest < 1e-9:
                break
        self.means, self.is_done = means, True

    def _matrix(self, points: list[Point]) -> Matrix:
        """A point whose features bring new names loses what stood before the last of these."""
        indexes: dict[bytes, int] = {}
        rows = []
        for point in points:
            row: dict[int, float] = {}
            for name, value in point.features:
                if name not in indexes:
                    indexes[name] = len(indexes)
                    row.clear()
                row[indexes[name]] = value
            rows.append(row)
        left = [name for name, index in indexes.items() if any(index in row for row in rows)]
        self.names = left
        return [[row.get(indexes[name], 0.0) for name in left] for row in rows]

    def _fit(self, c: int, data: Matrix, gains: list[float]) -> list[float]:
        total, width = 0.0, len(self.names)
        mean, a = [0.0] * width, [[0.0] * width for _ in range(width)]
        for x, gain in zip(data, gains, strict=True):
            total += gain
            for i in range(width):
                mean[i] += gain * x[i]
                for j in range(i + 1):
                    a[i][j] += gain * x[i] * x[j]
        mean = [div(value, total) for value in mean]
        for i in range(width):
            for j in range(i + 1):
                a[i][j] = div(a[i][j], total) - mean[i] * mean[j]
            a[i][i] += 0.1
        self.matrices[c] = a
        self.logs[c] = factor(a)
        return mean

    def nearest(self, v: Vector) -> int:
        x = [v.get(name, 0.0) for name in self.names]
        parts = shares([log_density(x, *c) for c in zip(self.means, self.matrices, self.logs, strict=True)])
        return parts.index(max(parts))

    def center(self, i: int) -> list[tuple[bytes, float]]:
        return list(zip(self.names, self.means[i], strict=True))


class Dbscan:
    def __init__(self, parameter: dict[str, Any], distance: Distance) -> None:
        self.eps, self.least = parameter["eps"], parameter["min_core_point"]
        self.distance = distance
        self.groups: list[list[Point]] = []
        self.is_done = False

    def forget(self) -> None:
        self.groups, self.is_done, self.distance = [], False, euclidean

    def run(self, points: list[Point]) -> None:
        vectors = [point.vector for point in points]

        def region(i: int) -> list[int]:
            return [j for j, v in enumerate(vectors) if self.distance(vectors[i], v) < self.eps]

        noise, classified, found = set(), set(), []
        for i in range(len(points)):
            if i in noise | classified:
                continue
            work = region(i)
            if len(work) < self.least:
                noise.add(i)
                continue
            group = [i]
            classified.add(i)
            while work:
                later: list[int] = []
                for j in work:
                    if j in classified:
                        continue
                    classified.add(j)
                    group.append(j)
                    near = region(j)
                    if len(near) < self.least:
                        continue
                    for other in near:
                        if other not in noise | classified:
                            later.append(other)
                        elif other in noise - classified:
                            classified.add(other)
                            group.append(other)
                work = later
            if len(group) >= self.least:
                found.append(group)
        self.groups = [[points[i] for i in group] for group in found]
        self.is_done = bool(found)


# --- the coreset


def adjust_heap(heap: list[int], hole: int, size: int, value: int, before: Callable[[int, int], bool]) -> None:
    top = child = hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if before(heap[child], heap[child - 1]):
            child -= 1
        heap[hole], hole = heap[child], child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        heap[hole], hole = heap[child - 1], child - 1
    while hole > top and before(heap[(hole - 1) // 2], value):
        heap[hole] = heap[(hole - 1) // 2]
        hole = (hole - 1) // 2
    heap[hole] = value


def farthest_first(distances: list[float], count: int) -> list[int]:
    """The first indexes by descending distance, in the order of the partial sort of libstdc++."""

    def before(a: int, b: int) -> bool:
        return distances[a] > distances[b]

    indexes = list(range(len(distances)))
    count = min(count, len(indexes))
    for parent in reversed(range(count // 2)):
        adjust_heap(indexes, parent, count, indexes[parent], before)
    for i in range(count, len(indexes)):
        if before(indexes[i], indexes[0]):
            value, indexes[i] = indexes[i], indexes[0]
            adjust_heap(indexes, 0, count, value, before)
    for last in reversed(range(1, count)):
        value, indexes[last] = indexes[last], indexes[0]
        adjust_heap(indexes, 0, last, value, before)
    return indexes[:count]


def rough(points: list[Point], base: int, size: int, random: MersenneTwister) -> list[Point]:
    keep = max(0.1, (1 - math.exp(base * (math.log(base) - math.log(len(points))) / size)) / 2)
    chosen: list[Point] = []
    while len(points) > 1 and len(chosen) < size:
        picks = sorted(set(sample([point.weight for point in points], random, base)))
        base = len(picks)
        chosen += [points[i] for i in picks]
        known = [point.vector for point in chosen]
        distances = [nearest(point.vector, known, euclidean)[1] for point in points]
        points = [points[i] for i in farthest_first(distances, max(1, int(len(points) * keep)))]
    return chosen


def compress(points: list[Point], base: int, size: int, by_score: bool, random: MersenneTwister) -> list[Point]:
    if len(points) <= size:
        return points
    first = rough(points, base, size, random)
    drawn: list[Point] = []
    if len(first) < size:
        known = [point.vector for point in first]
        found = [nearest(point.vector, known, euclidean) for point in points]
        scores, total, cost = [0.0] * len(first), 0.0, 0.0
        for point, (i, d) in zip(points, found, strict=True):
            scores[i] += point.weight
            total += point.weight
            cost += d * d * point.weight
        cost = max(cost, sys.float_info.min)
        chances = []
        for point, (i, d) in zip(points, found, strict=True):
            share = d * d * point.weight / cost
            if by_score:
                chances.append(float(math.ceil(total * (div(5, scores[i]) + share))))
            else:
                chances.append(float(math.ceil(total * share) + 1))
        everything, count = list(accumulate(chances))[-1], size - len(first)
        for i in sample(chances, random, count):
            drawn.append(replace(points[i], weight=points[i].weight * (1 / count / (chances[i] / everything))))
    first = first[: size - len(drawn)]
    known, rest = [point.vector for point in first], [0.0] * len(first)
    for point in drawn if first else []:
        rest[nearest(point.vector, known, euclidean)[0]] -= point.weight
    for point in points if first else []:
        rest[nearest(point.vector, known, euclidean)[0]] += point.weight
    chosen = drawn + [replace(point, weight=weight) for point, weight in zip(first, rest, strict=True)]
    return [replace(point, weight=0.0) if point.weight < 0 else point for point in chosen]
