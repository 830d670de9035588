"""Which labels to keep when there may only be so many."""

from collections.abc import Callable
from typing import Any

from tests.reference.random_numbers import MersenneTwister
from tests.reference.text import matcher
from tests.reference.tr1 import Map

Forget = Callable[[bytes], None]


class Lru:
    """Forget the id that was not used for the longest time; sticky ids stay."""

    def __init__(self, max_size: int, sticky_pattern: str | None, forget: Forget) -> None:
        self.max_size = max_size
        self.is_sticky = matcher(sticky_pattern) if sticky_pattern is not None else lambda key: False
        self.forget = forget
        self.clear()

    def clear(self) -> None:
        self.recent: list[bytes] = []
        self.sticky: Map[bytes, None] = Map()

    def __contains__(self, key: bytes) -> bool:
        return key in self.recent or key in self.sticky

    def can_touch(self, key: bytes) -> bool:
        return key in self or len(self.sticky) < self.max_size

    def touch(self, key: bytes) -> bool:
        if key in self:
            if key in self.recent:
                self.recent.remove(key)
                self.recent.insert(0, key)
            return True
        if len(self.recent) + len(self.sticky) >= self.max_size:
            if not self.recent:
                return False
            self.forget(self.recent[-1])
            self.recent.pop()
        if self.is_sticky(key):
            self.sticky[key] = None
        else:
            self.recent.insert(0, key)
        return True

    def remove(self, key: bytes) -> bool:
        if key in self.recent:
            self.recent.remove(key)
            return True
        if key in self.sticky:
            del self.sticky[key]
            return True
        return False

    def pack(self) -> list[Any]:
        return [self.recent[:], list(self.sticky)]

    def unpack(self, packed: list[Any]) -> None:
        self.recent, sticky = list(packed[0]), packed[1]
        self.sticky = Map((key, None) for key in sticky)

    def status(self) -> dict[str, str]:
        return {
            "num_unlearner_unlearned_ids": str(len(self.recent)),
            "num_unlearner_sticky_ids": str(len(self.sticky)),
        }


class Random:
    """Forget an id chosen at random."""

    def __init__(self, max_size: int, seed: int, forget: Forget) -> None:
        self.max_size = max_size
        self.random = MersenneTwister(seed)
        self.forget = forget
        self.clear()

    def clear(self) -> None:
        self.ids: list[bytes] = []

    def __contains__(self, key: bytes) -> bool:
        return key in self.ids

    def can_touch(self, key: bytes) -> bool:
        return True

    def touch(self, key: bytes) -> bool:
        if key in self.ids:
            return True
        if len(self.ids) < self.max_size:
            self.ids.append(key)
        else:
            p = self.random.next_int(len(self.ids))
            self.forget(self.ids[p])
            self.ids[p] = key
        return True

    def remove(self, key: bytes) -> bool:
        if key not in self.ids:
            return False
        last = self.ids.pop()
        if last != key:
            self.ids[self.ids.index(key)] = last
        return True

    def pack(self) -> list[Any]:
        positions = Map((key, i) for i, key in enumerate(self.ids))
        return [positions.to_dict(), self.ids[:]]

    def unpack(self, packed: list[Any]) -> None:
        self.ids = list(packed[1])

    def status(self) -> dict[str, str]:
        return {"num_unlearner_ids": str(len(self.ids))}


Unlearner = Lru | Random


def unlearner(config: dict[str, Any] | None, forget: Forget) -> Unlearner | None:
    """Make the unlearner that the members of ``parameter`` describe."""
    if not config or config.get("unlearner") is None:
        return None
    p = config["unlearner_parameter"]
    if config["unlearner"] == "lru":
        return Lru(p["max_size"], p.get("sticky_pattern"), forget)
    return Random(p["max_size"], p["seed"], forget)
