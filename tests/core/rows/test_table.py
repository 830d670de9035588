"""Rows with versions: what servers push to each other, and what a table does that its twin in a battery does not show."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubatus._core.context import Context
from jubatus._core.services.nearest_neighbor import NearestNeighbor
from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from tests.core.calls import call, give, mix_of

CONFIG = {
    "method": "euclid_lsh",
    "parameter": {"hash_num": 70},
    "converter": {"num_rules": [{"key": "*", "type": "num"}]},
}


def made(name: str) -> NearestNeighbor:
    return NearestNeighbor(CONFIG, distributed=True, context=Context(name))


def set_row(model: NearestNeighbor, row: str, number: float) -> None:
    assert call(model, "set_row", row, [[], [["k", number]], []]) is True


def rows(model: NearestNeighbor) -> dict[bytes, Any]:
    """Return version and cells of each row."""
    keys, _, versions, (bits, norms), _, _ = unpack(model.pack())[0]
    return {
        key: (versions[i], bits[1][2 * i : 2 * i + 2], norms[1][i])
        for i, key in enumerate(keys)
    }  # fmt: skip


def exchange(one: NearestNeighbor, other: NearestNeighbor) -> None:
    """Let two servers push to each other, as the first one's mixer does."""
    theirs = other.pull_rows(one.pull_argument())
    mine = one.pull_rows(other.pull_argument())
    other.push_rows(mine)
    one.push_rows(theirs)


def test_pushed_rows_and_what_is_pulled() -> None:
    one, other = made("a_1"), made("b_2")
    set_row(one, "x", 1.0)
    set_row(one, "y", -1.0)
    assert unpack(one.pull_argument()) == [{}]
    (found,) = unpack(other.pull_rows(one.pull_argument()))
    assert found == []
    (found,) = unpack(one.pull_rows(other.pull_argument()))
    assert [row[:2] for row in found] == [[b"x", [[b"a_1"], 0]], [b"y", [[b"a_1"], 1]]]
    assert [[cell[0] if isinstance(cell, list) else cell for cell in row[2]] for row in found] == [[70, 1.0], [70, 1.0]]
    exchange(one, other)
    assert rows(one) == rows(other)
    exchange(one, other)  # the own rows come back once; from then on they count as seen
    assert unpack(other.pull_rows(one.pull_argument())) == [[]]
    assert unpack(one.pull_rows(other.pull_argument())) == [[]]


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["x", "y", "z", "exchange", "mix", "clear"]), st.integers(-3, 3)),
        max_size=30,
    )
)
def test_servers_agree_after_all_have_exchanged(steps: list[tuple[int, str, int]]) -> None:
    models = [made(f"s_{i}") for i in range(3)]
    for server, step, number in steps:
        model = models[server]
        if step == "exchange":
            exchange(model, models[(server + 1) % 3])
        elif step == "mix":
            mixed, given = mix_of(models)
            assert all([each.put_diff(mixed, since) for each, since in zip(models, given, strict=True)])
        elif step == "clear":
            for each in models:  # the call is sent to all servers
                call(each, "clear")
        else:
            set_row(model, step, float(number))
    for _ in range(2):
        for i in range(3):
            exchange(models[i], models[(i + 1) % 3])
    assert rows(models[0]) == rows(models[1]) == rows(models[2])


def test_of_two_writings_the_later_one_stays() -> None:
    one, other = made("a_1"), made("b_2")
    set_row(one, "x", 1.0)
    exchange(one, other)
    set_row(other, "x", 5.0)
    exchange(one, other)
    assert rows(one) == rows(other)
    assert rows(one)[b"x"][2] == 5.0


def test_rows_that_come_while_a_copy_is_taken_are_copied_or_stay_new() -> None:
    model = made("a_1")
    for number in range(10):
        set_row(model, f"r{number}", number)
    snapshot = model.snapshot()
    assert not snapshot.take(4)
    set_row(model, "r2", 100.0)  # was copied already
    set_row(model, "late", 1.0)
    while not snapshot.take(4):
        pass
    model.put_diff(model.mix([snapshot.pack()]), snapshot)
    left = {row[0] for row in unpack(unpack(give(model)[0])[0])}
    assert left <= {b"r2", b"late"} and b"r2" in left
    assert rows(model)[b"r2"][2] == 100.0


@pytest.mark.parametrize("shared", ["", "same"])
def test_a_server_that_joins_keeps_its_own_new_rows(shared: str) -> None:
    first, second = made(shared or "a_1"), made(shared or "b_2")
    for number in range(5):
        set_row(first, f"r{number}", number)
    mixed, (since,) = mix_of([first])
    assert first.put_diff(mixed, since)
    set_row(second, "own", 7.0)
    fresh = second.fresh()
    fresh.unpack(first.pack())
    second.catch_up(fresh, None)
    assert set(rows(second)) == {b"own", *(b"r%d" % number for number in range(5))}
    assert [row[0] for row in unpack(unpack(give(second)[0])[0])] == [b"own"]


@pytest.mark.parametrize(
    "given",
    [[], [[], []], [[[b"x"]]], [[[b"x", [[b"o"], 1], [[70, b"short"], 1.0]]]], [[[b"x", [[b"o"], 1], [[64, bytes(8)], 1.0]]]],
     [[[b"x", [[b"o"], 1], [[70, bytes(16)]]]]], [[[b"x", [b"o", 1], [[70, bytes(16)], 1.0]]]], 5],
)  # fmt: skip
def test_rows_that_are_none_change_nothing(given: Any) -> None:
    model = made("a_1")
    set_row(model, "x", 1.0)
    before = model.pack()
    with pytest.raises(ModelError, match=r"^push failed$"):
        model.push_rows(pack(given))
    assert model.pack() == before
    with pytest.raises(ModelError, match=r"^pull array failed$"):
        model.pull_rows(pack([5]))
