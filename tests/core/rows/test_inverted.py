"""What is swept out of an inverted index and of rows as they were given, also while a MIX is under way."""

from typing import Any

import pytest

from jubatus._core.services.recommender import Recommender
from jubatus._core.wire import unpack
from tests.core.calls import call, give, mix_alone
from tests.services.recommender import config_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}
MANY = 1024
"""Columns that must be gone before they are swept out."""


def made(distributed: bool = False, **parameter: Any) -> Recommender:
    return Recommender(config_of("inverted_index", converter=NUM, **parameter), distributed=distributed)


def datum(**numbers: float) -> list[Any]:
    return [[], [[key, float(x)] for key, x in numbers.items()], []]


def update(model: Recommender, name: str, **numbers: float) -> None:
    call(model, "update_row", name, datum(**numbers))


def come_and_go(model: Recommender, count: int) -> None:
    for i in range(count):
        update(model, f"gone{i}", x=1)
        call(model, "clear_row", f"gone{i}")


def test_columns_and_features_that_are_gone_are_swept_out() -> None:
    """Each row has a feature of its own."""
    model = made(unlearner="lru", unlearner_parameter={"max_size": 100})
    for i in range(5000):
        update(model, f"r{i}", **{"x": 1, f"y{i}": 1, f"z{i % 10}": 2})
    _, (rows, features), (_, cells, _, norms, names) = unpack(model.pack())[0]
    assert len(rows) == len(norms) == 100
    assert features[2] <= 2 * (100 + MANY) + 11
    assert len(cells) <= 100 + 11 and names[2] <= 100 + MANY
    rest = made()
    for i in range(4900, 5000):
        update(rest, f"r{i}", **{"x": 1, f"y{i}": 1, f"z{i % 10}": 2})
    for query in (datum(x=1), datum(y4950=1, z0=1), datum(z3=1, x=-1)):
        for most in (1, 7, 1000):
            found, want = (call(each, "similar_row_from_datum", query, most) for each in (model, rest))
            assert found == want
    again = made(unlearner="lru", unlearner_parameter={"max_size": 100})
    again.unpack(model.pack())
    assert call(again, "similar_row_from_datum", datum(x=1), 200) == call(
        model, "similar_row_from_datum", datum(x=1), 200
    )


@pytest.mark.parametrize("before", [0, 1, MANY])
def test_a_mix_whose_columns_were_swept_out_meanwhile(before: int) -> None:
    """A row that was removed after the copy is removed once more by the next MIX; what stayed is not given twice."""
    model = made(distributed=True)
    come_and_go(model, before)
    for name in ("a", "b"):
        update(model, name, x=1, y=2)
    assert mix_alone(model)
    update(model, "a", x=3)
    update(model, "c", x=1, z=1)
    update(model, "d", w=1)
    mixed, snapshot = give(model)
    call(model, "clear_row", "d")
    update(model, "c", z=4)
    come_and_go(model, 2 * MANY)
    assert unpack(model.pack())[0][1][4][2] < 2 * MANY
    assert model.put_diff(mixed, snapshot)
    assert mix_alone(model)
    assert mix_alone(model)
    _, (master, changed, norms, norms_changed, names) = unpack(model.pack())[0]
    assert changed == norms_changed == {}
    assert {names[1][c]: x for c, x in norms.items()} == {b"a": 13.0, b"b": 5.0, b"c": 17.0}
    assert {f: {names[1][c]: x for c, x in row.items()} for f, row in master.items()} == {
        b"x@num": {b"a": 3.0, b"b": 1.0, b"c": 1.0}, b"y@num": {b"a": 2.0, b"b": 2.0}, b"z@num": {b"c": 4.0},
    }  # fmt: skip


def test_removals_that_wait_for_a_mix_are_kept() -> None:
    one, other = made(distributed=True), made(distributed=True)
    count = MANY + 10
    for i in range(count):
        update(one, f"r{i}", x=1)
    update(one, "stays", x=1)
    diff, snapshot = give(one)
    assert one.put_diff(diff, snapshot) and other.put_diff(diff)
    for i in range(count):
        call(one, "clear_row", f"r{i}")
    come_and_go(one, 3 * MANY)
    diff, snapshot = give(one)
    assert one.put_diff(diff, snapshot) and other.put_diff(diff)
    for model in (one, other):
        assert call(model, "get_all_rows") == [b"stays"]
        assert call(model, "similar_row_from_datum", datum(x=1), 9) == [[b"stays", 1.0]]


def test_dense_columns_keep_their_values_when_others_are_swept_out() -> None:
    """Many rows have the feature, so that its values stand by column."""
    model = made()
    come_and_go(model, 500)
    for i in range(600):
        update(model, f"r{i}", x=i % 13 + 1, y=i % 7 - 3)
        if i % 2:
            come_and_go(model, 3)
    for i in range(0, 600, 3):
        call(model, "clear_row", f"r{i}")
    come_and_go(model, MANY)
    rest = made()
    for i in range(600):
        if i % 3:
            update(rest, f"r{i}", x=i % 13 + 1, y=i % 7 - 3)
    for query in (datum(x=1), datum(y=1), datum(x=2, y=-1)):
        found, want = (call(each, "similar_row_from_datum", query, 1000) for each in (model, rest))
        assert found == want
