"""Rows that are known by hashes: bits alone, or with a norm and keys of buckets; and the search among them.

A value is a tuple: bits as an int, and with tables the norm and the keys; None stands for a row that is removed.
"""

import heapq
import math
from typing import Any

from tests.reference import near
from tests.reference.ieee import div, sqrt
from tests.reference.near import f32
from tests.reference.random_numbers import MersenneTwister
from tests.reference.rows import RawRows, Scored, pack_names, reordered, unpack_names
from tests.reference.tr1 import FNV_PRIME, FNV_START, MASK, Map, set_of
from tests.reference.unlearn import Unlearner
from tests.reference.weights import Vector

Value = tuple[Any, ...]


def pack_bits(bits: int, count: int) -> list[Any]:
    words = -(-count // 64)
    return [count, b"".join((bits >> 64 * i & MASK).to_bytes(8, "big") for i in range(words))]


def unpack_bits(packed: list[Any]) -> int:
    raw = packed[1]
    return sum(int.from_bytes(raw[8 * i : 8 * i + 8], "big") << 64 * i for i in range(len(raw) // 8))


class HashedRows:
    """Hashes in two copies, the master and the diff.

    Args:
        bits: of a hash.
        tables: of buckets; 0 for hashes alone.
        raw: the rows as they were given.
        unlearner: what limits their number.
    """

    def __init__(self, bits: int, tables: int, raw: RawRows, unlearner: Unlearner | None) -> None:
        self.bits, self.tables, self.raw, self.unlearner = bits, tables, raw, unlearner
        self.shifts: list[float] = []
        self.gone: list[bytes] = []  # what the last mixed diff removed
        self.clear()

    def clear(self) -> None:
        self.master: Map[bytes, Value] = Map()
        self.diff: Map[bytes, Value | None] = Map()
        self.buckets: dict[int, list[int]] = {}
        self.buckets_diff: dict[int, list[int]] = {}
        self.numbers: list[bytes] = []  # with tables: rows in the order in which they first came
        self.era = object()

    def value(self, name: bytes) -> Value | None:
        return self.diff[name] if name in self.diff else self.master[name] if name in self.master else None

    def has(self, name: bytes) -> bool:
        return self.value(name) is not None

    def names(self) -> list[bytes]:
        changed = [name for name in self.diff if self.diff[name] is not None]
        names = [*changed, *(name for name in self.master if name not in self.diff)]
        return set_of(names) if self.tables else names

    def changed(self) -> list[bytes]:
        return list(self.diff)

    def number(self, name: bytes) -> int:
        if name not in self.numbers:
            self.numbers.append(name)
        return self.numbers.index(name)

    def _keys(self, name: bytes) -> list[int]:
        value = self.diff.get(name, None)
        return list(value[2]) if self.tables and value is not None else []

    def _leave_buckets(self, name: bytes) -> None:
        for key in self._keys(name):
            _erase(self.buckets_diff, key, self.number(name))

    def set(self, name: bytes, value: Value) -> None:
        self._leave_buckets(name)
        self.diff[name] = value
        self._enter_buckets(name)

    def _enter_buckets(self, name: bytes) -> None:
        if self.tables:
            number = self.number(name)
            for key in self._keys(name):
                bucket = self.buckets_diff.setdefault(key, [])
                bucket[:] = sorted({*bucket, number})

    def remove(self, name: bytes) -> None:
        self.raw.remove(name)
        if name in self.master:
            self._leave_buckets(name)
            self.diff[name] = None
        elif name in self.diff:
            del self.diff[name]

    # --- searches

    def by_bits(self, value: Value, most: int) -> Scored:
        found = []
        for name in self.names():
            other = self.value(name)
            assert other is not None
            found.append((self.bits - (value[0] ^ other[0]).bit_count(), name))
        return [(name, same / self.bits) for same, name in sorted(found, reverse=True)[:most]]

    def by_buckets(self, value: Value, most: int, probes: "Probes | None", count: int) -> Scored:
        candidates: list[int] = []
        for key in value[2]:
            self._gather(key, candidates)
            if len(candidates) >= most:
                break
        for key in probes.keys(count) if probes and len(candidates) < most else ():
            self._gather(key, candidates)
            if len(candidates) >= most:
                break
        found = []
        for number in candidates:
            other = self.value(self.numbers[number])
            if other is not None:
                found.append((self._distance(value, other), number))
        found.sort(key=lambda pair: (math.inf if math.isnan(pair[0]) else pair[0], pair[1]))
        return [(self.numbers[number], -distance) for distance, number in found[:most]]

    def _distance(self, value: Value, other: Value) -> float:
        a, b, same = value[1], other[1], self.bits - (value[0] ^ other[0]).bit_count()
        if same == self.bits:
            return abs(a - b)
        return sqrt(a * a + b * b - 2 * ((b * a) * math.cos((1 - same / self.bits) * math.pi)))

    def _gather(self, key: int, candidates: list[int]) -> None:
        for number in [*self.buckets_diff.get(key, []), *self.buckets.get(key, [])]:
            if number not in candidates:
                candidates.append(number)

    # --- mix and model file

    def _pack_value(self, value: Value | None) -> list[Any]:
        if not self.tables:
            return [0, b""] if value is None else pack_bits(value[0], self.bits)
        if value is None:
            return [[], [0, b""], 0.0]
        return [list(value[2]), pack_bits(value[0], self.bits), value[1]]

    def _unpack_value(self, packed: list[Any]) -> Value | None:
        if not self.tables:
            return (unpack_bits(packed),) if packed[0] else None
        keys, bits, norm = packed
        return (unpack_bits(bits), norm, tuple(keys)) if keys else None

    def _pack_map(self, rows: Map[bytes, Any]) -> dict[bytes, Any]:
        return {name: self._pack_value(value) for name, value in rows.items()}

    def pack(self) -> list[Any]:
        packed: list[Any] = [self._pack_map(self.master), self._pack_map(self.diff)]
        if self.tables:
            packed += [self.buckets, self.buckets_diff, self.shifts, self.tables, pack_names(self.numbers)]
        return packed

    def unpack(self, packed: list[Any]) -> None:
        self.clear()
        self.master = Map((name, self._unpack_value(value)) for name, value in packed[0].items())
        self.diff = Map((name, self._unpack_value(value)) for name, value in packed[1].items())
        if self.tables:
            self.buckets = {key: list(bucket) for key, bucket in packed[2].items()}
            self.buckets_diff = {key: list(bucket) for key, bucket in packed[3].items()}
            self.numbers = unpack_names(packed[6])

    def get_diff(self) -> Map[bytes, Any]:
        return reordered(Map(self._pack_map(self.diff).items()))

    @staticmethod
    def mix(new: Map[bytes, Any], acc: Map[bytes, Any]) -> Map[bytes, Any]:
        for name, value in new.items():
            acc[name] = value
        return acc

    def given(self) -> Any:
        return self.era, self.diff.to_dict()

    def put_diff(self, diff: Map[bytes, Any], since: Any = None) -> None:
        for name, packed in reordered(diff).items():
            self._put(name, self._unpack_value(packed))
        self._subtract(since)
        self.gone = [name for name, packed in reordered(diff).items() if self._unpack_value(packed) is None]

    def _put(self, name: bytes, value: Value | None) -> None:
        if self.unlearner is not None:
            if value is None:
                self.unlearner.remove(name)
            elif not self.unlearner.can_touch(name):
                return
            else:
                self.unlearner.touch(name)
        before = self.value(name)
        if self.tables and before is not None:
            for key in before[2]:
                _erase(self.buckets, key, self.number(name))
        if value is None:
            if name in self.master:
                del self.master[name]
            if name in self.diff and self.diff[name] is None:
                del self.diff[name]
            return
        self.master[name] = value
        if self.tables:
            for key in value[2]:
                self.buckets.setdefault(key, []).append(self.number(name))

    def _subtract(self, since: Any) -> None:
        if since is None or since[0] is not self.era:
            return
        for name, value in since[1].items():
            if value is None or (name in self.diff and self.diff[name] is None):
                continue
            if name not in self.diff:
                if name in self.master:
                    self.diff[name] = None
            elif self.diff[name] == value:
                del self.diff[name]
        self.buckets_diff = {}
        for name in self.diff:
            self._enter_buckets(name)
        self.era = object()

    def catch_up(self, fresh: "HashedRows", since: Any = None) -> None:
        fresh.diff, fresh.buckets_diff = Map(), {}
        if since is not None and since[0] is self.era:
            for name, value in since[1].items():
                if value is not None and self.value(name) is None:
                    fresh.remove(name)
            self._subtract(since)
        for name, value in self.diff.items():
            if value is None:
                fresh.remove(name)
            else:
                fresh.set(name, value)
        self.master, self.diff, self.numbers = fresh.master, fresh.diff, fresh.numbers
        self.buckets, self.buckets_diff, self.era = fresh.buckets, fresh.buckets_diff, object()


def _erase(buckets: dict[int, list[int]], key: int, number: int) -> None:
    bucket = [n for n in buckets.get(key, []) if n != number]
    buckets.pop(key, None)
    if bucket:
        buckets[key] = bucket


def floor(x: float) -> int:
    """Round down to 32 bits; what does not fit becomes the least number."""
    return math.floor(x) if -(2.0**31) <= x < 2.0**31 else -(2**31)


def bucket_key(numbers: list[int], table: int) -> int:
    key = FNV_START
    for number in [*numbers, table]:
        for byte in (number & 0xFFFFFFFF).to_bytes(4, "little"):
            key = (key * FNV_PRIME & MASK) ^ byte
    return key


class Probes:
    """The further buckets of a query: the more borders a bucket is away, and the farther these are, the later it comes.

    Args:
        shifted: projections of the query, in each table so many.
        tables: how many.
    """

    def __init__(self, shifted: list[float], tables: int) -> None:
        size = len(shifted) // tables
        self.shifted = [shifted[t * size : (t + 1) * size] for t in range(tables)]

    def keys(self, count: int) -> list[int]:
        keys: list[int] = []
        moves = [self._moves(numbers) for numbers in self.shifted]
        waiting = [(moves[t][0][0], t, [0]) for t in range(len(moves))]
        heapq.heapify(waiting)
        while waiting and len(keys) < count:
            score, t, taken = heapq.heappop(waiting)
            base = [floor(x) for x in self.shifted[t]]
            for i in taken:
                code = moves[t][i][1]
                base[code if code >= 0 else ~code] += 1 if code >= 0 else -1
            keys.append(bucket_key(base, t))
            last = taken[-1]
            if last + 1 < len(moves[t]):
                here, further = moves[t][last][0], moves[t][last + 1][0]
                heapq.heappush(waiting, (f32(score + f32(further - here)), t, [*taken[:-1], last + 1]))
                heapq.heappush(waiting, (f32(score + further), t, [*taken, last + 1]))
        return keys

    @staticmethod
    def _moves(numbers: list[float]) -> list[tuple[float, int]]:
        found = []
        for j, x in enumerate(numbers):
            d = f32(x - float(floor(x)))
            up = f32(1.0 - d)
            found += [(f32(up * up), j), (f32(d * d), ~j)]
        return sorted((math.inf if math.isnan(score) else score, code) for score, code in found)


class Lsh:
    """The hash of the method ``lsh``."""

    def __init__(self, parameter: dict[str, Any]) -> None:
        self.bits, self.tables = parameter["hash_num"], 0
        self.threads = parameter.get("threads") or 0

    def hash(self, vector: Vector) -> Value:
        return (near.signs(near.project(vector, self.bits, self.threads)),)


class MinHash:
    """The hash of the method ``minhash``."""

    def __init__(self, parameter: dict[str, Any]) -> None:
        self.bits, self.tables = parameter["hash_num"], 0

    def hash(self, vector: Vector) -> Value:
        return (near.minhash(vector, self.bits, rounds_late=True),)


class EuclidLsh:
    """The hash of the method ``euclid_lsh``, with norm and buckets."""

    def __init__(self, parameter: dict[str, Any]) -> None:
        self.tables = parameter["table_num"]
        self.bits = parameter["hash_num"] * self.tables
        self.width, self.probes = f32(parameter["bin_width"]), parameter["probe_num"]
        self.threads = parameter.get("threads") or 0
        numbers = MersenneTwister(parameter["seed"])
        self.shifts = [f32(numbers.next_double()) for _ in range(self.bits)]

    def shifted(self, vector: Vector) -> list[float]:
        return [f32(h + shift) for h, shift in zip(self._projections(vector), self.shifts, strict=True)]

    def _projections(self, vector: Vector) -> list[float]:
        return [f32(div(p, self.width)) for p in near.project(vector, self.bits, self.threads)]

    def hash(self, vector: Vector) -> Value:
        base = [floor(x) for x in self.shifted(vector)]
        size = self.bits // self.tables
        keys = tuple(bucket_key(base[t * size : (t + 1) * size], t) for t in range(self.tables))
        return near.signs(self._projections(vector)), near.norm(vector), keys
