"""The model of the service ``anomaly``: the local outlier factor, over similar rows and over rows known by hashes."""

import math
from copy import deepcopy
from typing import Any

from tests.reference import Refusal
from tests.reference.converter import Converter, Datum
from tests.reference.hashed import EuclidLsh
from tests.reference.ieee import div
from tests.reference.nearest_neighbor import Neighbours
from tests.reference.recommender import METHODS, HashRows, InvertedIndexRows, NearestRows, Rows
from tests.reference.table import VersionedTable
from tests.reference.tr1 import Map
from tests.reference.unlearn import unlearner
from tests.reference.weights import Vector, Weights

Near = list[tuple[bytes, float]]


def text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def larger(a: float, b: float) -> float:
    return b if a < b else a


def score(count: int, densities: float, reach: float) -> float:
    """The density around the neighbours divided by the own one."""
    if count == 0:
        return math.inf
    density = math.inf if reach == 0 else div(float(count), reach)
    if densities == math.inf and density == math.inf:
        return 1.0
    return div(densities, count * density)


def without(near: Near, name: bytes) -> Near:
    """Replace a row by the last one of a list."""
    for i, (each, _) in enumerate(near):
        if each == name:
            near[i] = near[-1]
            return near[:-1]
    return near


class Lof:
    """Rows of a method of the recommender; (distance of the k-th neighbour, density) of each, in two copies."""

    def __init__(self, parameter: dict[str, Any], distributed: bool) -> None:
        self.k, self.reverse = parameter["nearest_neighbor_num"], parameter["reverse_nearest_neighbor_num"]
        self.ignores = bool(parameter.get("ignore_kth_same_point"))
        self.shows_ignored = self.ignores
        self.rows: Rows = METHODS[parameter["method"]](parameter["parameter"], distributed)
        self.unlearner = unlearner(parameter, self.remove)
        self.ignored = self.time = 0
        self.clear()

    def clear(self) -> None:
        self.master: Map[bytes, list[float]] = Map()
        self.diff: Map[bytes, list[float]] = Map()
        self.changed: dict[bytes, int] = {}

    def clear_all(self) -> None:
        self.clear()
        self.rows.clear()
        self.ignored = 0
        if self.unlearner is not None:
            self.unlearner.clear()

    # --- neighbours

    def near(self, vector: Vector, most: int) -> Near:
        rows = self.rows
        if isinstance(rows, NearestRows):
            return rows.near.of_vector(vector, most)
        return self.distances(rows.find(vector, most))

    def near_row(self, name: bytes, most: int) -> Near:
        if isinstance(self.rows, NearestRows):
            return self.rows.near.of_vector(self.rows.raw.vector(name), most)
        return self.distances(self.rows.find_like(name, most))

    def distances(self, found: Near) -> Near:
        rows = self.rows
        euclid = isinstance(rows, InvertedIndexRows) and rows.euclid
        if euclid or (isinstance(rows, HashRows) and isinstance(rows.kind, EuclidLsh)):
            return [(name, -similarity) for name, similarity in found]
        return [(name, 1 - similarity) for name, similarity in found]

    # --- entries

    def entry(self, name: bytes) -> list[float]:
        found = self.diff[name] if name in self.diff else self.master[name] if name in self.master else None
        if found is None:
            raise Refusal("specified row does not exist")
        if found[0] < 0:
            raise Refusal("specified row is recently removed")
        return found

    def change(self, name: bytes) -> list[float]:
        self.time += 1
        self.changed[name] = self.time
        return self.diff.setdefault(name, [0.0, 0.0])

    def remove(self, name: bytes) -> None:
        self.change(name)[0] = -1.0
        self.rows.clear_row(name)

    def compute(self, names: Map[bytes, None]) -> None:
        lists = {name: self.near_row(name, self.k) for name in names}
        for name, near in lists.items():
            if near:
                self.change(name)[0] = near[-1][1]
        for name, near in lists.items():
            reach = 0.0
            for other, distance in near:
                reach += larger(distance, self.entry(other)[0])
            self.change(name)[1] = div(float(len(near)), reach + 1e-15) if near else 1.0

    def score_near(self, near: Near) -> float:
        densities: Map[bytes, float] = Map()
        reach = 0.0
        for name, distance in near:
            kdist, lrd = self.entry(name)
            densities[name] = lrd
            reach += larger(distance, kdist)
        total = 0.0
        for lrd in densities.values():
            total += lrd
        return score(len(near), total, reach)

    # --- calls

    def joined(self, name: bytes, vector: Vector) -> Vector:
        row = self.rows.raw.vector(name)
        for feature, value in vector:
            at = next((i for i, pair in enumerate(row) if pair[0] == feature), None)
            if at is None:
                row.append((feature, value))
            else:
                row[at] = (feature, value)
        return row

    def is_ignored(self, vector: Vector) -> bool:
        if not self.ignores:
            return False
        near = self.near(vector, self.k - 1)
        if len(near) < self.k - 1 or near[-1][1] != 0:
            return False
        self.ignored += 1
        return True

    def can_store(self, name: bytes) -> bool:
        return self.unlearner is None or self.unlearner.can_touch(name)

    def place(self, name: bytes, vector: Vector, names: Map[bytes, None]) -> None:
        if self.rows.raw.vector(name):
            for other, _ in self.near_row(name, self.reverse):
                names[other] = None
        self.rows.update(name, vector)
        for other, _ in self.near_row(name, self.reverse):
            names[other] = None
        names[name] = None

    def update(self, name: bytes, vector: Vector) -> float:
        if not self.can_store(name):
            words = "cannot add new row as number of sticky rows reached the maximum size of unlearner: "
            raise Refusal(words + text(name))
        joined = self.joined(name, vector)
        if self.is_ignored(joined):
            return self.score_near(self.near(joined, self.k))
        names: Map[bytes, None] = Map()
        self.place(name, vector, names)
        self.compute(names)
        if self.unlearner is not None:
            self.unlearner.touch(name)
        return self.score_near(without(self.near_row(name, self.k + 1), name))

    def overwrite(self, name: bytes, vector: Vector) -> float:
        self.remove(name)
        return self.update(name, vector)

    def clear_row(self, name: bytes) -> None:
        if self.unlearner is not None:
            self.unlearner.remove(name)
        self.remove(name)

    def score(self, vector: Vector) -> float:
        return self.score_near(self.near(vector, self.k))

    def add_bulk(self, points: list[tuple[bytes, Vector]]) -> list[bytes]:
        names: Map[bytes, None] = Map()
        stored = []
        for name, vector in points:
            if self.can_store(name) and not self.is_ignored(self.joined(name, vector)):
                self.place(name, vector, names)
                if self.unlearner is not None:
                    self.unlearner.touch(name)
                stored.append(name)
        self.compute(names)
        return stored

    def names(self) -> list[bytes]:
        return self.rows.names()

    # --- mix and model file

    def status(self) -> dict[str, str]:
        return {
            "num_id_master": str(len(self.master)),
            "num_id_diff": str(len(self.diff)),
            **({"num_ignored": str(self.ignored)} if self.shows_ignored else {}),
            **(self.unlearner.status() if self.unlearner is not None else {}),
        }

    def pack(self) -> list[Any]:
        own = [self.master.to_dict(), self.diff.to_dict(), self.k, self.reverse, self.ignores]
        return [*([self.unlearner.pack()] if self.unlearner is not None else []), own, self.rows.pack()]

    def unpack(self, packed: list[Any]) -> None:
        *first, own, rows = packed
        if self.unlearner is not None:
            self.unlearner.unpack(first[0])
        self.clear()
        self.master, self.diff = (Map((name, list(entry)) for name, entry in part.items()) for part in own[:2])
        self.k, self.reverse, self.ignores = own[2:]
        self.rows.unpack(rows)

    def get_diff(self) -> list[Any]:
        return [{name: list(entry) for name, entry in self.diff.items()}, self.rows.storage.get_diff()]

    def given(self) -> list[Any]:
        storage = self.rows.storage
        return [(self.time, list(self.diff)), storage.given() if hasattr(storage, "given") else None]

    def mix(self, new: list[Any], acc: list[Any]) -> list[Any]:
        entries: Map[bytes, Any] = Map(acc[0].items())
        for name, entry in Map(new[0].items()).items():
            if entry[0] < 0 or name not in entries:
                entries[name] = entry
        return [entries.to_dict(), self.rows.storage.mix(new[1], acc[1])]

    def put_diff(self, diff: list[Any], since: list[Any]) -> None:
        self.subtract(since[0])
        for name, entry in Map(diff[0].items()).items():
            self.put(name, list(entry))
        self.rows.put_diff(diff[1], since[1])

    def subtract(self, given: Any) -> None:
        if given is not None:
            for name in given[1]:
                if name in self.diff and self.diff[name][0] >= 0 and self.changed.get(name, 0) <= given[0]:
                    del self.diff[name]

    def put(self, name: bytes, entry: list[float]) -> None:
        if entry[0] < 0:
            if self.unlearner is not None:
                self.unlearner.remove(name)
            if name in self.master:
                del self.master[name]
            if name in self.diff and self.diff[name][0] < 0:
                del self.diff[name]
        elif self.can_store(name):
            if self.unlearner is not None:
                self.unlearner.touch(name)
            self.master[name] = entry

    def catch_up(self, fresh: "Lof", since: list[Any]) -> None:
        self.subtract(since[0])
        self.master = fresh.master
        self.k, self.reverse, self.ignores = fresh.k, fresh.reverse, fresh.ignores
        if self.unlearner is not None and fresh.unlearner is not None:
            self.unlearner.unpack(fresh.unlearner.pack())
        self.rows.catch_up(fresh.rows, since[1])


class LightLof:
    """Rows of a method of nearest_neighbor; (distance of the k-th neighbour, density) of each in a second table."""

    def __init__(self, parameter: dict[str, Any], distributed: bool) -> None:
        self.k, self.reverse = parameter["nearest_neighbor_num"], parameter["reverse_nearest_neighbor_num"]
        self.ignores = bool(parameter.get("ignore_kth_same_point"))
        self.rows = Neighbours(parameter["method"], parameter["parameter"], distributed)
        self.scores = VersionedTable([0, 0], distributed)
        self.waiting: list[bytes] | None = None
        self.unlearner = unlearner(parameter, self.evict)
        self.ignored = 0

    def clear_all(self) -> None:
        self.rows.table.clear()
        self.scores.clear()
        self.ignored = 0
        if self.unlearner is not None:
            self.unlearner.clear()

    def evict(self, name: bytes) -> None:
        if self.waiting is not None:
            self.waiting.append(name)
            return
        names: Map[bytes, None] = Map((other, None) for other, _ in self.rows.of_row(name, self.reverse))
        if name in names:
            del names[name]
        self.rows.table.remove(name)
        self.scores.remove(name)
        self.compute(names)

    def compute(self, names: Map[bytes, None]) -> None:
        lists = {name: self.rows.of_row(name, self.k) for name in names if self.scores.find(name) is not None}
        for name, near in lists.items():
            row = self.scores.find(name)
            assert row is not None
            self.scores.set(name, near[-1][1] if near else 0.0, row[2][1])
        for name, near in lists.items():
            row = self.scores.find(name)
            assert row is not None
            reach, count = 0.0, 0
            for other, distance in near:
                found = self.scores.find(other)
                if found is not None:
                    reach += larger(distance, found[2][0])
                    count += 1
            row[2][1] = 1.0 if count == 0 else math.inf if reach == 0 else div(float(count), reach)

    def score_near(self, near: Near) -> float:
        densities = reach = 0.0
        for name, distance in near:
            row = self.scores.find(name)
            if row is None:
                raise Refusal(f'row "{text(name)}" not found in light_lof table')
            densities += row[2][1]
            reach += larger(distance, row[2][0])
        return score(len(near), densities, reach)

    def is_ignored(self, vector: Vector) -> bool:
        if not self.ignores or self.k == 1:
            return False
        near = self.rows.of_vector(vector, self.k - 1)
        if len(near) < self.k - 1 or near[-1][1] != 0:
            return False
        self.ignored += 1
        return True

    def take(self, name: bytes) -> None:
        if self.unlearner is not None and not self.unlearner.touch(name):
            words = "cannot add new ID as number of sticky IDs reached the maximum size of unlearner: "
            raise Refusal(words + text(name))

    def enter(self, name: bytes, names: Map[bytes, None]) -> None:
        for other, _ in self.rows.of_row(name, self.reverse):
            names[other] = None
        self.scores.set(name, -1.0, -1.0)
        names[name] = None

    def update(self, name: bytes, vector: Vector) -> float:
        raise Refusal("unsupported method (update_row)")

    def clear_row(self, name: bytes) -> None:
        raise Refusal("unsupported method (clear_row)")

    def overwrite(self, name: bytes, vector: Vector) -> float:
        if self.is_ignored(vector):
            return self.score(vector)
        names: Map[bytes, None] = Map()
        if self.scores.find(name) is not None:
            for other, _ in self.rows.of_row(name, self.reverse):
                names[other] = None
        self.take(name)
        self.rows.set_row(name, vector)
        self.enter(name, names)
        self.compute(names)
        return self.score_near(without(self.rows.of_row(name, self.k + 1), name)[: self.k])

    def score(self, vector: Vector) -> float:
        return self.score_near(self.rows.of_vector(vector, self.k))

    def add_bulk(self, points: list[tuple[bytes, Vector]]) -> list[bytes]:
        stored = []
        for name, vector in points:
            if not self.is_ignored(vector):
                self.rows.set_row(name, vector)
                stored.append(name)
        names: Map[bytes, None] = Map()
        for name in stored:
            self.take(name)
            self.enter(name, names)
        self.compute(names)
        return stored

    def names(self) -> list[bytes]:
        return [row[0] for row in self.rows.table.rows]

    # --- mix and model file

    def status(self) -> dict[str, str]:
        return {
            "num_id": str(len(self.scores.rows)),
            **({"num_ignored": str(self.ignored)} if self.ignores else {}),
            **(self.unlearner.status() if self.unlearner is not None else {}),
        }

    def pack(self) -> list[Any]:
        first = [self.unlearner.pack()] if self.unlearner is not None else []
        return [*first, self.rows.table.pack(), self.scores.pack()]

    def unpack(self, packed: list[Any]) -> None:
        if self.unlearner is not None:
            self.unlearner.unpack(packed[0])
        self.rows.table.unpack(packed[-2])
        self.scores.unpack(packed[-1])

    def get_diff(self) -> list[Any]:
        return [self.rows.table.get_diff(), self.scores.get_diff()]

    def given(self) -> list[Any]:
        return [None, None]

    def mix(self, new: list[Any], acc: list[Any]) -> list[Any]:
        return [VersionedTable.mix(new[i], acc[i]) for i in range(2)]

    def put_diff(self, diff: list[Any], since: list[Any]) -> None:
        self.rows.table.put_diff(diff[0])
        if self.unlearner is not None:
            self.waiting = []
            for name, *_ in diff[1]:
                self.unlearner.touch(name)
        self.scores.put_diff(diff[1])
        waiting, self.waiting = self.waiting or [], None
        for name in waiting:
            if self.unlearner is not None and name not in self.unlearner:
                self.evict(name)

    def catch_up(self, fresh: "LightLof", since: list[Any]) -> None:
        self.rows.table.catch_up(fresh.rows.table)
        self.scores.catch_up(fresh.scores)
        if self.unlearner is not None and fresh.unlearner is not None:
            self.unlearner.unpack(fresh.unlearner.pack())


class Anomaly:
    """Takes and gives the values of the wire as Python values; a datum is in its wire form."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.converter = Converter(config["converter"])
        self.method: Lof | LightLof = {"lof": Lof, "light_lof": LightLof}[config["method"]](
            config["parameter"], distributed
        )
        self.name = config["method"]
        self.next = self.highest = 0

    def _learn(self, datum: list[Any]) -> Vector:
        return self.converter.convert_to_learn(Datum.of(datum))

    def _note(self, name: bytes) -> None:
        number = number_of(name)
        self.highest = max(self.highest, number if number is not None else 0)

    def _new_id(self) -> bytes:
        self.next += 1
        return str(self.next - 1).encode()

    def add(self, datum: list[Any]) -> Any:
        vector = self._learn(datum)
        name = self._new_id()
        result = self.method.update(name, vector) if self.name == "lof" else self.method.overwrite(name, vector)
        self._note(name)
        return [name, result]

    def add_bulk(self, data: list[Any]) -> list[bytes]:
        trial = deepcopy(self.converter)  # of a list with a datum that must be refused nothing is taken
        for datum in data:
            trial.convert_to_learn(Datum.of(datum))
        points = [(self._new_id(), self._learn(datum)) for datum in data]
        stored = self.method.add_bulk(points)
        for name in stored:
            self._note(name)
        return stored

    def update(self, name: bytes, datum: list[Any]) -> float:
        result = self.method.update(name, self._learn(datum))
        self._note(name)
        return result

    def overwrite(self, name: bytes, datum: list[Any]) -> float:
        result = self.method.overwrite(name, self._learn(datum))
        self._note(name)
        return result

    def clear_row(self, name: bytes) -> bool:
        self.method.clear_row(name)
        return True

    def calc_score(self, datum: list[Any]) -> float:
        return self.method.score(self.converter.convert(Datum.of(datum)))

    def get_all_rows(self) -> list[bytes]:
        return self.method.names()

    def clear(self) -> bool:
        self.method.clear_all()
        self.converter.weights.clear()
        self.highest = 0
        return True

    def status(self) -> dict[str, str]:
        return {"storage": self.name, "max_id": str(self.highest), **self.method.status()}

    def pack(self) -> list[Any]:
        return [self.method.pack(), self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        self.method.unpack(packed[0])
        self.converter.weights.unpack(packed[1])
        self.highest = 0
        for name in self.method.names():
            self._note(name)
        self.next = (self.highest + 1) % 2**64

    def get_diff(self) -> list[Any]:
        return [*self.method.get_diff(), self.converter.weights.get_diff()]

    def given(self) -> list[Any]:
        """Remember the diff as it is."""
        return [*self.method.given(), self.converter.weights.given()]

    def mix(self, new: list[Any], acc: list[Any]) -> list[Any]:
        """A diff of an older version is left out as a whole."""
        if new[2][1] != acc[2][1]:
            return max(new, acc, key=lambda diff: diff[2][1])
        return [*self.method.mix(new[:2], acc[:2]), Weights.mix(new[2], acc[2])]

    def put_diff(self, diff: list[Any], since: list[Any] | None = None) -> bool:
        """A diff whose statistics are of another version changes nothing."""
        if diff[2][1] != [self.converter.weights.version]:
            return False
        since = since or [None] * 3
        self.method.put_diff(diff[:2], since[:2])
        self.converter.weights.put_diff(diff[2], since[2])
        return True

    def catch_up(self, fresh: "Anomaly", since: list[Any] | None = None) -> None:
        since = since or [None] * 3
        self.method.catch_up(fresh.method, since[:2])  # type: ignore[arg-type]
        self.converter.weights.catch_up(fresh.converter.weights, since[2])


def number_of(name: bytes) -> int | None:
    """Read the number that an id starts with, as a C++ stream does."""
    rest = name.lstrip(b" \t\n\v\f\r")
    sign, rest = (rest[:1], rest[1:]) if rest[:1] in (b"-", b"+") else (b"", rest)
    digits = rest[: len(rest) - len(rest.lstrip(b"0123456789"))]
    if not digits or int(digits) >= 2**64:
        return None
    return -int(digits) % 2**64 if sign == b"-" else int(digits)
