"""Rows of matrices as datums: column j is the number named ``str(j)``."""

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Any

from jubatus._core.wire import pack

BLOCK = 1024
"""Rows that are turned into Python objects at a time."""

Rows = list[tuple[tuple[()], list[tuple[str, float]], tuple[()]]]


def check(X: Any) -> None:
    """Raise ValueError unless it is a two-dimensional float64 ndarray or csr_matrix."""
    import numpy

    if not isinstance(X, numpy.ndarray) and type(X).__name__ not in ("csr_matrix", "csr_array"):
        raise ValueError(f"X must be a numpy.ndarray or a scipy.sparse.csr_matrix, but is {type(X).__name__}")
    if len(X.shape) != 2:
        raise ValueError("invalid X.shape")
    if X.dtype != numpy.float64:
        raise ValueError(f"X must be of float64, but is of {X.dtype}")


def classes(y: Any, count: int) -> list[int]:
    """Return the classes of the rows as integers; raise ValueError unless they are `count` integers from 0."""
    import numpy

    y = numpy.asarray(y)
    if y.shape != (count,):
        raise ValueError("invalid shape")
    if count and (y.dtype.kind not in "iu" or y.min() < 0):
        raise ValueError("y must have integers from 0")
    values: list[int] = y.tolist()
    return values


def targets(y: Any, count: int) -> list[float]:
    """Return the numbers that belong to the rows; raise ValueError unless there are `count` of them."""
    import numpy

    y = numpy.asarray(y)
    if y.shape != (count,):
        raise ValueError("invalid shape")
    if count and y.dtype.kind not in "iuf":
        raise ValueError("y must have numbers")
    values: list[float] = y.astype(numpy.float64).tolist()
    return values


def examples(X: Any, firsts: Iterable[object]) -> Iterator[bytes]:
    """Yield the rows, some at a time, as packed lists of pairs: what belongs to the row, and its datum."""
    rest = iter(firsts)
    for block in blocks(X):
        yield pack(list(zip(islice(rest, len(block)), block, strict=True)))


def blocks(X: Any) -> Iterator[Rows]:
    """Yield the rows, some at a time, as datums ready to pack; zeros of an ndarray are left out."""
    if hasattr(X, "indptr"):
        bounds = X.indptr.tolist()
        for start in range(0, X.shape[0], BLOCK):
            part = bounds[start : start + BLOCK + 1]
            names = list(map(str, X.indices[part[0] : part[-1]].tolist()))
            pairs = list(zip(names, X.data[part[0] : part[-1]].tolist(), strict=True))
            base = part[0]
            yield [((), pairs[a - base : b - base], ()) for a, b in pairwise(part)]
    else:
        names = list(map(str, range(X.shape[1])))
        for start in range(0, X.shape[0], BLOCK):
            rows = X[start : start + BLOCK].tolist()
            yield [((), [pair for pair in zip(names, row, strict=True) if pair[1]], ()) for row in rows]
