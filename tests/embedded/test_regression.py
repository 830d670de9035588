from typing import Any

import numpy
import pytest
from scipy.sparse import csr_matrix

from jubatus.common import Datum
from jubatus.embedded import Regression, matrix
from jubatus.errors import JubatusError

CONFIG = {
    "method": "PA",
    "parameter": {"sensitivity": 0.0},
    "converter": {"num_rules": [{"key": "*", "type": "num"}]},
}
X = numpy.random.default_rng(1).normal(size=(500, 3))
Y = X @ [1.0, -2.0, 0.5]


def data(X: Any) -> list[Datum]:
    return [Datum({str(j): float(x) for j, x in enumerate(row)}) for row in X]


def test_a_matrix_is_learned_like_its_rows() -> None:
    by_rows, by_matrix = Regression(CONFIG), Regression(CONFIG)
    assert by_rows.train(list(zip(Y.tolist(), data(X), strict=True))) == 500
    assert by_matrix.partial_fit(X, Y) is by_matrix
    found = by_matrix.predict(X)
    assert found.dtype == numpy.float64
    assert found.tolist() == by_rows.estimate(data(X))
    assert numpy.abs(found - Y).mean() < 0.1 * numpy.abs(Y).mean()


def test_a_sparse_matrix_is_learned_like_a_dense_one() -> None:
    dense, sparse = (Regression(CONFIG).fit(kind(X), Y) for kind in (numpy.asarray, csr_matrix))
    assert sparse.predict(csr_matrix(X)).tolist() == dense.predict(X).tolist()


@pytest.mark.parametrize("method", ["NN", "cosine", "euclidean"])
@pytest.mark.parametrize("kind", [numpy.asarray, csr_matrix])
def test_rows_of_a_matrix_are_kept_as_records(method: str, kind: Any) -> None:
    parameter: dict[str, Any] = {"nearest_neighbor_num": 3, "weight": "distance"}
    if method == "NN":
        parameter |= {"method": "euclid_lsh", "parameter": {"hash_num": 64}}
    model = Regression({**CONFIG, "method": method, "parameter": parameter}).fit(kind(X), Y)
    assert model.predict(kind(X)).tolist() == pytest.approx(Y.tolist())
    assert model.fit(kind(X[:1]), [7.0]).predict(kind(X[:1])).tolist() == [7.0]


def test_fit_begins_again() -> None:
    model = Regression(CONFIG).fit(X, -Y)
    assert model.fit(X, Y).predict(X).tolist() == Regression(CONFIG).fit(X, Y).predict(X).tolist()


def test_many_rows_are_learned_in_their_order() -> None:
    count = 2 * matrix.BLOCK + 3
    model = Regression(CONFIG).fit(numpy.ones((count, 1)), numpy.arange(count))
    assert model.predict(numpy.ones((count, 1))).shape == (count,)
    assert model.estimate([Datum({"0": 1.0})]) == [model.predict(numpy.ones((1, 1)))[0]]


def test_of_no_rows_nothing_is_learned() -> None:
    model = Regression(CONFIG)
    assert model.partial_fit(numpy.zeros((0, 2)), []).predict(numpy.zeros((0, 2))).tolist() == []
    assert model.predict(numpy.ones((2, 2))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("y", "text"),
    [([1.0], "invalid shape"), ([[1.0], [2.0]], "invalid shape"), (["a", "b"], "y must have numbers")],
)
def test_targets_of_another_kind_are_refused(y: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Regression(CONFIG).partial_fit(numpy.ones((2, 1)), y)


def test_a_target_that_is_not_finite_ends_the_learning() -> None:
    model = Regression(CONFIG)
    with pytest.raises(JubatusError, match="the target must be a finite number"):
        model.partial_fit(numpy.ones((2, 1)), [1.0, numpy.inf])
    assert (
        model.predict(numpy.ones((1, 1))).tolist()
        == Regression(CONFIG).fit(numpy.ones((1, 1)), [1.0]).predict(numpy.ones((1, 1))).tolist()
    )
