"""Rows as they were given: features that no row has any more."""

from typing import Any

from jubatus._core.services.recommender import Recommender
from jubatus._core.wire import unpack
from tests.core.calls import call
from tests.services.recommender import config_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}


def datum(**numbers: float) -> list[Any]:
    return [[], [[key, float(x)] for key, x in numbers.items()], []]


def test_features_that_no_row_has_are_forgotten() -> None:
    model = Recommender(config_of("lsh", converter=NUM))
    call(model, "update_row", "stays", datum(b=1, a=2))
    for i in range(3000):
        call(model, "update_row", f"r{i}", datum(**{f"x{i}": 1, "a": 3}))
        call(model, "clear_row", f"r{i}")
    rows, (numbers, _, count) = unpack(model.pack())[0][0]
    assert count <= 2 + 1024 and len(numbers) == count
    assert numbers[b"b@num"] < numbers[b"a@num"]
    assert call(model, "decode_row", "stays") == [[], [[b"b", 1.0], [b"a", 2.0]], []]
    call(model, "update_row", "stays", datum(a=5, c=1))
    assert call(model, "decode_row", "stays") == [[], [[b"b", 1.0], [b"a", 5.0], [b"c", 1.0]], []]
    assert rows == {b"stays": {numbers[b"b@num"]: 1.0, numbers[b"a@num"]: 2.0}}


def test_a_feature_that_comes_twice_in_a_datum_has_its_last_value() -> None:
    model = Recommender(config_of("lsh", converter=NUM))
    call(model, "update_row", "a", [[], [["x", 1.0], ["y", 2.0], ["x", 3.0]], []])
    assert call(model, "decode_row", "a") == [[], [[b"x", 3.0], [b"y", 2.0]], []]
