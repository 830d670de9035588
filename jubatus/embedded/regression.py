"""Regression in process, with the methods that scikit-learn's have."""

from typing import Any, Self

from jubatus import regression
from jubatus._core.wire import Reader, pack, unpack
from jubatus.embedded import matrix
from jubatus.embedded.base import Embedded


class Regression(Embedded, service=regression.SERVICE):
    """Learns to estimate a number from data, in process.

    Besides datums it takes the rows of a matrix (a two-dimensional float64 ndarray or csr_matrix): column j is the
    number named ``str(j)``.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Forget everything, learn the rows of a matrix in order and return self; raise as ``partial_fit``."""
        with self._lock:
            self._model.clear(Reader(b""))
        return self.partial_fit(X, y)

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Learn the rows of a matrix in order and return self.

        Args:
            X: the matrix; zeros of an ndarray are no features, explicit zeros of a csr_matrix are.
            y: the number that belongs to each row.

        Raises:
            ValueError: X or y is of another kind, or their shapes do not fit.
            JubatusError: a number is NaN or infinite; the rows before it were learned.
        """
        matrix.check(X)
        for packed in matrix.examples(X, matrix.targets(y, X.shape[0])):
            with self._lock:
                self._model.train(Reader(packed))
        return self

    def predict(self, X: Any) -> Any:
        """Return the estimate for each row of a matrix, as a float64 ndarray.

        Raises:
            ValueError: X is of another kind.
        """
        import numpy

        matrix.check(X)
        estimates = numpy.zeros(X.shape[0])
        done = 0
        for block in matrix.blocks(X):
            packed = pack(block)
            with self._lock:
                result: Any = self._model.estimate(Reader(packed))
            estimates[done : done + len(block)] = unpack(result)
            done += len(block)
        return estimates
