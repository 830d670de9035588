"""Right and wrong values of every declared type, in the form that they have on the wire."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from jubatus import types
from jubatus.idl import Method
from tests.core.generate import chosen

LONG = "x" * (1 << 20)
NOT_TEXT = b"\xff\xfe"
NAN, INFINITY = float("nan"), float("inf")


class Fit(Enum):
    """What a server may make of arguments."""

    RIGHT = "right"
    """They are of the declared types: a result, or a text that says why not."""
    WRONG = "wrong"
    """They are not: error 2."""
    OPEN = "open"
    """A client would not send them, an old one may: any of both."""


class Sample(NamedTuple):
    """A value and what it is for its type."""

    value: Any
    fit: Fit


def samples(kind: types.Type) -> Iterator[Sample]:
    """Yield values for a declared type; the first one is right and nothing special."""
    right, wrong, open_ = _plain(kind)
    yield from (Sample(value, Fit.RIGHT) for value in right)
    yield from (Sample(value, Fit.WRONG) for value in wrong)
    yield from (Sample(value, Fit.OPEN) for value in open_)
    yield from _inside(kind)


def good(kind: types.Type) -> Any:
    """Return a right value."""
    return next(samples(kind)).value


def _plain(kind: types.Type) -> tuple[list[Any], list[Any], list[Any]]:
    """Return values of a type that are right, wrong and open as a whole."""
    if isinstance(kind, types.TString):
        right: list[Any] = ["a", "", "nosuch", "é\0\n", "a$b", LONG]
        return right, [None, True, 5, -1, 1.5, ["a"], {"a": "a"}], [NOT_TEXT]
    if isinstance(kind, types.TRaw):
        return [b"a", b"", NOT_TEXT, LONG.encode()], [None, True, 5, -1, 1.5, [b"a"], {}], []
    if isinstance(kind, types.TBool):
        return [True, False], [None, 0, 1, "", []], []
    if isinstance(kind, types.TInt):
        right = [1, 0, kind.min, kind.max]
        outside = [number for number in (kind.min - 1, kind.max + 1) if -(1 << 63) <= number < 1 << 64]
        return right, [*outside, None, True, 1.0, NAN, "1", [1]], []
    if isinstance(kind, types.TFloat):
        right = [1.5, 0.0, -0.0, -1e308, 5e-324, NAN, INFINITY, -INFINITY]
        return right, [None, True, "1.5", [1.5], {}], [0, -1, (1 << 64) - 1, -(1 << 63)]
    if isinstance(kind, types.TMap):
        return [{good(kind.key): good(kind.value)}, {}], [None, 5, "a", [], [1]], []
    if isinstance(kind, types.TList):
        one = good(kind.type)
        return [[one], [], [one] * 3], [None, True, 5, 1.5, "a", {}], []
    if isinstance(kind, types.TTuple):
        whole = [good(part) for part in kind.types]
        return [whole], [None, 5, "a", {}, whole[:-1], [*whole, 5]], []
    if isinstance(kind, types.TUserDef):
        whole = [good(part) for part in kind.type.TYPE.types]
        return [whole], [None, 5, "a", {}], [[], whole[:-1], [*whole, 5]]
    assert isinstance(kind, types.TDatum), kind
    whole = [[["a", "x y"]], [["k", 1.0]], []]
    return [whole, [[], [], []], [[["b", "x"]] * 3, [["k", 2.0]] * 3, []]], [None, 5, "a", {}], [[], [[]], [*whole, 5]]


def _inside(kind: types.Type) -> Iterator[Sample]:
    """Yield values that have every sample of each of their parts inside, among right ones."""
    if isinstance(kind, types.TList):
        for value, fit in samples(kind.type):
            yield Sample([good(kind.type), value], fit)
    elif isinstance(kind, types.TMap):
        yield from (Sample({good(kind.key): value}, fit) for value, fit in samples(kind.value))
        keys = (sample for sample in samples(kind.key) if not isinstance(sample.value, list | dict))
        yield from (Sample({key: good(kind.value)}, fit) for key, fit in keys)
    elif isinstance(kind, types.TTuple | types.TUserDef):
        parts = kind.types if isinstance(kind, types.TTuple) else kind.type.TYPE.types
        whole = [good(part) for part in parts]
        for i, part in enumerate(parts):
            yield from (Sample([*whole[:i], value, *whole[i + 1 :]], fit) for value, fit in samples(part))
    elif isinstance(kind, types.TDatum):
        for i, part in enumerate(types.Datum.TYPE.types):
            for value, fit in samples(part):
                yield Sample([value if i == j else [] for j in range(3)], fit)


def arguments(method: Method, values: Mapping[str, Sequence[Any]]) -> Iterator[tuple[list[Any], Fit]]:
    """Yield arguments of a method, first the good ones, then with every sample in each place, too few and too many.

    Args:
        method: the row.
        values: by argument, what good ones are; see tests.services.Facts.
    """
    known = [(chosen(values, method.name, name), kind) for name, kind in method.args]
    whole = [good(kind) if found is None else found[0] for found, kind in known]
    yield whole, Fit.RIGHT
    yield [*whole, 5, None], Fit.RIGHT if method.named else Fit.OPEN  # that a mixer calls may take more than declared
    yield from ((whole[:count], Fit.WRONG) for count in range(len(whole)))
    for i, argument in enumerate(method.args):
        for value, fit in samples(argument.type):
            yield [*whole[:i], value, *whole[i + 1 :]], fit
