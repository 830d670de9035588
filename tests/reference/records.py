"""Records under ids of chance, and the models of ``classifier`` and ``regression`` that ask the nearest ones."""

import itertools
import math
from collections.abc import Callable
from typing import Any

from tests.reference import Refusal, models
from tests.reference.converter import Converter, Datum, sort_and_merge
from tests.reference.ieee import div, f32
from tests.reference.nearest_neighbor import Neighbours
from tests.reference.regression import Regression
from tests.reference.rows import InvertedIndex, RawRows, Scored
from tests.reference.storage import Labels
from tests.reference.table import Version, VersionedTable
from tests.reference.unlearn import unlearner
from tests.reference.weights import Vector, Weights

METHODS = ("NN", "nearest_neighbor", "cosine", "euclidean")
EPSILON = 2.0**-52
FULL = "cannot add new ID as number of sticky IDs reached the maximum size of unlearner: "
Hook = Callable[[bytes], None]

_numbers = itertools.count()


def classifier(config: dict[str, Any], distributed: bool = False) -> Any:
    """Return the slow classifier of a configuration."""
    made: Any = NeighbourClassifier if config["method"] in METHODS else models.Classifier
    return made(config, distributed)


def regression(config: dict[str, Any], distributed: bool = False) -> Any:
    """Return the slow regression of a configuration."""
    made: Any = NeighbourRegression if config["method"] in METHODS else Regression
    return made(config, distributed)


def new_id() -> bytes:
    """Return an id that no record has; which one it is may not matter."""
    return b"%08d" % next(_numbers)


class Hashed:
    """Records in a table of hashes; an unlearner also chooses among those that come from other servers."""

    exact = 0.0

    def __init__(self, parameter: dict[str, Any], distributed: bool, came: Hook, went: Hook) -> None:
        self.near = Neighbours(parameter["method"], parameter["parameter"], distributed)
        self.table = self.near.table
        self.came, self.went = came, went
        given = {key: parameter.get(key) for key in ("unlearner", "unlearner_parameter")}
        self.unlearner = unlearner(given if given["unlearner"] else {}, self._evict)
        self.parts = [part for part in (self.unlearner, self.table) if part is not None]

    def _evict(self, id: bytes) -> None:
        if self.table.remove(id):
            self.went(id)

    def store(self, id: bytes, vector: Vector) -> None:
        if self.unlearner is not None and not self.unlearner.touch(id):
            raise Refusal(FULL)
        self.near.set_row(id, vector)

    def remove(self, id: bytes) -> None:
        self.table.remove(id)
        if self.unlearner is not None:
            self.unlearner.remove(id)

    def find(self, vector: Vector, most: int) -> Scored:
        """Return records with their distances."""
        return self.near.of_vector(vector, most)

    def put_diff(self, rows: list[Any]) -> None:
        receive = self.table.receive

        def watched(key: bytes, version: Version, cells: list[Any]) -> None:
            if self.unlearner is not None:
                self.unlearner.touch(key)
            if self.table.find(key) is None:
                self.came(key)
            receive(key, version, cells)

        self.table.receive = watched  # type: ignore[method-assign]
        self.table.put_diff(rows)
        del self.table.receive


class Indexed:
    """Records in an inverted index."""

    exact = EPSILON
    unlearner = None

    def __init__(self, euclid: bool) -> None:
        self.table = InvertedIndex(RawRows(), None)
        self.parts = [self.table]
        self.euclid = euclid

    def store(self, id: bytes, vector: Vector) -> None:
        self.table.update(id, vector)

    def find(self, vector: Vector, most: int) -> Scored:
        if self.euclid:
            return [(id, -score) for id, score in self.table.euclid(vector, most, False)]
        return [(id, 1.0 - score) for id, score in self.table.cosine(vector, most)]


class Neighbourly:
    """What both models have: records, something beside them, and document statistics."""

    beside: Any

    def __init__(self, config: dict[str, Any], distributed: bool) -> None:
        self.parameter = config["parameter"]
        self.converter = Converter(config["converter"])
        self.most = self.parameter["nearest_neighbor_num"] % 2**32
        self.records: Any
        if config["method"] in ("cosine", "euclidean"):
            self.records = Indexed(config["method"] == "euclidean")
        else:
            self.records = Hashed(self.parameter, distributed, self.came, self.went)

    def came(self, id: bytes) -> None:
        """Take notice of another server's record."""

    def went(self, id: bytes) -> None:
        """Take notice that a record was forgotten."""

    def _parts(self) -> list[Any]:
        return [*self.records.parts, self.beside]

    def _mixed(self) -> list[Any]:
        """The parts that are mixed before the statistics."""
        return [self.records.table, self.beside]

    def clear(self) -> bool:
        for part in [*self._parts(), self.converter.weights]:
            part.clear()
        return True

    def status(self) -> dict[str, str]:
        return {} if self.records.unlearner is None else dict(self.records.unlearner.status())

    def pack(self) -> list[Any]:
        return [[part.pack() for part in self._parts()], self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        for part, each in zip(self._parts(), packed[0], strict=True):
            part.unpack(each)
        self.converter.weights.unpack(packed[1])

    def get_diff(self) -> list[Any]:
        return [part.get_diff() for part in [*self._mixed(), self.converter.weights]]

    def given(self) -> list[Any]:
        """Remember the diff as it is; rows tell by their versions what others have."""
        parts = [*self._mixed(), self.converter.weights]
        return [None if isinstance(part, VersionedTable) else part.given() for part in parts]

    def mix(self, new: list[Any], acc: list[Any]) -> list[Any]:
        """A diff of an older version is left out as a whole."""
        if new[-1][1] != acc[-1][1]:
            return max(new, acc, key=lambda diff: diff[-1][1])
        mixed = [part.mix(n, a) for part, n, a in zip(self._mixed(), new, acc, strict=False)]
        return [*mixed, Weights.mix(new[-1], acc[-1])]

    def put_diff(self, diff: list[Any], since: list[Any] | None = None) -> bool:
        """A diff whose statistics are of another version changes nothing."""
        if diff[-1][1] != [self.converter.weights.version]:
            return False
        since = since or [None] * len(diff)
        for part, each, then in zip([*self._mixed(), self.converter.weights], diff, since, strict=True):
            if isinstance(self.records, Hashed) and part is self.records.table:
                self.records.put_diff(each)
            elif isinstance(part, VersionedTable):
                part.put_diff(each)
            else:
                part.put_diff(each, then)
        return True

    def catch_up(self, fresh: "Neighbourly", since: list[Any] | None = None) -> None:
        since = since or [None] * (len(self._mixed()) + 1)
        for mine, theirs, then in zip(self._mixed(), fresh._mixed(), since, strict=False):
            mine.catch_up(theirs, *([] if isinstance(mine, VersionedTable) else [then]))
        self.converter.weights.catch_up(fresh.converter.weights, since[-1])


class NeighbourClassifier(Neighbourly):
    """A label's score is a sum over those of the nearest records that have it."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.beside = Labels()
        super().__init__(config, distributed)
        self.sensitivity = f32(self.parameter["local_sensitivity"])

    def came(self, id: bytes) -> None:
        self.beside.increment(label_of(id))

    def went(self, id: bytes) -> None:
        label = label_of(id)
        if self.beside.counts().get(label, 0) > 1:
            self.beside.add(label, -1)
        else:
            self.beside.delete_label(label)

    def train(self, data: list[Any]) -> int:
        for label, datum in data:
            vector = sort_and_merge(self.converter.convert_to_learn(Datum.of(datum)))
            self.records.store(label + b"_" + new_id(), vector)
            self.beside.increment(label)
        return len(data)

    def classify(self, data: list[Any]) -> list[Any]:
        return [self._scores(self.converter.convert(Datum.of(datum))) for datum in data]

    def _scores(self, vector: Vector) -> list[Any]:
        scores = dict.fromkeys(self.beside.counts(), 0.0)
        for id, distance in self.records.find(vector, self.most):
            scores[label_of(id)] = scores.get(label_of(id), 0.0) + math.exp(-self.sensitivity * distance)
        return sorted(scores.items())

    def get_labels(self) -> dict[bytes, int]:
        return self.beside.counts()

    def set_label(self, label: bytes) -> bool:
        return bool(self.beside.set_label(label))

    def delete_label(self, label: bytes) -> bool:
        if isinstance(self.records, Indexed) or not self.beside.delete_label(label):
            return False
        for id in [row[0] for row in self.records.table.rows if label_of(row[0]) == label]:
            self.records.remove(id)
        return True

    def status(self) -> dict[str, str]:
        return super().status() | self.converter.weights.status()

    def _mixed(self) -> list[Any]:
        """Of a table, the rows tell the counts."""
        return super()._mixed() if isinstance(self.records, Indexed) else [self.records.table]

    def catch_up(self, fresh: Neighbourly, since: list[Any] | None = None) -> None:
        super().catch_up(fresh, since)
        if isinstance(self.records, Hashed):
            known = fresh.beside.counts()
            version = fresh.beside.version
            self.beside.clear()
            self.beside.version = version
            for label in known:
                self.beside.add(label, 0)
            for row in self.records.table.rows:
                self.came(row[0])


def label_of(id: bytes) -> bytes:
    """Return what stands before the last ``_``."""
    return id.rpartition(b"_")[0] if b"_" in id else id


class Targets(VersionedTable):
    """The number that belongs to each record."""

    def __init__(self, distributed: bool) -> None:
        super().__init__([0], distributed)


class NeighbourRegression(Neighbourly):
    """The mean of the targets of the nearest records."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.beside = Targets(distributed)
        super().__init__(config, distributed)
        self.by_distance = self.parameter.get("weight") == "distance"

    def went(self, id: bytes) -> None:
        self.beside.remove(id)

    def train(self, examples: list[Any]) -> int:
        for target, datum in examples:
            if not math.isfinite(float(target)):
                raise Refusal("the target must be a finite number")
            vector = self.converter.convert_to_learn(Datum.of(datum))
            id = new_id()
            self.records.store(id, vector)
            self.beside.set(id, float(target))
        return len(examples)

    def estimate(self, data: list[Any]) -> list[float]:
        return [self._estimate(self.converter.convert(Datum.of(datum))) for datum in data]

    def _estimate(self, vector: Vector) -> float:
        found = [(self.beside.find(id)[2][0], d) for id, d in self.records.find(vector, self.most)]
        if not found:
            return 0.0
        weights = [1.0] * len(found)
        if self.by_distance:
            equal = list(itertools.takewhile(lambda pair: pair[1] <= self.records.exact, found))
            found = equal or found
            weights = [1.0 if equal else div(1.0, abs(d)) for _, d in found]
        total = parts = 0.0
        for (target, _), weight in zip(found, weights, strict=False):
            total += weight * target
            parts += weight
        return div(total, parts)

    def put_diff(self, diff: list[Any], since: list[Any] | None = None) -> bool:
        """Targets whose record was forgotten for one of the same diff go too."""
        taken = super().put_diff(diff, since)
        if taken and self.records.unlearner is not None:
            for id in [row[0] for row in self.beside.rows]:
                if self.records.table.find(id) is None:
                    self.beside.remove(id)
        return taken
