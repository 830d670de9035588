"""Document statistics of the converter: counters in two copies, the weights that follow from them, and their mix."""

import struct
from dataclasses import dataclass, field
from math import floor
from typing import Any

from tests.reference.ieee import div, log
from tests.reference.tr1 import Map

K1 = 1.2
B = 0.75

Vector = list[tuple[bytes, float]]


@dataclass
class Record:
    """Counters over documents: how many, in how many each key and group is, how long the groups are; user weights."""

    documents: int = 0
    frequencies: Map[bytes, float] = field(default_factory=Map)
    group_frequencies: Map[bytes, float] = field(default_factory=Map)
    group_lengths: Map[bytes, float] = field(default_factory=Map)
    user: Map[bytes, float] = field(default_factory=Map)

    def merge(self, other: "Record") -> None:
        self.documents += other.documents
        for mine, theirs in (
            (self.frequencies, other.frequencies),
            (self.group_frequencies, other.group_frequencies),
            (self.group_lengths, other.group_lengths),
        ):
            for key, n in theirs.items():
                mine[key] = mine.get(key, 0.0) + n
        for key, w in other.user.items():
            self.user[key] = w

    def pack(self) -> list[Any]:
        counters = (self.frequencies, self.group_frequencies, self.group_lengths)
        return [self.documents, *([c.to_dict()] for c in counters), self.user.to_dict()]

    def subtract(self, other: "Record") -> None:
        """Take an earlier state out; what has not changed since is gone."""
        self.documents -= other.documents
        for mine, theirs, adds in (
            (self.frequencies, other.frequencies, True),
            (self.group_frequencies, other.group_frequencies, True),
            (self.group_lengths, other.group_lengths, True),
            (self.user, other.user, False),
        ):
            for key, n in theirs.items():
                if struct.pack("d", mine[key]) == struct.pack("d", n):
                    del mine[key]
                elif adds:
                    mine[key] -= n

    @classmethod
    def unpack(cls, packed: list[Any]) -> "Record":
        documents, *counters, user = packed
        return cls(documents, *(Map(c[0].items()) for c in counters), Map(user.items()))


def weight_type(key: bytes) -> bytes | None:
    """Read the global weight off a feature key: what follows the last slash."""
    _, slash, kind = key.rpartition(b"/")
    return kind if slash else None


def group_key(key: bytes) -> bytes | None:
    """Take the value out of a feature key: ``title$this@space#tf/bm25`` is in group ``title@space#tf/bm25``."""
    at, dollar = key.rfind(b"@"), key.find(b"$")
    return None if at < 0 or dollar < 0 else key[:dollar] + key[at:]


class Weights:
    """The counters ``diff`` (since the last mix) and ``master`` (mixed), and a version that counts the mixes."""

    def __init__(self) -> None:
        self.version = 0
        self.diff = Record()
        self.master = Record()
        self.era = object()

    def clear(self) -> None:
        self.diff = Record()
        self.master = Record()
        self.era = object()

    def count(self, vector: Vector, groups: bool) -> None:
        """Count one document, given its vector of sample weights."""
        diff = self.diff
        diff.documents += 1
        seen = set()
        for key, value in vector:
            diff.frequencies[key] = diff.frequencies.get(key, 0.0) + 1.0
            group = group_key(key) if groups else None
            if group is not None:
                diff.group_lengths[group] = diff.group_lengths.get(group, 0.0) + value
                seen.add(group)
        for group in sorted(seen):
            diff.group_frequencies[group] = diff.group_frequencies.get(group, 0.0) + 1.0

    def weigh(self, vector: Vector) -> Vector:
        """Multiply each sample weight by its global weight and drop what is zero."""
        lengths: dict[bytes, float] = {}
        for key, value in vector:
            group = group_key(key)
            if group is not None:
                lengths[group] = lengths.get(group, 0.0) + value
        weighed = [(key, self._weight(key, value, lengths)) for key, value in vector]
        return [(key, value) for key, value in weighed if value != 0.0]

    def _weight(self, key: bytes, s: float, lengths: dict[bytes, float]) -> float:
        n = self.diff.documents + self.master.documents
        df = floor(self.diff.frequencies.get(key, 0.0)) + floor(self.master.frequencies.get(key, 0.0))
        match weight_type(key):
            case b"idf":
                return log(div(n + 1.0, df + 1.0)) * s
            case b"idf1":
                return (log(div(n + 1.0, df + 1.0)) + 1.0) * s
            case b"bm25":
                group = group_key(key)
                if group is None:
                    return s
                ratio = div(lengths[group], self._average_length(group))
                return log(div(n - df + 0.5, df + 0.5)) * div(s * (K1 + 1.0), s + K1 * (1.0 - B + B * ratio))
            case b"weight":
                if b"#" not in key:
                    return 0.0 * s
                name = key[: key.rindex(b"#")]
                return (self.diff.user.get(name, 0.0) + self.master.user.get(name, 0.0)) * s
            case _:
                return s

    def _average_length(self, group: bytes) -> float:
        times = self.diff.group_frequencies.get(group, 0.0) + self.master.group_frequencies.get(group, 0.0)
        total = self.diff.group_lengths.get(group, 0.0) + self.master.group_lengths.get(group, 0.0)
        return total / times if times else 0.0

    def get_diff(self) -> list[Any]:
        return [self.diff.pack(), [self.version]]

    def given(self) -> Any:
        """Remember the diff as it is."""
        return self.era, Record.unpack(self.diff.pack())

    def subtract(self, since: Any) -> None:
        if since is not None and since[0] is self.era:
            self.diff.subtract(since[1])

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        """Fold one more diff into the accumulator; of different versions the higher one stays."""
        if new[1] != acc[1]:
            return new if new[1] > acc[1] else acc
        total = Record.unpack(acc[0])
        total.merge(Record.unpack(new[0]))
        return [total.pack(), acc[1]]

    def put_diff(self, diff: list[Any], since: Any = None) -> bool:
        """Take in a mixed diff; what was counted after ``given`` stays the diff."""
        if diff[1] != [self.version]:
            return False
        self.subtract(since)
        self.master.merge(Record.unpack(diff[0]))
        self.version += 1
        self.era = object()
        return True

    def catch_up(self, fresh: "Weights", since: Any = None) -> None:
        self.subtract(since)
        self.version, self.master = fresh.version, fresh.master
        self.era = object()

    def pack(self) -> list[Any]:
        return [[self.version], self.diff.pack(), self.master.pack()]

    def unpack(self, packed: list[Any]) -> None:
        (self.version,), diff, master = packed
        self.diff, self.master = Record.unpack(diff), Record.unpack(master)
        self.era = object()

    def status(self) -> dict[str, str]:
        result = {"weight_manager_version": str(self.version)}
        for name, r in (("diff", self.diff), ("master", self.master)):
            result[f"{name}_document_count"] = str(r.documents)
            result[f"{name}_num_document_frequencies"] = str(len(r.frequencies))
            result[f"{name}_num_group_frequencies"] = str(len(r.group_frequencies))
            result[f"{name}_num_group_total_lengths"] = str(len(r.group_lengths))
            result[f"{name}_num_weights"] = str(len(r.user))
        return result
