"""The models of the services ``classifier`` (linear methods) and ``weight``: a converter and, for the first, a learner."""

from typing import Any

from tests.reference.converter import Converter, Datum, sort_and_merge
from tests.reference.linear import Linear
from tests.reference.storage import Given
from tests.reference.weights import Weights


class Classifier:
    """Takes and gives the values of the wire as Python values; labels are bytes, a datum is in its wire form."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.converter = Converter(config["converter"])
        self.linear = Linear(config["method"], config.get("parameter"), distributed)

    def train(self, data: list[Any]) -> int:
        for label, datum in data:
            self.linear.check(label)
            vector = self.converter.convert_to_learn(Datum.of(datum))
            self.linear.train(sort_and_merge(vector), label)
        return len(data)

    def classify(self, data: list[Any]) -> list[Any]:
        return [self.linear.classify(self.converter.convert(Datum.of(datum))) for datum in data]

    def get_labels(self) -> dict[bytes, int]:
        return self.linear.labels.counts()

    def set_label(self, label: bytes) -> bool:
        return self.linear.set_label(label)

    def delete_label(self, label: bytes) -> bool:
        return self.linear.delete_label(label)

    def clear(self) -> bool:
        self.linear.clear()
        self.converter.weights.clear()
        return True

    def status(self) -> dict[str, str]:
        return self.linear.status() | self.converter.weights.status()

    def pack(self) -> list[Any]:
        return [self.linear.pack(), self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        self.linear.unpack(packed[0])
        self.converter.weights.unpack(packed[1])

    def get_diff(self) -> list[Any]:
        return [*self.linear.get_diff(), self.converter.weights.get_diff()]

    def given(self) -> list[Given | None]:
        """Remember the diff as it is."""
        return [*self.linear.given(), self.converter.weights.given()]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        """A diff of an older version is left out as a whole."""
        if versions(new) != versions(acc):
            return max(new, acc, key=versions)
        return [*Linear.mix(new[:2], acc[:2]), Weights.mix(new[2], acc[2])]

    def put_diff(self, diff: list[Any], since: list[Given | None] | None = None) -> bool:
        """A diff of which a part is of another version changes nothing."""
        if versions(diff) != versions(self.get_diff()):
            return False
        since = since or [None] * 3
        self.linear.put_diff(diff[:2], since[:2])
        self.converter.weights.put_diff(diff[2], since[2])
        return True

    def catch_up(self, fresh: "Classifier", since: list[Given | None] | None = None) -> None:
        since = since or [None] * 3
        self.linear.catch_up(fresh.linear, since[:2])
        self.converter.weights.catch_up(fresh.converter.weights, since[2])


def versions(diff: list[Any]) -> list[int]:
    """The versions of weights and statistics."""
    weights, _, statistics = diff
    return [weights[1][1][0], statistics[1][0]]


class Weight:
    """The model of the service ``weight``."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.converter = Converter(config["converter"])

    def update(self, datum: list[Any]) -> list[Any]:
        return sort_and_merge(self.converter.convert_and_update(Datum.of(datum)))

    def calc_weight(self, datum: list[Any]) -> list[Any]:
        return sort_and_merge(self.converter.convert(Datum.of(datum)))

    def clear(self) -> bool:
        self.converter.weights.clear()
        return True

    def status(self) -> dict[str, str]:
        return self.converter.weights.status()

    def pack(self) -> list[Any]:
        return [self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        self.converter.weights.unpack(packed[0])

    def get_diff(self) -> list[Any]:
        return [self.converter.weights.get_diff()]

    def given(self) -> list[Given | None]:
        """Remember the diff as it is."""
        return [self.converter.weights.given()]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        return [Weights.mix(new[0], acc[0])]

    def put_diff(self, diff: list[Any], since: list[Given | None] | None = None) -> bool:
        return self.converter.weights.put_diff(diff[0], since[0] if since else None)

    def catch_up(self, fresh: "Weight", since: list[Given | None] | None = None) -> None:
        self.converter.weights.catch_up(fresh.converter.weights, since[0] if since else None)
