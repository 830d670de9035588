"""Random arguments made from the declarations."""

from collections.abc import Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Any

from jubatus import types
from jubatus.idl import Method

CONVERTER = {
    "string_types": {"bi": {"method": "ngram", "char_num": "2"}},
    "string_rules": [
        {"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf1"},
        {"key": "b", "type": "bi", "sample_weight": "log_tf", "global_weight": "bm25"},
    ],
    "num_rules": [{"key": "*", "type": "num"}],
}
WORDS = ("x", "y", "z", "xy", "yz", "あ", "zz top")
LABELS = ("a", "b", "c", "d", "ab")
KEYS = ("a", "b", "k")


def chosen(values: Mapping[str, Sequence[Any]], row: str, argument: str) -> Sequence[Any] | None:
    """Return what an argument is chosen from, by ``row.argument`` or else by its name; None if that is not said."""
    return values.get(f"{row}.{argument}", values.get(argument))


class Arguments:
    """Makes wire values of declared types.

    Args:
        seed: of the random numbers.
        values: by argument, what it is chosen from, see ``chosen``; all others are made by their type.
    """

    def __init__(self, seed: int | str, values: Mapping[str, Sequence[Any]] = MappingProxyType({})) -> None:
        self.random = Random(seed)
        self._values = values

    def of_method(self, method: Method) -> list[Any]:
        known = [(chosen(self._values, method.name, name), kind) for name, kind in method.args]
        return [self.of(kind) if values is None else self.random.choice(values) for values, kind in known]

    def of(self, type: types.Type) -> Any:
        random = self.random
        if isinstance(type, types.TDatum):
            return self.datum()
        if isinstance(type, types.TUserDef):
            return [self.of(t) for t in type.type.TYPE.types]
        if isinstance(type, types.TList):
            return [self.of(type.type) for _ in range(random.randrange(4))]
        if isinstance(type, types.TMap):
            return {self.of(type.key): self.of(type.value) for _ in range(random.randrange(4))}
        if isinstance(type, types.TTuple):
            return [self.of(t) for t in type.types]
        if isinstance(type, types.TInt):
            return random.choice((0, 1, 2, 5, type.max))
        if isinstance(type, types.TBool):
            return random.random() < 0.5
        if isinstance(type, types.TFloat):
            return self.number()
        assert isinstance(type, types.TString | types.TRaw), type
        return random.choice(LABELS)

    def number(self) -> float:
        return self.random.choice((1.0, -1.0, 0.5, 2.0, round(self.random.uniform(-3, 3), 2)))

    def datum(self) -> list[Any]:
        random = self.random
        strings = [
            [random.choice(KEYS), " ".join(random.choices(WORDS, k=random.randrange(6)))]
            for _ in range(random.randrange(3))
        ]
        return [strings, [[random.choice(KEYS), self.number()] for _ in range(random.randrange(1, 4))], []]

    def junk(self, depth: int = 3) -> Any:
        """Make a value of no particular type."""
        random = self.random
        kind = random.randrange(9 if depth else 6)
        if kind == 0:
            return random.choice((None, True, False))
        if kind == 1:
            return random.choice((0, 1, -1, 127, 255, 2**31, 2**32, 2**63, 2**64 - 1, -(2**63)))
        if kind == 2:
            return random.choice((0.0, 1.5, -1e300, float("inf"), float("nan")))
        if kind == 3:
            return random.randbytes(random.randrange(12))
        if kind == 4:
            return random.choice((*WORDS, *LABELS, "$", "a$b", ""))
        if kind == 5:
            return self.datum()
        if kind == 6:
            return {random.choice(LABELS): self.junk(depth - 1) for _ in range(random.randrange(3))}
        return [self.junk(depth - 1) for _ in range(random.randrange(5))]

    def spoilt(self, value: Any) -> Any:
        """Replace something inside a value by junk."""
        random = self.random
        if isinstance(value, list) and value and random.random() < 0.85:
            i = random.randrange(len(value))
            return [*value[:i], self.spoilt(value[i]), *value[i + 1 :]]
        return self.junk()
