"""The classifier in process, with the methods that scikit-learn's have."""

from collections.abc import Iterator
from typing import Any, Self

from jubatus import classifier
from jubatus._core.wire import Reader, pack, unpack
from jubatus.embedded import matrix
from jubatus.embedded.base import Embedded

Row = list[tuple[int, float]]


class Classifier(Embedded, service=classifier.SERVICE):
    """Learns to give labels to data, in process.

    Besides datums it takes the rows of a matrix (a two-dimensional float64 ndarray or csr_matrix): column j is the
    number named ``str(j)``, and the class, an integer from 0, is the label ``str(class)``.
    """

    def _set_up(self, text: bytes, source: str = "") -> None:
        super()._set_up(text, source)
        self._classes: list[int] | None = None

    def _become(self, text: bytes, driver: bytes) -> None:
        super()._become(text, driver)
        with self._lock:
            labels: Any = unpack(self._model.get_labels(Reader(b"")))
        whole = labels and all(str(number).encode() in labels for number in range(len(labels)))
        self._classes = list(range(len(labels))) if whole else None

    @property
    def classes_(self) -> list[int] | None:
        """The classes from 0 to the largest that ``fit`` or ``partial_fit`` saw; None before."""
        return self._classes

    def fit(self, X: Any, y: Any) -> Self:
        """Forget everything, learn the rows of a matrix in order and return self; raise as ``partial_fit``."""
        with self._lock:
            self._model.clear(Reader(b""))
        self._classes = None
        return self.partial_fit(X, y)

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Learn the rows of a matrix in order and return self.

        Args:
            X: the matrix; zeros of an ndarray are no features, explicit zeros of a csr_matrix are.
            y: the class of each row.

        Raises:
            ValueError: X or y is of another kind, or their shapes do not fit.
        """
        matrix.check(X)
        numbers = matrix.classes(y, X.shape[0])
        for packed in matrix.examples(X, map(str, numbers)):
            with self._lock:
                self._model.train(Reader(packed))
        self._classes = list(range(max([len(self._classes or ()), *(number + 1 for number in numbers)])))
        return self

    def predict(self, X: Any) -> Any:
        """Return the class with the highest score for each row of a matrix, as an int32 ndarray.

        Of equal scores the first counts; without any label it is 0.

        Raises:
            ValueError: X is of another kind, or a label is no class.
        """
        import numpy

        matrix.check(X)
        best = (max(row, key=_score)[0] if row else 0 for rows in self._classify(X) for row in rows)
        return numpy.fromiter(best, numpy.int32, X.shape[0])

    def decision_function(self, X: Any) -> Any:
        """Return the scores of the classes for each row of a matrix, as a float64 ndarray.

        Returns:
            a column for each class; for two labels one number: the score of the winner, negative if that is class 0;
            without any label zeros.

        Raises:
            ValueError: X is of another kind, or a label is no class.
        """
        import numpy

        matrix.check(X)
        return numpy.concatenate(list(map(_scores, self._classify(X))) or [numpy.zeros(0)])

    def _classify(self, X: Any) -> Iterator[list[Row]]:
        """Yield the rows, some at a time, as (class, score) of all labels."""
        for block in matrix.blocks(X):
            packed = pack(block)
            with self._lock:
                result: Any = self._model.classify(Reader(packed))
            yield [[(int(label), score) for label, score in row] for row in unpack(result)]


def _score(pair: tuple[int, float]) -> float:
    return pair[1]


def _scores(rows: list[Row]) -> Any:
    """Return what decision_function does for these rows."""
    import numpy

    labels = [label for label, _ in rows[0]]
    if not labels:
        return numpy.zeros(len(rows))
    if len(labels) == 2:
        winners = [max(row, key=_score) for row in rows]
        return numpy.array([score if label else -score for label, score in winners])
    scores = numpy.zeros((len(rows), max(labels) + 1))
    for target, row in zip(scores, rows, strict=True):
        for label, score in row:
            target[label] = score
    return scores
