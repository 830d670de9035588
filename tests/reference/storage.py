"""Weights of a linear model: a cell (weight, covariance, unused) for each feature and label; labels and their counts."""

from collections.abc import Iterable
from typing import Any

from tests.reference.tr1 import Map
from tests.reference.weights import Vector

Cell = tuple[float, float, float]
Row = Map[int, Cell]
Table = Map[bytes, Row]
ZERO: Cell = (0.0, 0.0, 0.0)


def plus(a: Cell, b: Cell) -> Cell:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


class Keys:
    """Labels and their ids; an id is never used twice."""

    def __init__(self) -> None:
        self.ids: Map[bytes, int] = Map()
        self.names: Map[int, bytes] = Map()
        self.next_id = 0

    def register(self, label: bytes) -> int:
        if label not in self.ids:
            self.ids[label] = self.next_id
            self.names[self.next_id] = label
            self.next_id += 1
        return self.ids[label]

    def remove(self, label: bytes) -> None:
        del self.names[self.ids[label]]
        del self.ids[label]

    def pack(self) -> list[Any]:
        return [self.ids.to_dict(), self.names.to_dict(), self.next_id]

    def unpack(self, packed: list[Any]) -> None:
        ids, names, self.next_id = packed
        self.ids, self.names = Map(ids.items()), Map(names.items())


class Storage:
    """The table of a standalone server."""

    name = "local_storage"

    def __init__(self) -> None:
        self.table: Table = Map()
        self.diff: Table = Map()
        self.keys = Keys()
        self.version = 0

    def clear(self) -> None:
        self.table, self.keys = Map(), Keys()

    def row(self, feature: bytes) -> dict[int, Cell]:
        """Read the cells of one feature by label id."""
        return self.table[feature].to_dict() if feature in self.table else {}

    def add(self, feature: bytes, label: bytes, d: float) -> None:
        _add(self.table, feature, self.keys.register(label), (d, 0.0, 0.0))

    def set(self, feature: bytes, label: bytes, v1: float, v2: float) -> None:
        row = self.table.setdefault(feature, Map())
        row[self.keys.register(label)] = (v1, v2, 0.0)

    def cell(self, feature: bytes, label: bytes) -> tuple[float, float]:
        """Read weight and covariance of a cell; (0, 1) when there is none."""
        if label not in self.keys.ids:
            return 0.0, 1.0
        v1, v2, _ = self.row(feature).get(self.keys.ids[label], (0.0, 1.0, 0.0))
        return v1, v2

    def scores(self, vector: Vector) -> Map[bytes, float]:
        """Give the inner product of each registered label, in the order of results."""
        sums: dict[int, float] = {}
        for feature, x in vector:
            for label_id, (v1, _, _) in self.row(feature).items():
                sums[label_id] = sums.get(label_id, 0.0) + v1 * x
        return Map((label, sums.get(label_id, 0.0)) for label_id, label in self.keys.names.items())

    def set_label(self, label: bytes) -> bool:
        new = label not in self.keys.ids
        self.keys.register(label)
        return new

    def delete_label(self, label: bytes) -> bool:
        if label not in self.keys.ids:
            return False
        for table in self.tables():
            _drop_label(table, self.keys.ids[label])
        self.keys.remove(label)
        return True

    def tables(self) -> Iterable[Table]:
        return (self.table,)

    def get_diff(self) -> list[Any]:
        return [1, [[], [self.version]]]

    def put_diff(self, diff: list[Any]) -> bool:
        raise AssertionError("a standalone model is never mixed")

    def pack(self) -> list[Any]:
        return [_pack_table(self.table), self.keys.pack(), _pack_table(self.diff), [self.version]]

    def unpack(self, packed: list[Any]) -> None:
        table, keys, diff, (self.version,) = packed
        self.table, self.diff = _unpack_table(table), _unpack_table(diff)
        self.keys = Keys()
        self.keys.unpack(keys)

    def status(self) -> dict[str, str]:
        return {
            "storage": self.name,
            "num_features": str(len(self.table)),
            "num_classes": str(len(self.keys.ids)),
        }


class MixtureStorage(Storage):
    """The tables of a server in a cluster: what was mixed, and what was learnt since."""

    name = "local_storage_mixture"

    def clear(self) -> None:
        super().clear()
        self.diff = Map()

    def row(self, feature: bytes) -> dict[int, Cell]:
        row = super().row(feature)
        for label_id, cell in (self.diff[feature].items() if feature in self.diff else ()):
            row[label_id] = plus(row.get(label_id, ZERO), cell)
        return row

    def add(self, feature: bytes, label: bytes, d: float) -> None:
        _add(self.diff, feature, self.keys.register(label), (d, 0.0, 0.0))

    def set(self, feature: bytes, label: bytes, v1: float, v2: float) -> None:
        label_id = self.keys.register(label)
        master = self.table.setdefault(feature, Map()).setdefault(label_id, ZERO)
        self.diff.setdefault(feature, Map())[label_id] = (v1 - master[0], v2 - master[1], 0.0)

    def tables(self) -> Iterable[Table]:
        return self.table, self.diff

    def get_diff(self) -> list[Any]:
        names = self.keys.names
        rows = [[f, [[names[i], list(cell)] for i, cell in row.items()]] for f, row in self.diff.items()]
        return [1, [rows, [self.version]]]

    def put_diff(self, diff: list[Any]) -> bool:
        _, (rows, version) = diff
        if version != [self.version]:
            return False
        for feature, cells in rows:
            row = self.table.setdefault(feature, Map())
            for label, cell in cells:
                label_id = self.keys.register(label)
                row[label_id] = plus(row.get(label_id, ZERO), tuple(cell))
        self.version += 1
        self.diff.clear()
        return True

    def status(self) -> dict[str, str]:
        return super().status() | {"num_features_diff": str(len(self.diff)), "model_version": str(self.version)}


def mix_weights(new: list[Any], acc: list[Any]) -> list[Any]:
    """Average the weights over all servers and keep the least covariance."""
    (n, (new_rows, version)), (m, (acc_rows, acc_version)) = new, acc
    if version != acc_version:
        return new if version > acc_version else acc

    def mean(a: float, b: float) -> float:
        return (n * a + m * b) / (n + m)

    def merge(left: list[Any], right: list[Any], join: Any, missing: Any) -> list[Any]:
        a, b = dict(left), dict(right)
        order = sorted(a) + sorted(set(b) - set(a))
        return [[key, join(a.get(key, missing), b.get(key, missing))] for key in order]

    def cells(a: list[float], b: list[float]) -> list[float]:
        return [mean(a[0], b[0]), min(a[1], b[1]), mean(a[2], b[2])]

    def rows(a: list[Any], b: list[Any]) -> list[Any]:
        return merge(a, b, cells, [0.0, 1.0, 0.0])

    return [n + m, [merge(new_rows, acc_rows, rows, []), version]]


class Labels:
    """How often each label was trained, since the last mix and before."""

    def __init__(self) -> None:
        self.master: Map[bytes, int] = Map()
        self.diff: Map[bytes, int] = Map()
        self.version = 0

    def clear(self) -> None:
        self.master, self.diff = Map(), Map()

    def increment(self, label: bytes) -> None:
        self.diff[label] = self.diff.get(label, 0) + 1

    def set_label(self, label: bytes) -> bool:
        if label in self.master or label in self.diff:
            return False
        self.diff[label] = 0
        return True

    def delete_label(self, label: bytes) -> bool:
        known = [counts for counts in (self.master, self.diff) if label in counts]
        for counts in known:
            del counts[label]
        return bool(known)

    def counts(self) -> dict[bytes, int]:
        labels = sorted({*self.master, *self.diff})
        return {label: self.master.get(label, 0) + self.diff.get(label, 0) for label in labels}

    def get_diff(self) -> dict[bytes, int]:
        return self.diff.to_dict()

    @staticmethod
    def mix(new: dict[bytes, int], acc: dict[bytes, int]) -> dict[bytes, int]:
        return {label: new.get(label, 0) + acc.get(label, 0) for label in [*acc, *(k for k in new if k not in acc)]}

    def put_diff(self, diff: dict[bytes, int]) -> bool:
        for label, n in diff.items():
            self.master[label] = self.master.get(label, 0) + n
        self.diff = Map()
        self.version += 1
        return True

    def pack(self) -> list[Any]:
        return [self.master.to_dict(), self.diff.to_dict(), [self.version]]

    def unpack(self, packed: list[Any]) -> None:
        master, diff, (self.version,) = packed
        self.master, self.diff = Map(master.items()), Map(diff.items())


def _add(table: Table, feature: bytes, label_id: int, d: Cell) -> None:
    row = table.setdefault(feature, Map())
    row[label_id] = plus(row.get(label_id, ZERO), d)


def _drop_label(table: Table, label_id: int) -> None:
    for feature in list(table):
        if label_id in table[feature]:
            del table[feature][label_id]
            if not len(table[feature]):
                del table[feature]


def _pack_table(table: Table) -> dict[bytes, Any]:
    return {feature: {i: list(cell) for i, cell in row.items()} for feature, row in table.items()}


def _unpack_table(packed: dict[bytes, Any]) -> Table:
    return Map((feature, Map((i, tuple(cell)) for i, cell in row.items())) for feature, row in packed.items())
