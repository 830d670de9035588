"""Unlearners in a cluster: what a MIX removes, and what a server learned meanwhile."""

import pytest

from jubatus._core.services.recommender import Recommender
from jubatus._core.wire import unpack
from tests.core.calls import call, give, mix_of
from tests.services.recommender import PARAMETERS, config_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}
MIXED = sorted(set(PARAMETERS) - {"nearest_neighbor_recommender"})
"""Methods whose removals are told to other servers."""


def servers(method: str, count: int = 2, size: int = 3) -> list[Recommender]:
    config = config_of(method, converter=NUM, unlearner="lru", unlearner_parameter={"max_size": size})
    return [Recommender(config, distributed=True) for _ in range(count)]


def update(model: Recommender, name: str, x: float = 1.0) -> None:
    call(model, "update_row", name, [[], [["x", x], ["y", 2.0]], []])


def mix(models: list[Recommender]) -> None:
    mixed, snapshots = mix_of(models)
    for model, snapshot in zip(models, snapshots, strict=True):
        assert model.put_diff(mixed, snapshot) is True


def rows(model: Recommender) -> list[bytes]:
    """Return which rows are found."""
    found = call(model, "similar_row_from_datum", [[], [["x", 1.0], ["y", 2.0]], []], 100)
    return sorted(name for name, _ in found)


@pytest.mark.parametrize("method", MIXED)
def test_a_row_that_a_mix_removes_while_it_is_updated_can_still_be_forgotten(method: str) -> None:
    one, other = servers(method)
    for model in (one, other):
        update(model, "a")
    mix([one, other])
    call(one, "clear_row", "a")
    mixed, snapshots = mix_of([one, other])
    update(other, "a", 5.0)
    for model, snapshot in zip((one, other), snapshots, strict=True):
        model.put_diff(mixed, snapshot)
    assert rows(one) == [] and rows(other) == [b"a"]
    assert other.status()["num_unlearner_unlearned_ids"] == "1"
    for name in "bcd":
        update(other, name)
    assert rows(other) == [b"b", b"c", b"d"]


@pytest.mark.parametrize("method", MIXED)
def test_rows_of_a_server_that_catches_up_are_known_to_the_unlearner(method: str) -> None:
    one, other = servers(method)
    for name in "abc":
        update(one, name)
    mix([one, other])
    for name in "de":
        update(other, name)
    fresh = other.fresh()
    fresh.unpack(one.pack())
    other.catch_up(fresh)
    assert {b"d", b"e"} <= set(rows(other)) and len(rows(other)) == 3
    for name in "fgh":
        update(other, name)
    assert rows(other) == [b"f", b"g", b"h"]
    assert other.status()["num_unlearner_unlearned_ids"] == "3"


@pytest.mark.parametrize("method", MIXED)
def test_a_row_that_was_removed_stays_so_when_a_server_catches_up(method: str) -> None:
    one, other = servers(method)
    for model in (one, other):
        update(model, "a")
    mix([one, other])
    call(other, "clear_row", "a")
    fresh = other.fresh()
    fresh.unpack(one.pack())
    other.catch_up(fresh)
    assert other.status()["num_unlearner_unlearned_ids"] == "0"
    mix([one, other])
    assert rows(one) == rows(other) == []


@pytest.mark.parametrize("method", MIXED)
def test_rows_as_they_were_given_go_after_others_removed_them(method: str) -> None:
    """Both servers have the rows as they were given; one of them removes some, and a MIX tells the other one."""
    models = servers(method, 2, 4)
    for i in range(0, 1500, 3):
        for j in range(i, i + 3):
            for model in models:
                update(model, f"r{j}", 1.0 + i % 2)
        mix(models)
        for j in range(i, i + 3):
            call(models[0], "clear_row", f"r{j}")
        mix(models)
    update(models[1], "last")
    raw = unpack(models[1].pack())[0][1]
    assert len(raw[0]) <= 2 * 4 + 1024 + 1
    assert b"last" in raw[0]


def test_a_server_keeps_the_rows_that_it_was_given_when_it_catches_up() -> None:
    config = config_of("nearest_neighbor_recommender", converter=NUM)
    one, other = (Recommender(config, distributed=True) for _ in range(2))
    update(one, "a")
    update(other, "b", 5.0)
    mix([one, other])
    fresh = other.fresh()
    fresh.unpack(one.pack())
    other.catch_up(fresh, give(other)[1])
    assert call(other, "decode_row", "b") == [[], [[b"x", 5.0], [b"y", 2.0]], []]
    assert call(other, "similar_row_from_id", "b", 1)[0][0] == b"b"
