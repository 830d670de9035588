"""The model of the service ``stat``: it looks through the whole window for each extreme and each high moment."""

from dataclasses import astuple, dataclass
from typing import Any

from tests.reference import Refusal
from tests.reference.ieee import div, log, sqrt
from tests.reference.tr1 import Map

MASK = (1 << 64) - 1


@dataclass
class Known:
    """What is known of a key."""

    count: int = 0
    sum: float = 0.0
    squares: float = 0.0
    max: float = 0.0
    min: float = 0.0


def power(x: float, n: int) -> float:
    """x ** n by repeated squaring."""
    y = x if n & 1 else 1.0
    while n := n >> 1:
        x *= x
        if n & 1:
            y *= x
    return y


class Stat:
    """Takes and gives the values of the wire as Python values; keys are bytes."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.size = config["window_size"] & MASK
        self.window: list[tuple[bytes, float]] = []
        self.keys: Map[bytes, Known] = Map()
        self.mixed = (0.0, 0.0)

    def push(self, key: bytes, value: float) -> bool:
        self.window.append((key, value))
        known = self.keys.setdefault(key, Known())
        known.count += 1
        known.sum += value
        known.squares += value * value
        if known.count == 1:
            known.max = known.min = value
        else:
            known.max = value if known.max < value else known.max
            known.min = value if value < known.min else known.min
        while len(self.window) > self.size:
            self._evict()
        return True

    def _evict(self) -> None:
        key, value = self.window.pop(0)
        known, left = self.keys[key], self._values(key)
        known.count -= 1
        known.sum -= value
        known.squares -= value * value
        if known.max == value:
            known.max = left[0] if left else 0.0
            for other in left:
                known.max = other if known.max < other else known.max
        if known.min == value:
            known.min = left[0] if left else 0.0
            for other in left:
                known.min = other if other < known.min else known.min
        if known.count == 0:
            del self.keys[key]

    def _values(self, key: bytes) -> list[float]:
        return [value for own, value in self.window if own == key]

    def _find(self, row: str, key: bytes) -> Known:
        if key not in self.keys:
            raise Refusal(f"{row}: key {key.decode('utf-8', 'surrogateescape')} not found")
        return self.keys[key]

    def sum(self, key: bytes) -> float:
        return self._find("sum", key).sum

    def stddev(self, key: bytes) -> float:
        known = self._find("stddev", key)
        return sqrt(self.moment(key, 2, known.sum / known.count))

    def max(self, key: bytes) -> float:
        return self._find("max", key).max

    def min(self, key: bytes) -> float:
        return self._find("min", key).min

    def moment(self, key: bytes, degree: int, center: float) -> float:
        if degree < 0:
            return -1.0
        known = self._find("moment", key)
        if degree == 0:
            return 1.0
        if degree == 1:
            return (known.sum - center * known.count) / known.count
        if degree == 2:
            return (known.squares - 2 * known.sum * center) / known.count + center * center
        total = 0.0
        for value in self._values(key):
            total += power(value - center, degree)
        return total / known.count

    def entropy(self, key: bytes) -> float:
        total, count = self.mixed
        if count != 0.0:
            return log(count) - div(total, count)
        everything, negative = sum((known.count for known in self.keys.values()), 0.0), 0.0
        for known in self.keys.values():
            p = known.count / everything
            negative += p * log(p)
        return -1.0 * negative

    def clear(self) -> bool:
        self.window.clear()
        self.keys.clear()
        return True

    def status(self) -> dict[str, str]:
        return {"storage": "stat"}

    def pack(self) -> list[Any]:
        keys = {key: list(astuple(known)) for key, known in self.keys.items()}
        return [self.size, [[0, [key, value]] for key, value in self.window], keys, *self.mixed]

    def unpack(self, packed: list[Any]) -> None:
        self.size, window, keys, *mixed = packed
        self.window = [(key, value) for _, (key, value) in window]
        self.keys = Map((key, Known(*known)) for key, known in keys.items())
        self.mixed = (mixed[0], mixed[1])

    def get_diff(self) -> list[Any]:
        total = 0.0
        for known in self.keys.values():
            total += known.count * log(known.count)
        return [[total, sum(known.count for known in self.keys.values())]]

    def given(self) -> None:
        """Remember nothing: a diff describes the window as it is, and putting one takes nothing from it."""

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        return [[acc[0][0] + new[0][0], acc[0][1] + new[0][1]]]

    def put_diff(self, diff: list[Any], since: None = None) -> bool:
        total, count = diff[0]
        self.mixed = (total, float(count))
        return True
