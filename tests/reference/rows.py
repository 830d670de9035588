"""Rows as they were given, and an inverted index over columns, with plain dictionaries.

A diff is the value that travels; its maps are in the order of the original, which decides how columns are numbered. A
MIX keeps what was learned after a copy of the diff: a cell that was removed after it becomes one that removes it.
"""

import math
from typing import Any

from tests.reference.ieee import div, sqrt
from tests.reference.tr1 import Map
from tests.reference.unlearn import Unlearner
from tests.reference.weights import Vector

Scored = list[tuple[bytes, float]]


def pack_names(names: list[bytes]) -> list[Any]:
    return [{name: i for i, name in enumerate(names)}, dict(enumerate(names)), len(names)]


def unpack_names(packed: list[Any]) -> list[bytes]:
    return [packed[1][i] for i in range(packed[2])]


class RawRows:
    """Rows by name: values by the numbers of features, which count in the order in which they first came."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.features: list[bytes] = []
        self.rows: dict[bytes, dict[int, float]] = {}

    def number(self, feature: bytes) -> int:
        if feature not in self.features:
            self.features.append(feature)
        return self.features.index(feature)

    def update(self, name: bytes, vector: Vector) -> None:
        row = self.rows.setdefault(name, {})
        for feature, value in vector:
            row[self.number(feature)] = value

    def vector(self, name: bytes) -> Vector:
        """Return a row by ascending numbers of features; nothing for one that is not there."""
        return [(self.features[f], value) for f, value in sorted(self.rows.get(name, {}).items())]

    def remove(self, name: bytes) -> None:
        self.rows.pop(name, None)

    def adopt(self, other: "RawRows") -> None:
        for name in other.rows:
            if name not in self.rows:
                self.update(name, other.vector(name))

    def pack(self) -> list[Any]:
        return [{name: dict(sorted(row.items())) for name, row in self.rows.items()}, pack_names(self.features)]

    def unpack(self, packed: list[Any]) -> None:
        self.rows, self.features = {name: dict(row) for name, row in packed[0].items()}, unpack_names(packed[1])


def reordered(items: Any) -> Map[Any, Any]:
    """Return what a map becomes that travels: its pairs enter a new one in their order."""
    return Map(list(items.items()))


class InvertedIndex:
    """Columns by feature, and the squared norms of columns; all in two copies, the master and the diff.

    Args:
        raw: the vectors of the columns.
        unlearner: what limits their number.
    """

    def __init__(self, raw: RawRows, unlearner: Unlearner | None) -> None:
        self.raw = raw
        self.unlearner = unlearner
        self.gone: list[bytes] = []  # what the last mixed diff removed
        self.clear()

    def clear(self) -> None:
        self.master: dict[bytes, dict[int, float]] = {}
        self.diff: Map[bytes, dict[int, float]] = Map()
        self.norms: dict[int, float] = {}
        self.norms_diff: dict[int, float] = {}
        self.columns: list[bytes] = []
        self.era = object()

    def number(self, column: bytes) -> int:
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)

    def value(self, feature: bytes, c: int) -> float | None:
        cell = self.diff[feature].get(c) if feature in self.diff else None
        return self.master.get(feature, {}).get(c) if cell is None else cell

    def square(self, c: int) -> float:
        return self.norms_diff.get(c, 0.0) + self.norms.get(c, 0.0)

    def has(self, name: bytes) -> bool:
        return name in self.columns and not self.square(self.columns.index(name)) <= 0.0

    def update(self, name: bytes, vector: Vector) -> None:
        for feature, value in vector:
            known = name in self.columns
            c = self.number(name)
            change = self.norms_diff.pop(c, 0.0)
            if known:
                old = self.value(feature, c) or 0.0
                change -= old * old
            change += value * value
            if change != 0.0:
                self.norms_diff[c] = change
            self.diff.setdefault(feature, {})[c] = value

    def _unset(self, feature: bytes, c: int) -> None:
        if feature in self.diff and c in self.diff[feature]:
            del self.diff[feature][c]
            if not self.diff[feature]:
                del self.diff[feature]

    def remove(self, name: bytes) -> None:
        if name in self.columns:
            c = self.columns.index(name)
            for feature, _ in self.raw.vector(name):
                if c in self.master.get(feature, {}):
                    self.diff.setdefault(feature, {})[c] = 0.0
                else:
                    self._unset(feature, c)
            self.norms_diff.pop(c, None)
            if c in self.norms:
                self.norms_diff[c] = -self.norms[c]
        self.raw.remove(name)

    def names(self) -> list[bytes]:
        mixed = [c for c in range(len(self.columns)) if c in self.norms]
        return [self.columns[c] for c in [*mixed, *self._fresh()]]

    def changed(self) -> list[bytes]:
        return [self.columns[c] for c in sorted(self.norms_diff)]

    def _fresh(self) -> list[int]:
        return [c for c in range(len(self.columns)) if c not in self.norms and self.norms_diff.get(c, 0.0) > 0.0]

    def products(self, vector: Vector) -> dict[int, float]:
        """Return for each column that has a feature of the vector the sum of the products."""
        sums: dict[int, float] = {}
        for feature, q in vector:
            for c in range(len(self.columns)):
                value = self.value(feature, c)
                if value is not None:
                    sums[c] = sums.get(c, 0.0) + (q * value if value != 0.0 else 0.0)
        return sums

    def cosine(self, vector: Vector, most: int) -> Scored:
        length = sum_of_squares(vector)
        found = []
        for c, s in self.products(vector).items() if length != 0.0 else ():
            square = self.square(c)
            if s != 0.0 and square != 0.0:
                score = 1.0 if square == length == s else div(div(s, sqrt(square)), sqrt(length))
                found.append((score, c))
        return [(name, max(-1.0, min(1.0, score))) for name, score in self._ranked(found, most)]

    def euclid(self, vector: Vector, most: int, met_only: bool) -> Scored:
        length, sums = sum_of_squares(vector), self.products(vector)
        found = []
        for c in range(len(self.columns)):
            square = self.square(c)
            if square != 0.0 and (c in sums or not met_only):
                distance = length + square - 2 * sums.get(c, 0.0)
                found.append((-sqrt(distance) if distance > 0.0 else -0.0, c))
        return self._ranked(found, most)

    def _ranked(self, found: list[tuple[float, int]], most: int) -> Scored:
        ranked = sorted(((-math.inf if math.isnan(s) else s, c) for s, c in found), reverse=True)
        return [(self.columns[c], score) for score, c in ranked[:most]]

    # --- mix and model file

    def pack(self) -> list[Any]:
        master = {feature: row for feature, row in self.master.items() if row}
        return [master, self.diff.to_dict(), self.norms, self.norms_diff, pack_names(self.columns)]

    def unpack(self, packed: list[Any]) -> None:
        self.clear()
        self.columns = unpack_names(packed[4])
        self.master = {feature: dict(row) for feature, row in packed[0].items()}
        self.diff = Map((feature, dict(row)) for feature, row in packed[1].items())
        self.norms, self.norms_diff = dict(packed[2]), dict(packed[3])

    def get_diff(self) -> list[Any]:
        columns: list[bytes] = []
        features: Map[bytes, dict[int, float]] = Map()
        for feature, row in self.diff.items():
            cells = {}
            for c, value in sorted(row.items()):
                if self.columns[c] not in columns:
                    columns.append(self.columns[c])
                cells[columns.index(self.columns[c])] = value
            features[feature] = cells
        norms = Map((self.columns[c], change) for c, change in sorted(self.norms_diff.items()))
        return [[reordered(features), pack_names(columns)], reordered(norms)]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        (features, names), norms = acc
        (later, later_names), later_norms = new
        columns, later_columns = unpack_names(names), unpack_names(later_names)
        for feature, row in later.items():
            cells = dict(features.get(feature, {}))
            for c, value in sorted(row.items()):
                if later_columns[c] not in columns:
                    columns.append(later_columns[c])
                cells[columns.index(later_columns[c])] = value
            features[feature] = cells
        for name, change in later_norms.items():
            norms[name] = norms.get(name, 0.0) + change
        return [[features, pack_names(columns)], norms]

    def given(self) -> Any:
        cells = {(feature, c): value for feature, row in self.diff.items() for c, value in sorted(row.items())}
        return self.era, cells, dict(self.norms_diff)

    def subtract(self, since: Any) -> None:
        if since is None or since[0] is not self.era:
            return
        _, cells, norms = since
        for (feature, c), value in reversed(list(cells.items())):
            now = self.diff[feature].get(c) if feature in self.diff else None
            if now is None and value != 0.0:
                self.diff.setdefault(feature, {})[c] = 0.0
            elif now is not None and now == value:
                self._unset(feature, c)
        for c, change in norms.items():
            left = self.norms_diff.pop(c, 0.0) - change
            if left != 0.0:
                self.norms_diff[c] = left
        self.era = object()

    def put_diff(self, diff: list[Any], since: Any = None) -> bool:
        self.subtract(since)
        (features, names), norms = diff
        columns, features = unpack_names(names), reordered(features)
        taken = self._taken(features, columns)
        for feature, row in features.items():
            cells = self.master.setdefault(feature, {})
            for c, value in sorted(row.items()):
                if value == 0.0:
                    cells.pop(self.number(columns[c]), None)
                elif taken is None or columns[c] in taken:
                    cells[self.number(columns[c])] = value
        for name, change in reordered(norms).items():
            c = self.number(name)
            before = self.norms.pop(c, 0.0)
            after = before + change if taken is None or name in taken else 0.0
            if after > 0.0:
                self.norms[c] = after
        self.era = object()
        return True

    def _taken(self, features: Map[bytes, dict[int, float]], columns: list[bytes]) -> set[bytes] | None:
        """Return which columns the unlearner keeps; None for all."""
        if self.unlearner is None:
            return None
        grows: Map[bytes, bool] = Map()
        for row in features.values():
            for c, value in sorted(row.items()):
                grows[columns[c]] = grows.get(columns[c], False) or value > 0.0
        known = [name for name in grows if self.unlearner.can_touch(name)]
        grown = [name for name in known if grows[name]]
        for name in grown:
            self.unlearner.touch(name)
        self.gone = [name for name in known if name not in grown]
        for name in self.gone:
            self.unlearner.remove(name)
        return {name for name in grown if name in self.unlearner}

    def forget(self, name: bytes, mixing: bool) -> None:
        """Forget a column for another one; for one of a mixed diff, it is still found if it was mixed itself."""
        if mixing and name in self.columns and self.columns.index(name) in self.norms:
            self.raw.remove(name)
        else:
            self.remove(name)

    def catch_up(self, fresh: "InvertedIndex", since: Any = None) -> None:
        self.subtract(since)
        old = (self.columns, self.diff, self.norms_diff)
        self.master, self.norms, self.columns = fresh.master, fresh.norms, fresh.columns
        self.diff, self.norms_diff = Map(), {}
        for feature, row in old[1].items():
            for c, value in sorted(row.items()):
                self.diff.setdefault(feature, {})[self.number(old[0][c])] = value
        for c, change in sorted(old[2].items()):
            self.norms_diff[self.number(old[0][c])] = change
        self.era = object()


def sum_of_squares(vector: Vector) -> float:
    total = 0.0
    for _, value in vector:
        total += value * value
    return total
