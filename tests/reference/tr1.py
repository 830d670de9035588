"""The hash map of the original's build (``std::tr1::unordered_map`` of GCC), whose iteration order is visible to users.

Buckets are walked from the first to the last; a new key goes to the front of its bucket; a full table moves every
element, in walking order, to the front of its bucket in a table of the next size.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Generic, TypeVar

SIZES = (11, 23, 47, 97, 199, 409, 823, 1741, 3739, 7517, 15173, 30727, 62233, 126271, 256279, 520241)
MASK = (1 << 64) - 1
FNV_START = 14695981039346656037
FNV_PRIME = 1099511628211

K = TypeVar("K", bytes, int)
V = TypeVar("V")


def signed_bytes(text: bytes) -> Iterator[int]:
    """Yield each byte as a C ``char`` widened to 64 bits: from 128 on, the upper bits are ones."""
    for c in text:
        yield c if c < 128 else (c - 256) & MASK


@lru_cache(maxsize=1 << 16)
def hash_bytes(text: bytes) -> int:
    """FNV-1a over sign-extended bytes."""
    h = FNV_START
    for c in signed_bytes(text):
        h = (h ^ c) * FNV_PRIME & MASK
    return h


def hash_key(key: bytes | int) -> int:
    return key & MASK if isinstance(key, int) else hash_bytes(key)


class Map(Generic[K, V]):
    """A map that iterates as the original's; keys are bytes or integers."""

    def __init__(self, items: Iterable[tuple[K, V]] = ()) -> None:
        self._buckets: list[list[K]] = [[] for _ in range(SIZES[0])]
        self._values: dict[K, V] = {}
        for key, value in items:
            self[key] = value

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __getitem__(self, key: K) -> V:
        return self._values[key]

    def get(self, key: K, default: V) -> V:
        return self._values.get(key, default)

    def __setitem__(self, key: K, value: V) -> None:
        if key not in self._values:
            if len(self._values) + 1 > len(self._buckets):
                self._grow()
            self._bucket(key).insert(0, key)
        self._values[key] = value

    def __delitem__(self, key: K) -> None:
        del self._values[key]
        self._bucket(key).remove(key)

    def setdefault(self, key: K, default: V) -> V:
        if key not in self._values:
            self[key] = default
        return self._values[key]

    def __iter__(self) -> Iterator[K]:
        for bucket in self._buckets:
            yield from bucket

    def items(self) -> Iterator[tuple[K, V]]:
        for key in self:
            yield key, self._values[key]

    def values(self) -> Iterator[V]:
        for key in self:
            yield self._values[key]

    def clear(self) -> None:
        """Drop all elements and keep the number of buckets."""
        self._values.clear()
        for bucket in self._buckets:
            bucket.clear()

    def to_dict(self) -> dict[K, V]:
        """Give a plain dict in iteration order."""
        return dict(self.items())

    def _bucket(self, key: K) -> list[K]:
        return self._buckets[hash_key(key) % len(self._buckets)]

    def _grow(self) -> None:
        keys = list(self)
        size = next(s for s in SIZES if s > len(self._buckets))
        self._buckets = [[] for _ in range(size)]
        for key in keys:
            self._bucket(key).insert(0, key)


def set_of(names: Iterable[bytes]) -> list[bytes]:
    """Return up to 97 names in the order of a set that is made of them in one go: its size is the next prime."""
    listed = list(names)
    size = next(n for n in range(max(2, len(listed)), 98) if all(n % d for d in range(2, n)))
    return sorted(reversed(listed), key=lambda name: hash_bytes(name) % size)
