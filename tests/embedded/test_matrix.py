from itertools import chain
from typing import Any

import numpy
import pytest
from scipy.sparse import csr_array, csr_matrix

from jubatus.embedded import matrix

DENSE = numpy.array([[1, 0, -2.5], [0, 0, 0], [0, numpy.nan, -0.0]])


def rows(X: Any) -> list[Any]:
    """Return the numbers of all rows."""
    matrix.check(X)
    datums = list(chain(*matrix.blocks(X)))
    assert all(datum[0] == datum[2] == () for datum in datums)
    return [datum[1] for datum in datums]


def test_rows_of_an_array_leave_out_zeros() -> None:
    found = rows(DENSE)
    assert found[:2] == [[("0", 1.0), ("2", -2.5)], []]
    assert [name for name, _ in found[2]] == ["1"]
    assert type(found[0][0][1]) is float


@pytest.mark.parametrize("kind", [csr_matrix, csr_array])
def test_rows_of_a_sparse_matrix_keep_what_is_stored(kind: Any) -> None:
    X = kind(numpy.array([[1, 0, -2.5], [0, 0, 0], [0, 3.0, 0]]))
    X.data[0] = 0.0
    assert rows(X) == [[("0", 0.0), ("2", -2.5)], [], [("1", 3.0)]]


@pytest.mark.parametrize("kind", [numpy.asarray, csr_matrix])
def test_blocks_together_are_all_rows(kind: Any) -> None:
    count = 2 * matrix.BLOCK + 3
    X = numpy.arange(1.0, count + 1)[:, None] * [1.0, 0.0]
    assert rows(kind(X)) == [[("0", float(number))] for number in range(1, count + 1)]
    assert [len(block) for block in matrix.blocks(kind(X))] == [matrix.BLOCK, matrix.BLOCK, 3]


@pytest.mark.parametrize("kind", [numpy.asarray, csr_matrix])
def test_an_empty_matrix_has_no_rows(kind: Any) -> None:
    assert rows(kind(numpy.zeros((0, 3)))) == []


def test_columns_may_be_in_any_order_in_memory() -> None:
    assert rows(numpy.asfortranarray(DENSE))[0] == rows(DENSE)[0]
    assert rows(DENSE[:, ::-1])[0] == [("0", -2.5), ("2", 1.0)]


@pytest.mark.parametrize(
    ("X", "text"),
    [
        ([[1.0]], "must be a numpy.ndarray or a scipy.sparse.csr_matrix, but is list"),
        (csr_matrix(DENSE).tocsc(), "but is csc_matrix"),
        (numpy.zeros(3), "invalid X.shape"),
        (numpy.zeros((1, 1, 1)), "invalid X.shape"),
        (numpy.zeros((1, 1), numpy.int64), "must be of float64, but is of int64"),
        (numpy.zeros((1, 1), numpy.float32), "must be of float64, but is of float32"),
    ],
    ids=str,
)
def test_other_matrices_are_refused(X: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        matrix.check(X)


def test_classes_are_integers_from_0() -> None:
    assert matrix.classes(numpy.array([2, 0], numpy.uint8), 2) == [2, 0]
    assert matrix.classes([1, 0], 2) == [1, 0]
    assert matrix.classes(numpy.array([]), 0) == []
    for wrong in (numpy.array([0.0, 1.0]), numpy.array([-1, 0]), numpy.array(["a", "b"])):
        with pytest.raises(ValueError, match="y must have integers from 0"):
            matrix.classes(wrong, 2)
    for wrong in (numpy.array([1]), numpy.array([[1, 2]]), numpy.array(1)):
        with pytest.raises(ValueError, match="invalid shape"):
            matrix.classes(wrong, 2)
