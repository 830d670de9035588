import pickle
from typing import Any

import numpy
import pytest
from scipy.sparse import csr_matrix

from jubatus.classifier.types import EstimateResult, LabeledDatum
from jubatus.common import Datum
from jubatus.embedded import Classifier
from jubatus.errors import ModelFileError

CONFIG = {
    "method": "perceptron",
    "converter": {
        "num_rules": [{"key": "*", "type": "num"}],
        "string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}],
    },
    "parameter": {},
}
SPAM = [("Y", Datum({"x": "y"})), ("N", Datum({"x": "n"}))]
X = numpy.eye(3)
Y = numpy.array([1, 2, 0])


def best(results: list[list[EstimateResult]]) -> list[str]:
    return [max(row, key=lambda result: result.score).label for row in results]


@pytest.mark.parametrize("data", [SPAM, [LabeledDatum(*pair) for pair in SPAM], [list(pair) for pair in SPAM]])
def test_labels_are_learned(data: Any) -> None:
    classifier = Classifier(CONFIG)
    assert classifier.train(data) == 2
    assert classifier.train([]) == 0
    found = classifier.classify([datum for _, datum in SPAM])
    assert type(found[0][0]) is EstimateResult
    assert best(found) == ["Y", "N"]
    assert classifier.get_labels() == {"N": 1, "Y": 1}
    assert classifier.classify([]) == []


def test_labels_are_made_known_and_forgotten() -> None:
    classifier = Classifier(CONFIG)
    assert classifier.set_label("Y") is True
    assert classifier.set_label(new_label="Y") is False
    assert classifier.get_labels() == {"Y": 0}
    assert classifier.delete_label("Y") is True
    assert classifier.clear() is True
    assert classifier.classify([Datum()]) == [[]]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("text", "type <class 'list'>, <class 'tuple'> is expected, but <class 'str'> is given"),
        ([1], "or tuple/list are expected, but <class 'int'> is given"),
        ([("a",)], "size of tuple is 1, but 2 is expected"),
        ([("a", "b")], "Datum'> is expected, but <class 'str'> is given"),
        ([(1, Datum())], "type <class 'str'> is expected, but <class 'int'> is given"),
    ],
)
def test_data_are_checked_before_anything_is_learned(data: Any, text: str) -> None:
    classifier = Classifier(CONFIG)
    with pytest.raises(TypeError, match=text):
        classifier.train(data)
    if isinstance(data, list):
        with pytest.raises(TypeError, match=text):
            classifier.train([*SPAM, *data])
    assert classifier.get_labels() == {}


def test_letters_of_all_scripts_are_labels() -> None:
    classifier = Classifier(CONFIG)
    classifier.train([("größe あ", Datum({"キー": "値"}))])
    assert best(classifier.classify([Datum({"キー": "値"})])) == ["größe あ"]


@pytest.mark.parametrize("method", ["PA", "PA1", "PA2", "CW", "AROW", "NHERD"])
@pytest.mark.parametrize("kind", [numpy.asarray, csr_matrix])
def test_rows_of_a_matrix_are_learned(method: str, kind: Any) -> None:
    parameter = {} if method == "PA" else {"regularization_weight": 1.0}
    classifier = Classifier({**CONFIG, "method": method, "parameter": parameter})
    assert classifier.classes_ is None
    assert classifier.partial_fit(kind(X), Y) is classifier
    predicted = classifier.predict(kind(X))
    assert predicted.dtype == numpy.int32
    assert predicted.tolist() == Y.tolist()
    scores = classifier.decision_function(kind(X))
    assert scores.shape == (3, 3)
    assert scores.dtype == numpy.float64
    assert scores.argmax(axis=1).tolist() == Y.tolist()
    assert classifier.classes_ == [0, 1, 2]
    assert classifier.get_labels() == {"0": 1, "1": 1, "2": 1}


@pytest.mark.parametrize("method", ["NN", "cosine", "euclidean"])
@pytest.mark.parametrize("kind", [numpy.asarray, csr_matrix])
def test_rows_of_a_matrix_are_kept_as_records(method: str, kind: Any) -> None:
    parameter: dict[str, Any] = {"nearest_neighbor_num": 1, "local_sensitivity": 1.0}
    if method == "NN":
        parameter |= {"method": "euclid_lsh", "parameter": {"hash_num": 64}}
    classifier = Classifier({**CONFIG, "method": method, "parameter": parameter}).fit(kind(X), Y)
    assert classifier.predict(kind(X)).tolist() == Y.tolist()
    assert classifier.decision_function(kind(X)).tolist() == numpy.eye(3)[Y].tolist()
    assert classifier.get_labels() == {"0": 1, "1": 1, "2": 1}
    assert classifier.fit(kind(X[:2]), Y[:2]).get_labels() == {"1": 1, "2": 1}


def test_rows_are_learned_like_datums() -> None:
    random = numpy.random.default_rng(1)
    many, classes = random.normal(size=(2500, 4)), random.integers(0, 3, 2500)
    rows, datums = Classifier(CONFIG), Classifier(CONFIG)
    rows.fit(many, classes)
    for row, label in zip(many.tolist(), classes.tolist(), strict=True):
        datums.train([(str(label), Datum({str(j): value for j, value in enumerate(row)}))])
    found = rows.decision_function(many[:50])
    for row, scores in zip(many[:50].tolist(), found, strict=True):
        datum = Datum({str(j): value for j, value in enumerate(row)})
        assert {int(r.label): r.score for r in datums.classify([datum])[0]} == dict(enumerate(scores))


def test_fit_forgets_and_partial_fit_does_not() -> None:
    classifier = Classifier(CONFIG)
    classifier.partial_fit(X, Y).partial_fit(X[:1], numpy.array([4]))
    assert classifier.classes_ == [0, 1, 2, 3, 4]
    assert classifier.get_labels()["1"] == 1
    assert classifier.decision_function(X).shape == (3, 5)
    assert classifier.fit(X[:2], numpy.array([0, 1])) is classifier
    assert classifier.classes_ == [0, 1]
    assert classifier.get_labels() == {"0": 1, "1": 1}


def test_two_classes_have_one_signed_score() -> None:
    classifier = Classifier(CONFIG).fit(X[:2], numpy.array([1, 0]))
    scores = classifier.decision_function(X)
    assert scores.shape == (3,)
    assert scores[0] > 0 > scores[1]
    assert scores[2] == 0
    assert classifier.predict(X[:2]).tolist() == [1, 0]
    single = {result.label: result.score for result in classifier.classify([Datum({"1": 1})])[0]}
    assert scores[1] == -single["0"]


def test_without_labels_all_is_0() -> None:
    classifier = Classifier(CONFIG)
    assert classifier.predict(X).tolist() == [0, 0, 0]
    assert classifier.decision_function(X).tolist() == [0, 0, 0]
    assert classifier.decision_function(numpy.zeros((0, 3))).shape == (0,)
    assert classifier.partial_fit(numpy.zeros((0, 3)), numpy.array([])).classes_ == []


def test_wrong_matrices_are_refused_before_anything_is_learned() -> None:
    classifier = Classifier(CONFIG)
    for matrix, classes in ((X, Y[:2]), (X.astype(int), Y), (X.tolist(), Y), (X, Y - 1), (X, Y.astype(float))):
        with pytest.raises(ValueError):
            classifier.partial_fit(matrix, classes)
    for method in (classifier.predict, classifier.decision_function):
        with pytest.raises(ValueError):
            method(X.tolist())
    assert classifier.get_labels() == {}
    assert classifier.classes_ is None


def test_labels_that_are_no_classes() -> None:
    classifier = Classifier(CONFIG)
    classifier.train(SPAM)
    for method in (classifier.predict, classifier.decision_function):
        with pytest.raises(ValueError):
            method(X)


def test_classes_are_found_again_in_a_loaded_model() -> None:
    classifier = Classifier(CONFIG).fit(X, Y)
    loaded = Classifier(CONFIG)
    loaded.load_bytes(classifier.save_bytes())
    for other in (loaded, pickle.loads(pickle.dumps(classifier))):
        assert other.classes_ == [0, 1, 2]
        assert other.decision_function(X).tolist() == classifier.decision_function(X).tolist()
    classifier.set_label("label")
    loaded.load_bytes(classifier.save_bytes())
    assert loaded.classes_ is None
    with pytest.raises(ModelFileError):
        classifier.load_bytes(b"")
    assert classifier.classes_ == [0, 1, 2]
