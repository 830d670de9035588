"""Numerics over arrays: kernels that numba compiles when they are first called.

They are as slow to import as they are fast to run, so they are imported when a model first needs them. A kernel runs
without the GIL. Sums are made one by one in the order of the arrays, as in 1.1; nothing here may reorder them.

Rows are sparse: row i has the entries from ``starts[i]`` up to ``starts[i + 1]`` of ``columns``, which ascend, and
``values``.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy
from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
Floats = NDArray[numpy.float64]
Indexes = NDArray[numpy.int64]
Columns = NDArray[numpy.int32]
Rows = tuple[Indexes, Columns, Floats]

FARTHEST = numpy.finfo(numpy.float64).max
UNVISITED, NOISE, CLASSIFIED = 0, 1, 2


def kernel(function: Kernel) -> Kernel:
    """Have a function compiled when it is first called; the machine code is kept on disk for the next process.

    A division by zero gives an infinity or NaN, as in C.
    """
    compiled: Any
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # there is no folder to keep it in
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    made: Kernel = compiled
    return made


@kernel
def norm(rows: Rows, i: int) -> float:
    """Return the Euclidean norm of a row."""
    starts, _, values = rows
    total = 0.0
    for at in range(starts[i], starts[i + 1]):
        total += values[at] * values[at]
    return numpy.sqrt(total)  # type: ignore[no-any-return]


@kernel
def norms(rows: Rows) -> Floats:
    """Return the norms of all rows."""
    found = numpy.empty(len(rows[0]) - 1)
    for i in range(len(found)):
        found[i] = norm(rows, i)
    return found


@kernel
def euclidean(a: Rows, i: int, b: Rows, j: int) -> float:
    """Return the Euclidean distance of two rows."""
    starts, columns, values = a
    others, other_columns, other_values = b
    at, end, other, other_end = starts[i], starts[i + 1], others[j], others[j + 1]
    total = 0.0
    while at < end and other < other_end:
        if columns[at] == other_columns[other]:
            difference = values[at] - other_values[other]
            at += 1
            other += 1
        elif columns[at] < other_columns[other]:
            difference = values[at]
            at += 1
        else:
            difference = other_values[other]
            other += 1
        total += difference * difference
    for rest in range(at, end):
        total += values[rest] * values[rest]
    for rest in range(other, other_end):
        total += other_values[rest] * other_values[rest]
    return numpy.sqrt(total)  # type: ignore[no-any-return]


@kernel
def cosine(a: Rows, i: int, size: float, b: Rows, j: int, other_size: float) -> float:
    """Return 1 minus the cosine of two rows, whose norms are given; 1 if one of them is 0."""
    starts, columns, values = a
    others, other_columns, other_values = b
    at, end, other, other_end = starts[i], starts[i + 1], others[j], others[j + 1]
    dot = 0.0
    while at < end and other < other_end:
        if columns[at] == other_columns[other]:
            dot += values[at] * other_values[other]
            at += 1
            other += 1
        elif columns[at] < other_columns[other]:
            at += 1
        else:
            other += 1
    if size == 0.0 or other_size == 0.0:
        return 1.0
    similarity = dot / size / other_size
    if similarity < -1.0:
        similarity = -1.0
    elif similarity > 1.0:
        similarity = 1.0
    return 1.0 - similarity


@kernel
def nearest(rows: Rows, sizes: Floats, centers: Rows, center_sizes: Floats, by_angle: bool) -> tuple[Indexes, Floats]:
    """Return the index of the nearest centre of each row, and its distance; of equal ones the first counts.

    A distance that is no number is never the smallest.
    """
    count, many = len(rows[0]) - 1, len(centers[0]) - 1
    indexes, distances = numpy.zeros(count, numpy.int64), numpy.full(count, FARTHEST)
    if not by_angle and many >= 4:
        width = max(width_of(rows), width_of(centers))
        if width * many <= 4 * len(centers[1]):
            nearest_of_full(rows, across(centers, width), indexes, distances)
            return indexes, distances
    for i in range(count):
        for j in range(many):
            if by_angle:
                distance = cosine(rows, i, sizes[i], centers, j, center_sizes[j])
            else:
                distance = euclidean(rows, i, centers, j)
            if distance < distances[i]:
                indexes[i], distances[i] = j, distance
    return indexes, distances


@kernel
def width_of(rows: Rows) -> int:
    """Return how many columns there are up to the last that a row has."""
    width = 0
    for column in rows[1]:
        width = max(width, column + 1)
    return width


@kernel
def across(rows: Rows, width: int) -> Floats:
    """Return the rows as the columns of a matrix, with 0 where they have nothing."""
    starts, columns, values = rows
    matrix = numpy.zeros((width, len(starts) - 1))
    for i in range(len(starts) - 1 if width > 0 else 0):
        for at in range(starts[i], starts[i + 1]):
            matrix[columns[at], i] = values[at]
    return matrix


@kernel
def distances_across(row: Floats, matrix: Floats, distances: Floats) -> None:
    """Put the Euclidean distances of a vector to all columns of a matrix into an array.

    The sums are made side by side, each in the order of the rows; adding the square of 0 changes none.
    """
    distances[:] = 0.0
    for i in range(len(matrix)):
        value, line = row[i], matrix[i]
        for j in range(len(line)):
            difference = value - line[j]
            distances[j] += difference * difference
    for j in range(len(distances)):
        distances[j] = numpy.sqrt(distances[j])


@kernel
def nearest_of_full(rows: Rows, centers: Floats, indexes: Indexes, distances: Floats) -> None:
    """Do what ``nearest`` does by Euclidean distances, quicker where centres have values in most columns.

    Args:
        rows: the points.
        centers: from ``across``.
        indexes: filled with the index of the nearest centre of each row.
        distances: of these; at first larger than any.
    """
    row, sums = numpy.zeros(len(centers)), numpy.empty(centers.shape[1])
    starts, columns, values = rows
    for i in range(len(starts) - 1):
        for at in range(starts[i], starts[i + 1]):
            row[columns[at]] = values[at]
        distances_across(row, centers, sums)
        for j in range(len(sums)):
            if sums[j] < distances[i]:
                indexes[i], distances[i] = j, sums[j]
        for at in range(starts[i], starts[i + 1]):
            row[columns[at]] = 0.0


@kernel
def means(rows: Rows, weights: Floats, indexes: Indexes, centers: Rows, width: int) -> Rows:
    """Return the weighted means of the rows of each centre; one that has no weight stays as it was."""
    starts, columns, values = rows
    count = len(centers[0]) - 1
    # The rows of each centre in their order.
    ends = numpy.zeros(count + 1, numpy.int64)
    for i in range(len(indexes)):
        ends[indexes[i] + 1] += 1
    for j in range(count):
        ends[j + 1] += ends[j]
    order, filled = numpy.empty(len(indexes), numpy.int64), ends[:-1].copy()
    for i in range(len(indexes)):
        order[filled[indexes[i]]] = i
        filled[indexes[i]] += 1
    room = len(values) + len(centers[2])
    new_starts = numpy.zeros(count + 1, numpy.int64)
    new_columns, new_values = numpy.empty(room, numpy.int32), numpy.empty(room)
    sums, is_seen, seen = numpy.zeros(width), numpy.zeros(width, numpy.bool_), numpy.empty(width, numpy.int32)
    size = 0
    for j in range(count):
        total, different = 0.0, 0
        for k in range(ends[j], ends[j + 1]):
            i = order[k]
            total += weights[i]
            for at in range(starts[i], starts[i + 1]):
                column = columns[at]
                if not is_seen[column]:
                    is_seen[column] = True
                    sums[column] = 0.0
                    seen[different] = column
                    different += 1
                sums[column] += weights[i] * values[at]
        seen[:different].sort()
        if total == 0.0:
            for at in range(centers[0][j], centers[0][j + 1]):
                new_columns[size], new_values[size] = centers[1][at], centers[2][at]
                size += 1
        else:
            scale = 1.0 / total
            for k in range(different):
                new_columns[size], new_values[size] = seen[k], sums[seen[k]] * scale
                size += 1
        for k in range(different):
            is_seen[seen[k]] = False
        new_starts[j + 1] = size
    return new_starts, new_columns[:size].copy(), new_values[:size].copy()


@kernel
def equal_rows(a: Rows, b: Rows) -> bool:
    """Return whether two sets of rows are the same; a value that is no number equals itself."""
    if len(a[2]) != len(b[2]):
        return False
    for i in range(len(a[0])):
        if a[0][i] != b[0][i]:
            return False
    for at in range(len(a[2])):
        same = a[2][at] == b[2][at] or (a[2][at] != a[2][at] and b[2][at] != b[2][at])
        if a[1][at] != b[1][at] or not same:
            return False
    return True


@kernel
def lloyd(rows: Rows, weights: Floats, centers: Rows, by_angle: bool, width: int, rounds: int) -> Rows:
    """Move centres to the means of the rows next to them until they stay (Lloyd 1982), and return them.

    Args:
        rows: the points.
        weights: of the points.
        centers: where the centres start.
        by_angle: whether distances are those of cosine.
        width: how many columns there are.
        rounds: how many there are at most. By angle a centre without a norm never counts as one that stays, and some
            centres take turns; such rounds end when they repeat.
    """
    sizes, saved = norms(rows), centers
    for number in range(rounds):
        center_sizes = norms(centers)
        indexes, _distances = nearest(rows, sizes, centers, center_sizes, by_angle)
        moved = means(rows, weights, indexes, centers, width)
        moved_sizes = norms(moved)
        stays = True
        for j in range(len(centers[0]) - 1):
            if by_angle:
                distance = cosine(centers, j, center_sizes[j], moved, j, moved_sizes[j])
            else:
                distance = euclidean(centers, j, moved, j)
            if not distance <= 1e-9:
                stays = False
        if stays or equal_rows(moved, saved):
            return moved
        centers = moved
        if number & (number + 1) == 0:  # rounds that repeat are found by their distance to one of these (Brent 1980)
            saved = moved
    return centers


@kernel
def measure(rows: Rows, sizes: Floats, full: Floats, i: int, by_angle: bool, distances: Floats) -> None:
    """Put the distances of a point to all points into an array.

    Args:
        rows: the points.
        sizes: their norms.
        full: the points from ``across``, for Euclidean distances; without any row they are not used.
        i: the point.
        by_angle: whether distances are those of cosine.
        distances: filled.
    """
    if len(full) > 0:
        distances_across(full[:, i].copy(), full, distances)
        return
    for j in range(len(distances)):
        if by_angle:
            distances[j] = cosine(rows, i, sizes[i], rows, j, sizes[j])
        else:
            distances[j] = euclidean(rows, i, rows, j)


@kernel
def pick(distances: Floats, eps: float, region: Indexes) -> int:
    """Put the indexes of distances below eps into an array, and return how many there are."""
    count = 0
    for j in range(len(distances)):
        if distances[j] < eps:
            region[count] = j
            count += 1
    return count


@kernel
def density(rows: Rows, by_angle: bool, eps: float, least: int) -> tuple[Indexes, Indexes]:
    """Find dense regions that hang together (Ester, Kriegel, Sander and Xu 1996): DBSCAN.

    Args:
        rows: the points.
        by_angle: whether distances are those of cosine.
        eps: points nearer than that are neighbours.
        least: neighbours of a point in a dense region, itself among them, and points of a cluster, at least.

    Returns:
        where the members of each cluster start, and the members in the order in which they were found.
    """
    count = len(rows[0]) - 1
    sizes, states = norms(rows), numpy.full(count, UNVISITED, numpy.int64)
    members, starts = numpy.empty(count, numpy.int64), numpy.zeros(count + 1, numpy.int64)
    region, work, later = members.copy(), members.copy(), members.copy()
    waits, distances = numpy.zeros(count, numpy.bool_), numpy.empty(count)
    width = width_of(rows)
    is_full = not by_angle and width * count <= 4 * len(rows[1])
    full = across(rows, width if is_full else 0)
    clusters = 0
    for i in range(count):
        if states[i] != UNVISITED:
            continue
        measure(rows, sizes, full, i, by_angle, distances)
        todo = pick(distances, eps, work)
        if todo < least:
            states[i] = NOISE
            continue
        size = starts[clusters]
        members[size] = i
        size += 1
        states[i] = CLASSIFIED
        while todo > 0:
            more = 0
            for k in range(todo):
                j = work[k]
                if states[j] == CLASSIFIED:
                    continue
                states[j] = CLASSIFIED
                members[size] = j
                size += 1
                measure(rows, sizes, full, j, by_angle, distances)
                near = pick(distances, eps, region)
                if near < least:
                    continue
                for n in range(near):
                    other = region[n]
                    if states[other] == UNVISITED and not waits[other]:
                        waits[other] = True
                        later[more] = other
                        more += 1
                    elif states[other] == NOISE:
                        states[other] = CLASSIFIED
                        members[size] = other
                        size += 1
            work, later = later, work
            todo = more
            for k in range(todo):
                waits[work[k]] = False
        if size - starts[clusters] >= least:
            clusters += 1
            starts[clusters] = size
    return starts[: clusters + 1].copy(), members[: starts[clusters]].copy()


@kernel
def factor(matrix: Floats) -> float:
    """Turn a symmetric matrix into the L and D of L D L' in its place, and return the logarithm of its determinant."""
    total = 0.0
    for j in range(len(matrix)):
        for i in range(j, len(matrix)):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[k, k] * matrix[j, k]
            if i > j:
                matrix[i, j] /= matrix[j, j]
        total += numpy.log(abs(matrix[j, j]))
    return total


@kernel
def log_densities(columns: Floats, mean: Floats, matrix: Floats, log: float) -> Floats:
    """Return the logarithms of the density of a normal distribution at all points, but for a constant.

    Args:
        columns: a column of the points in each row.
        mean: the mean.
        matrix: the covariance, as ``factor`` leaves it.
        log: the logarithm of its determinant.
    """
    width, count = columns.shape
    solved, squares = numpy.empty((width, count)), numpy.zeros(count)
    for i in range(width):
        row = solved[i]
        row[:] = columns[i] - mean[i]
        for j in range(i):
            scale, other = matrix[i, j], solved[j]
            for n in range(count):
                row[n] -= scale * other[n]
        for n in range(count):
            squares[n] += row[n] * row[n] / matrix[i, i]
    for n in range(count):
        squares[n] = -0.5 * (log + squares[n])
    return squares


@kernel
def weigh(densities: Floats) -> None:
    """Turn the logarithms of densities into the share of each component in each point."""
    for n in range(densities.shape[1]):
        highest = densities[0, n]
        for c in range(1, len(densities)):
            highest = max(highest, densities[c, n])
        total = 0.0
        for c in range(len(densities)):
            total += numpy.exp(densities[c, n] - highest)
        log = highest + numpy.log(total)
        for c in range(len(densities)):
            densities[c, n] = numpy.exp(densities[c, n] - log)


@kernel
def fit(points: Floats, columns: Floats, shares: Floats, mean: Floats, matrix: Floats) -> None:
    """Put the mean and the covariance of weighted points into arrays; 0.1 on the diagonal keeps it regular."""
    count, width = points.shape
    total = 0.0
    mean[:] = 0.0
    for n in range(count):
        total += shares[n]
        for i in range(width):
            mean[i] += shares[n] * points[n, i]
    mean /= total
    for i in range(width):
        row = matrix[i]
        row[: i + 1] = 0.0
        for n in range(count):
            scale = shares[n] * columns[i, n]
            for j in range(i + 1):
                row[j] += scale * points[n, j]
        for j in range(i + 1):
            row[j] = row[j] / total - mean[i] * mean[j]
        row[i] += 0.1


@kernel
def expect(points: Floats, weights: Floats, means: Floats, matrices: Floats, rounds: int) -> Floats:
    """Fit normal distributions to points by expectation and maximisation, all of them with the same mixing weight.

    Args:
        points: one in each row.
        weights: of the points.
        means: where the distributions start, with a covariance of 1; overwritten by their means at the end.
        matrices: filled with their covariances, as ``factor`` leaves them.
        rounds: how many there are at most.

    Returns:
        the logarithms of the determinants of the covariances.
    """
    count, width = means.shape
    logs = numpy.zeros(count)
    for c in range(count):
        matrices[c] = 0.0
        for i in range(width):
            matrices[c, i, i] = 1.0
    columns, before = points.T.copy(), means.copy()
    shares = numpy.empty((count, len(points)))
    for _ in range(rounds):
        before[:] = means
        for c in range(count):
            shares[c] = log_densities(columns, means[c], matrices[c], logs[c])
        weigh(shares)
        farthest = 0.0
        for c in range(count):
            shares[c] *= weights
            fit(points, columns, shares[c], means[c], matrices[c])
            logs[c] = factor(matrices[c])
            distance = 0.0
            for i in range(width):
                distance += (means[c, i] - before[c, i]) ** 2
            if numpy.sqrt(distance) > farthest:
                farthest = numpy.sqrt(distance)
        if farthest < 1e-9:
            break
    return logs
