"""Weights of a linear model: a cell (weight, covariance, unused) for each feature and label; labels and their counts.

A MIX goes further than the original's, in which what a server learns between giving its diff and getting the mixed one
is lost: here it stays the diff. What was given is remembered with its era, which ends when the diff is of something else.
"""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.reference.tr1 import Map
from tests.reference.weights import Vector

Cell = tuple[float, float, float]
Row = Map[int, Cell]
Table = Map[bytes, Row]
ZERO: Cell = (0.0, 0.0, 0.0)


def plus(a: Cell, b: Cell) -> Cell:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


class Given(NamedTuple):
    """A copy of a diff: for each key what it held."""

    era: object
    values: dict[Any, Any]


def same(a: Iterable[float], b: Iterable[float]) -> bool:
    """Whether numbers are equal bit for bit."""
    return all(struct.pack("d", x) == struct.pack("d", y) for x, y in zip(a, b, strict=True))


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

    def given(self) -> Given:
        raise AssertionError("a standalone model is never mixed")

    def put_diff(self, diff: list[Any], since: Given | None = None) -> bool:
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
    """The tables of a server in a cluster: what was mixed, and what was learnt since.

    Args:
        covariant: whether the method has covariances. Then a mixed cell's is not 0.
    """

    name = "local_storage_mixture"

    def __init__(self, covariant: bool) -> None:
        super().__init__()
        self.covariant = covariant
        self.era = object()

    def clear(self) -> None:
        super().clear()
        self.diff = Map()
        self.era = object()

    def row(self, feature: bytes) -> dict[int, Cell]:
        row = super().row(feature)
        for label_id, cell in self.diff[feature].items() if feature in self.diff else ():
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

    def unpack(self, packed: list[Any]) -> None:
        super().unpack(packed)
        self.version = packed[3][0]
        self.era = object()

    def get_diff(self) -> list[Any]:
        names = self.keys.names
        rows = [[f, [[names[i], list(cell)] for i, cell in row.items()]] for f, row in self.diff.items()]
        return [1, [rows, [self.version]]]

    def given(self) -> Given:
        return Given(self.era, {(f, i): cell for f, row in self.diff.items() for i, cell in row.items()})

    def subtract(self, since: Given | None) -> None:
        """Take what was given out of the diff; a cell that has not changed leaves it."""
        if since is None or since.era is not self.era:
            return
        for (feature, label_id), given in since.values.items():
            if feature not in self.diff or label_id not in self.diff[feature]:
                continue
            v1, v2, v3 = self.diff[feature][label_id]
            if not same((v1, v2), given[:2]):
                self.diff[feature][label_id] = (v1 - given[0], v2, v3)
                continue
            _drop_cell(self.diff, feature, label_id)
            if self.covariant and self.table[feature][label_id][1] == 0.0:
                _drop_cell(self.table, feature, label_id)

    def put_diff(self, diff: list[Any], since: Given | None = None) -> bool:
        _, (rows, version) = diff
        if version != [self.version]:
            return False
        self.subtract(since)
        for feature, cells in rows:
            row = self.table.setdefault(feature, Map())
            own = self.diff[feature] if feature in self.diff else Map()
            for label, cell in cells:
                label_id = self.keys.register(label)
                before = row.get(label_id, ZERO)
                after = plus(before, tuple(cell))
                if self.covariant:
                    if before[1] == 0.0 and cell[1] <= 0.0:
                        after = (after[0], 1.0 + cell[1], after[2])
                    if label_id in own:
                        v1, v2, v3 = own[label_id]
                        own[label_id] = (v1, surer(before[1] + v2, after[1]), v3)
                row[label_id] = after
        self.version += 1
        self.era = object()
        return True

    def catch_up(self, fresh: "MixtureStorage", since: Given | None = None) -> None:
        """Become another one, but keep the own diff."""
        fresh.subtract(fresh.given())
        self.subtract(since)
        kept = [
            (feature, self.keys.names[label_id], cell, self.table[feature][label_id][1] if self.covariant else 0.0)
            for feature, row in self.diff.items()
            for label_id, cell in row.items()
        ]
        labels = [label for label in self.scores([]) if label in {kept_label for _, kept_label, _, _ in kept}]
        self.table, self.diff, self.keys, self.version = fresh.table, fresh.diff, fresh.keys, fresh.version
        self.era = object()
        for label in labels:
            self.keys.register(label)
        for feature, label, (v1, v2, v3), master in kept:
            label_id = self.keys.register(label)
            if self.covariant:
                now = self.table.setdefault(feature, Map()).setdefault(label_id, ZERO)[1]
                v2 = master + v2 if now == 0.0 else surer(master + v2, now)
            self.diff.setdefault(feature, Map())[label_id] = (v1, v2, v3)

    def status(self) -> dict[str, str]:
        return super().status() | {"num_features_diff": str(len(self.diff)), "model_version": str(self.version)}


def surer(covariance: float, master: float) -> float:
    """Give the diff of a cell that keeps its covariance where it is below the master's."""
    return covariance - master if covariance - master < 0.0 else 0.0


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
        self.births: dict[bytes, object] = {}
        self.version = 0
        self.era = object()

    def clear(self) -> None:
        self.master, self.diff, self.births = Map(), Map(), {}
        self.era = object()

    def add(self, label: bytes, n: int) -> None:
        self.births.setdefault(label, object())
        self.diff[label] = self.diff.get(label, 0) + n

    def increment(self, label: bytes) -> None:
        self.add(label, 1)

    def set_label(self, label: bytes) -> bool:
        if label in self.master or label in self.diff:
            return False
        self.add(label, 0)
        return True

    def delete_label(self, label: bytes) -> bool:
        known = [counts for counts in (self.master, self.diff) if label in counts]
        for counts in known:
            del counts[label]
        self.births.pop(label, None)
        return bool(known)

    def counts(self) -> dict[bytes, int]:
        labels = sorted({*self.master, *self.diff})
        return {label: self.master.get(label, 0) + self.diff.get(label, 0) for label in labels}

    def get_diff(self) -> dict[bytes, int]:
        return self.diff.to_dict()

    def given(self) -> Given:
        return Given(self.era, {label: (n, self.births[label]) for label, n in self.diff.items()})

    @staticmethod
    def mix(new: dict[bytes, int], acc: dict[bytes, int]) -> dict[bytes, int]:
        return {label: new.get(label, 0) + acc.get(label, 0) for label in [*acc, *(k for k in new if k not in acc)]}

    def subtract(self, since: Given | None) -> None:
        if since is None or since.era is not self.era:
            return
        for label, (n, birth) in since.values.items():
            if label not in self.diff or self.births[label] is not birth:
                continue
            if self.diff[label] == n:
                del self.diff[label]
            else:
                self.diff[label] -= n

    def put_diff(self, diff: dict[bytes, int], since: Given | None = None) -> bool:
        self.subtract(since)
        for label, n in diff.items():
            self.births.setdefault(label, object())
            self.master[label] = self.master.get(label, 0) + n
        self.version += 1
        self.era = object()
        return True

    def catch_up(self, fresh: "Labels", since: Given | None = None) -> None:
        self.subtract(since)
        kept = self.diff.to_dict()
        self.unpack([fresh.master.to_dict(), {}, [fresh.version]])
        for label, n in kept.items():
            self.add(label, n)

    def pack(self) -> list[Any]:
        return [self.master.to_dict(), self.diff.to_dict(), [self.version]]

    def unpack(self, packed: list[Any]) -> None:
        master, diff, (self.version,) = packed
        self.master, self.diff = Map(master.items()), Map(diff.items())
        self.births = {label: object() for label in [*master, *diff]}
        self.era = object()


def _add(table: Table, feature: bytes, label_id: int, d: Cell) -> None:
    row = table.setdefault(feature, Map())
    row[label_id] = plus(row.get(label_id, ZERO), d)


def _drop_label(table: Table, label_id: int) -> None:
    for feature in list(table):
        if label_id in table[feature]:
            _drop_cell(table, feature, label_id)


def _drop_cell(table: Table, feature: bytes, label_id: int) -> None:
    del table[feature][label_id]
    if not len(table[feature]):
        del table[feature]


def _pack_table(table: Table) -> dict[bytes, Any]:
    return {feature: {i: list(cell) for i, cell in row.items()} for feature, row in table.items()}


def _unpack_table(packed: dict[bytes, Any]) -> Table:
    return Map((feature, Map((i, tuple(cell)) for i, cell in row.items())) for feature, row in packed.items())
