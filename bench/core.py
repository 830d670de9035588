"""Learning and predicting in process: ours beside Vowpal Wabbit, scikit-learn and river on the same messages.

What is in the time of each learner is its docstring; preparing its input and reading its answers are not. All run on
one thread. All are passive-aggressive with 20 classes except Vowpal Wabbit, which has its default learner.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from typing import Any

from river.feature_extraction import BagOfWords
from river.linear_model import PAClassifier
from river.multiclass import OneVsRestClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from vowpalwabbit import Workspace

from bench import workloads
from bench.report import ratio, spread, table
from bench.services import classifier
from bench.services.classifier import config
from bench.workloads import CLASSES, SPACE_BIN, Item, pack
from jubatus import embedded
from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import Reader, unpack
from jubatus.classifier.types import LabeledDatum
from jubatus.common import Datum

TESTS = 5_000
LABELS = [f"class{number:02}" for number in range(CLASSES)]


class Learner:
    """What is measured; the docstring of a subclass says what is in its time."""

    items = 40_000
    size = 1

    def training(self, items: Sequence[Item]) -> Any:
        """Return the training input of one call."""
        raise AssertionError

    def query(self, items: Sequence[Item]) -> Any:
        """Return the prediction input of one call."""
        raise AssertionError

    def learn(self, calls: list[Any]) -> None:
        """Learn; this is timed."""
        raise AssertionError

    def predict(self, calls: list[Any]) -> Iterator[Any]:
        """Yield an answer a call; this is timed, and each answer is gone before the next call."""
        raise AssertionError

    def labels(self, answer: Any) -> Sequence[str]:
        """Return the predicted labels that an answer holds."""
        raise AssertionError


class Packed(Learner):
    """Ours, packed, 1 a call: from the bytes of a request's parameters to those of its result."""

    def __init__(self) -> None:
        self.model = Classifier(config("PA", SPACE_BIN))

    def training(self, items: Sequence[Item]) -> bytes:
        return pack(["", classifier.training(items)])

    def query(self, items: Sequence[Item]) -> bytes:
        return pack(["", classifier.queries(items)])

    def learn(self, calls: list[bytes]) -> None:
        for call in calls:
            arguments = Reader(call)
            arguments.arguments(1)
            self.model.train(arguments)

    def predict(self, calls: list[bytes]) -> Iterator[bytes]:
        for call in calls:
            arguments = Reader(call)
            arguments.arguments(1)
            yield self.model.classify(arguments)

    def labels(self, answer: bytes) -> list[str]:
        results: Any = unpack(answer)
        return [max(result, key=lambda estimate: estimate[1])[0].decode() for result in results]


class PackedBulk(Packed):
    """Ours, packed, 100 a call: the same with 100 messages in each request."""

    size = 100


class Objects(Learner):
    """Ours, objects, 1 a call: jubatus.embedded from LabeledDatum and Datum to Python results."""

    def __init__(self) -> None:
        self.model = embedded.Classifier(config("PA", SPACE_BIN))

    def training(self, items: Sequence[Item]) -> list[LabeledDatum]:
        return [LabeledDatum(label, Datum({"message": text})) for label, text in items]

    def query(self, items: Sequence[Item]) -> list[Datum]:
        return [Datum({"message": text}) for _, text in items]

    def learn(self, calls: list[list[LabeledDatum]]) -> None:
        for call in calls:
            self.model.train(call)

    def predict(self, calls: list[list[Datum]]) -> Iterator[Any]:
        for call in calls:
            yield self.model.classify(call)

    def labels(self, answer: Any) -> list[str]:
        return [max(result, key=lambda estimate: estimate.score).label for result in answer]


class ObjectsBulk(Objects):
    """Ours, objects, 100 a call: the same with 100 messages in each call."""

    size = 100


class VowpalWabbit(Learner):
    """Vowpal Wabbit, --oaa 20, 1 a call: from its text format, which each call parses."""

    def __init__(self) -> None:
        self.model = Workspace(f"--oaa {CLASSES} --quiet")

    def training(self, items: Sequence[Item]) -> str:
        return f"{LABELS.index(items[0][0]) + 1} | {items[0][1]}"

    def query(self, items: Sequence[Item]) -> str:
        return f"| {items[0][1]}"

    def learn(self, calls: list[str]) -> None:
        for call in calls:
            self.model.learn(call)

    def predict(self, calls: list[str]) -> Iterator[int]:
        for call in calls:
            yield self.model.predict(call)

    def labels(self, answer: int) -> list[str]:
        return [LABELS[answer - 1]]


class ScikitLearn(Learner):
    """scikit-learn, 500 a call: HashingVectorizer (18 bits) and SGDClassifier.partial_fit (pa1) from strings."""

    items = 10_000
    size = 500

    def __init__(self) -> None:
        self.vectorizer = HashingVectorizer(
            n_features=1 << 18, analyzer=str.split, binary=True, norm=None, alternate_sign=False
        )
        self.model = SGDClassifier(loss="hinge", penalty=None, learning_rate="pa1", eta0=1.0)

    def training(self, items: Sequence[Item]) -> tuple[list[str], list[str]]:
        return [text for _, text in items], [label for label, _ in items]

    def query(self, items: Sequence[Item]) -> list[str]:
        return [text for _, text in items]

    def learn(self, calls: list[tuple[list[str], list[str]]]) -> None:
        for texts, labels in calls:
            self.model.partial_fit(self.vectorizer.transform(texts), labels, classes=LABELS)

    def predict(self, calls: list[list[str]]) -> Iterator[Any]:
        for texts in calls:
            yield self.model.predict(self.vectorizer.transform(texts))

    def labels(self, answer: Any) -> list[str]:
        return list(answer)


class River(Learner):
    """river, 1 a call: BagOfWords and OneVsRestClassifier(PAClassifier) from strings."""

    items = 4_000

    def __init__(self) -> None:
        self.model = BagOfWords(tokenizer=str.split) | OneVsRestClassifier(PAClassifier())

    def training(self, items: Sequence[Item]) -> tuple[str, str]:
        return items[0][1], items[0][0]

    def query(self, items: Sequence[Item]) -> str:
        return str(items[0][1])

    def learn(self, calls: list[tuple[str, str]]) -> None:
        for text, label in calls:
            self.model.learn_one(text, label)

    def predict(self, calls: list[str]) -> Iterator[Any]:
        for text in calls:
            yield self.model.predict_one(text)

    def labels(self, answer: str) -> list[str]:
        return [answer]


LEARNERS = (VowpalWabbit, Packed, PackedBulk, Objects, ObjectsBulk, ScikitLearn, River)


def measure(kind: type[Learner], items: list[Item], tests: list[Item]) -> tuple[float, float, float]:
    """Return learned and predicted messages a second, and the part of the predictions that is right."""
    learner = kind()
    size = kind.size
    trainings = [learner.training(items[at : at + size]) for at in range(0, len(items), size)]
    queries = [learner.query(tests[at : at + size]) for at in range(0, len(tests), size)]
    gc.collect()
    gc.freeze()  # what was made before is not in the time, nor is looking through it for garbage
    start = time.perf_counter()
    learner.learn(trainings)
    middle = time.perf_counter()
    for _ in learner.predict(queries):  # an answer that is kept costs the time of looking through it for garbage
        pass
    end = time.perf_counter()
    gc.unfreeze()
    predicted = [label for answer in learner.predict(queries) for label in learner.labels(answer)]
    right = sum(label == guess for (label, _), guess in zip(tests, predicted, strict=True))
    return len(items) / (middle - start), len(tests) / (end - middle), right / len(tests)


def main(repeat: int, scale: float) -> None:
    """Print the table."""
    items = workloads.messages(max(kind.items for kind in LEARNERS) + TESTS)
    training, tests = items[:-TESTS], items[-TESTS:]
    tests = tests[: max(1, int(TESTS * scale))]
    runs = [
        [measure(kind, training[: max(1, int(kind.items * scale))], tests[: kind.items // 2]) for kind in LEARNERS]
        for _ in range(repeat)
    ]
    yardstick = [run[LEARNERS.index(VowpalWabbit)] for run in runs]
    rows = []
    for column, kind in enumerate(LEARNERS):
        learned, predicted, right = zip(*[run[column] for run in runs], strict=True)
        name, _, timed = (kind.__doc__ or "").partition(":")
        rows.append(
            [
                name,
                timed.strip(" .\n"),
                f"{int(kind.items * scale):,}",
                spread(learned),
                ratio(learned, [run[0] for run in yardstick]),
                spread(predicted),
                ratio(predicted, [run[1] for run in yardstick]),
                spread([100 * part for part in right], 1),
            ]
        )
    header = ["learner", "timed", "messages", "learned/s", "/ VW", "predicted/s", "/ VW", "right %"]
    table("In process, messages of 100 words, 20 classes", header, rows)
