"""The model of the service ``recommender``: rows, and each method of finding similar ones."""

import math
from typing import Any

from tests.reference import Refusal
from tests.reference.converter import Converter, Datum
from tests.reference.hashed import EuclidLsh, HashedRows, Lsh, MinHash, Probes
from tests.reference.ieee import div, f32, sqrt
from tests.reference.nearest_neighbor import Neighbours
from tests.reference.revert import revert
from tests.reference.rows import InvertedIndex, RawRows, Scored, sum_of_squares
from tests.reference.storage import Given
from tests.reference.unlearn import unlearner
from tests.reference.weights import Vector, Weights


class Rows:
    """A method: raw rows, an unlearner, and what a subclass stores to compare rows by."""

    storage: Any

    def __init__(self, parameter: dict[str, Any]) -> None:
        self.raw = RawRows()
        self.mixing = False
        self.unlearner = unlearner(parameter, self.evict)

    def evict(self, name: bytes) -> None:
        self.remove(name)

    def update(self, name: bytes, vector: Vector) -> None:
        if self.unlearner is not None and not self.unlearner.can_touch(name):
            text = "cannot add new row as number of sticky rows reached the maximum size of unlearner: "
            raise Refusal(text + name.decode("utf-8", "surrogateescape"))
        self.raw.update(name, vector)
        self.store(name, vector)
        if self.unlearner is not None:
            self.unlearner.touch(name)

    def clear_row(self, name: bytes) -> None:
        self.remove(name)
        if self.unlearner is not None:
            self.unlearner.remove(name)

    def find_like(self, name: bytes, most: int) -> Scored:
        return self.find(self.raw.vector(name), most)

    def find(self, vector: Vector, most: int) -> Scored:
        return []

    def names(self) -> list[bytes]:
        names: list[bytes] = self.storage.names()
        return names

    def store(self, name: bytes, vector: Vector) -> None:
        pass

    def remove(self, name: bytes) -> None:
        pass

    def clear(self) -> None:
        for part in self._parts():
            part.clear()

    def _parts(self) -> list[Any]:
        return [part for part in (self.unlearner, self.raw, self.storage) if part is not None]

    def pack(self) -> list[Any]:
        return [part.pack() for part in self._parts()]

    def unpack(self, packed: list[Any]) -> None:
        for part, each in zip(self._parts(), packed, strict=True):
            part.unpack(each)

    def put_diff(self, diff: Any, since: Any) -> None:
        self.mixing = True
        self.storage.put_diff(diff, since)
        self.mixing = False
        self.keep(self.storage.gone)

    def keep(self, names: list[bytes]) -> None:
        """Tell the unlearner which of some rows are there."""
        if self.unlearner is None:
            return
        for name in names:
            if not self.storage.has(name):
                self.unlearner.remove(name)
            elif not self.unlearner.touch(name):
                self.remove(name)

    def catch_up(self, fresh: "Rows", since: Any) -> None:
        self.storage.catch_up(fresh.storage, since)
        fresh.raw.adopt(self.raw)
        self.raw.rows, self.raw.features = fresh.raw.rows, fresh.raw.features
        if self.unlearner is not None and fresh.unlearner is not None:
            self.unlearner.unpack(fresh.unlearner.pack())
            self.keep(self.storage.changed())


class InvertedIndexRows(Rows):
    """Cosine or euclidean distance by an inverted index."""

    def __init__(self, parameter: dict[str, Any], euclid: bool) -> None:
        super().__init__(parameter)
        self.storage = InvertedIndex(self.raw, self.unlearner)
        self.euclid = euclid
        self.met_only = bool(parameter.get("ignore_orthogonal"))

    def evict(self, name: bytes) -> None:
        self.storage.forget(name, self.mixing)

    def find(self, vector: Vector, most: int) -> Scored:
        found: Scored
        if self.euclid:
            found = self.storage.euclid(vector, most, self.met_only)
        else:
            found = self.storage.cosine(vector, most)
        return found

    def store(self, name: bytes, vector: Vector) -> None:
        self.storage.update(name, vector)

    def remove(self, name: bytes) -> None:
        self.storage.remove(name)


class HashRows(Rows):
    """Hashes of rows, of which a kind makes them."""

    def __init__(self, parameter: dict[str, Any], kind: Any) -> None:
        super().__init__(parameter)
        self.kind = kind
        self.storage = HashedRows(kind.bits, kind.tables, self.raw, self.unlearner)
        self.storage.shifts = getattr(kind, "shifts", [])

    def find(self, vector: Vector, most: int) -> Scored:
        return self._ranked(self.kind.hash(vector), most, vector)

    def find_like(self, name: bytes, most: int) -> Scored:
        value = self.storage.value(name)
        return [] if value is None else self._ranked(value, most, None)

    def _ranked(self, value: Any, most: int, vector: Vector | None) -> Scored:
        found: Scored
        if isinstance(self.kind, EuclidLsh):
            probes = None if vector is None else Probes(self.kind.shifted(vector), self.kind.tables)
            found = self.storage.by_buckets(value, most, probes, self.kind.probes)
        else:
            found = self.storage.by_bits(value, most)
        return found

    def store(self, name: bytes, vector: Vector) -> None:
        self.storage.set(name, self.kind.hash(self.raw.vector(name)))

    def remove(self, name: bytes) -> None:
        self.storage.remove(name)


class NearestRows(Rows):
    """A method of nearest_neighbor; what happens to a row here is not told to others."""

    def __init__(self, parameter: dict[str, Any], distributed: bool) -> None:
        if parameter.get("unlearner") is None:
            parameter = {**parameter, "unlearner_parameter": None}
        super().__init__(parameter)
        self.near = Neighbours(parameter["method"], parameter["parameter"], distributed)
        self.storage = self.near.table

    def update(self, name: bytes, vector: Vector) -> None:
        if self.unlearner is not None and not self.unlearner.touch(name):
            text = "cannot add new ID as number of sticky IDs reached the maximum size of unlearner: "
            raise Refusal(text + name.decode("utf-8", "surrogateescape"))
        self.raw.update(name, vector)
        self.near.set_row(name, self.raw.vector(name))

    def find(self, vector: Vector, most: int) -> Scored:
        return self.near.similar(self.near.of_vector(vector, most))

    def names(self) -> list[bytes]:
        return [row[0] for row in self.storage.rows]

    def remove(self, name: bytes) -> None:
        self.raw.remove(name)
        self.storage.remove(name)

    def put_diff(self, diff: Any, since: Any) -> None:
        self.storage.put_diff(diff)

    def catch_up(self, fresh: "Rows", since: Any) -> None:
        raise AssertionError("rows of one server are not alike on another")


METHODS: dict[str, Any] = {
    "inverted_index": lambda parameter, distributed: InvertedIndexRows(parameter, False),
    "inverted_index_euclid": lambda parameter, distributed: InvertedIndexRows(parameter, True),
    "lsh": lambda parameter, distributed: HashRows(parameter, Lsh(parameter)),
    "minhash": lambda parameter, distributed: HashRows(parameter, MinHash(parameter)),
    "euclid_lsh": lambda parameter, distributed: HashRows(parameter, EuclidLsh(parameter)),
    "nearest_neighbor_recommender": NearestRows,
}


class Recommender:
    """Takes and gives the values of the wire as Python values; a datum is in its wire form."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.converter = Converter(config["converter"])
        self.rows: Rows = METHODS[config["method"]](config.get("parameter") or {}, distributed)
        self.updates = self.removals = 0

    def _vector(self, datum: list[Any]) -> Vector:
        return self.converter.convert(Datum.of(datum))

    def update_row(self, name: bytes, datum: list[Any]) -> bool:
        vector = self.converter.convert_to_learn(Datum.of(datum))
        self.updates += 1
        self.rows.update(name, vector)
        return True

    def clear_row(self, name: bytes) -> bool:
        self.removals += 1
        self.rows.clear_row(name)
        return True

    def clear(self) -> bool:
        self.rows.clear()
        self.converter.weights.clear()
        self.updates = self.removals = 0
        return True

    def similar_row_from_id(self, name: bytes, size: int) -> Scored:
        return self.rows.find_like(name, size)

    def similar_row_from_id_and_score(self, name: bytes, score: float) -> Scored:
        return [row for row in self.rows.find_like(name, len(self.rows.names())) if not row[1] < score]

    def similar_row_from_id_and_rate(self, name: bytes, rate: float) -> Scored:
        return self.rows.find_like(name, self._part(rate))

    def similar_row_from_datum(self, datum: list[Any], size: int) -> Scored:
        return self.rows.find(self._vector(datum), size)

    def similar_row_from_datum_and_score(self, datum: list[Any], score: float) -> Scored:
        return [row for row in self.rows.find(self._vector(datum), len(self.rows.names())) if not row[1] < score]

    def similar_row_from_datum_and_rate(self, datum: list[Any], rate: float) -> Scored:
        vector = self._vector(datum)
        return self.rows.find(vector, self._part(rate))

    def _part(self, rate: float) -> int:
        rate = f32(float(rate))
        if rate <= 0.0 or rate > 1.0:
            raise Refusal("invalid parameter (expected: 0 < rate <= 1)")
        rows = len(self.rows.names())
        return rows if math.isnan(rate) else math.ceil(f32(f32(float(rows)) * rate))

    def complete_row_from_id(self, name: bytes) -> Any:
        return self._complete(self.rows.raw.vector(name))

    def complete_row_from_datum(self, datum: list[Any]) -> Any:
        return self._complete(self._vector(datum))

    def _complete(self, vector: Vector) -> Any:
        rows = [row for name, _ in self.rows.find(vector, 128) if (row := self.rows.raw.vector(name))]
        sums: dict[bytes, float] = {}
        for feature, value in sorted(pair for row in rows for pair in row):
            sums[feature] = sums.get(feature, 0.0) + value
        return revert([(feature, div(total, float(len(rows)))) for feature, total in sums.items()])

    def decode_row(self, name: bytes) -> Any:
        return revert(self.rows.raw.vector(name))

    def get_all_rows(self) -> list[bytes]:
        return self.rows.names()

    def calc_similarity(self, lhs: list[Any], rhs: list[Any]) -> float:
        a, b = self._vector(lhs), self._vector(rhs)
        left, right = sqrt(sum_of_squares(a)), sqrt(sum_of_squares(b))
        if left == 0.0 or right == 0.0:
            return 0.0
        total = 0.0
        a, b = sorted(a), sorted(b)
        while a and b:
            if a[0][0] == b[0][0]:
                total += a.pop(0)[1] * b.pop(0)[1]
            else:
                (a if a[0][0] < b[0][0] else b).pop(0)
        return div(div(total, left), right)

    def calc_l2norm(self, datum: list[Any]) -> float:
        return sqrt(sum_of_squares(self._vector(datum)))

    # --- mix and model file

    def status(self) -> dict[str, str]:
        own = {"clear_row_cnt": str(self.removals), "update_row_cnt": str(self.updates)}
        return own | (self.rows.unlearner.status() if self.rows.unlearner is not None else {})

    def pack(self) -> list[Any]:
        return [self.rows.pack(), self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        self.rows.unpack(packed[0])
        self.converter.weights.unpack(packed[1])

    def get_diff(self) -> list[Any]:
        return [self.rows.storage.get_diff(), self.converter.weights.get_diff()]

    def given(self) -> list[Given | None]:
        """Remember the diff as it is."""
        storage = self.rows.storage
        return [storage.given() if hasattr(storage, "given") else None, self.converter.weights.given()]

    def mix(self, new: list[Any], acc: list[Any]) -> list[Any]:
        """A diff of an older version is left out as a whole."""
        if new[1][1] != acc[1][1]:
            return max(new, acc, key=lambda diff: diff[1][1])
        return [self.rows.storage.mix(new[0], acc[0]), Weights.mix(new[1], acc[1])]

    def put_diff(self, diff: list[Any], since: list[Any] | None = None) -> bool:
        """A diff whose statistics are of another version changes nothing."""
        if diff[1][1] != [self.converter.weights.version]:
            return False
        storage, statistics = since or [None] * 2
        self.rows.put_diff(diff[0], storage)
        self.converter.weights.put_diff(diff[1], statistics)
        return True

    def catch_up(self, fresh: "Recommender", since: list[Any] | None = None) -> None:
        storage, statistics = since or [None] * 2
        self.rows.catch_up(fresh.rows, storage)
        self.converter.weights.catch_up(fresh.converter.weights, statistics)
