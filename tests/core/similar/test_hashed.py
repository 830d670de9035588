"""Buckets of euclid_lsh: a worked example of keys, shifts and probes, and what is swept out of buckets."""

import struct
from typing import Any

import pytest

from jubatus._core.services.recommender import Recommender
from jubatus._core.wire import pack, unpack
from tests.core.calls import call
from tests.reference.hashed import EuclidLsh, Probes, bucket_key
from tests.reference.tr1 import Map, set_of
from tests.services.recommender import config_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}
EXAMPLE = {"hash_num": 4, "table_num": 2, "bin_width": 1, "probe_num": 0, "seed": 1091}
KEYS = [0xF1552EFB5D85B87D, 0x3420A2538202F14B]
SHIFTS = [0.32810456, 0.49241403, 0.08307544, 0.05011296, 0.20128827, 0.62138325, 0.46998525, 0.00552351]
PROBED = [(1, [2, -1, 0, -2]), (1, [2, 0, -1, -2]), (0, [-2, -1, 1, -1]), (1, [2, 0, 0, -2])]
"""Table and bucket of each probe of the example, in their order."""


def made(**parameter: Any) -> Recommender:
    return Recommender(config_of("euclid_lsh", converter=NUM, **(EXAMPLE | parameter)))


def datum(x: float, y: float) -> list[Any]:
    return [[], [["x", float(x)], ["y", float(y)]], []]


def storage(model: Recommender) -> list[Any]:
    return unpack(model.pack())[0][-1]  # type: ignore[no-any-return]


def test_keys_and_shifts_of_the_worked_example() -> None:
    model = made()
    call(model, "update_row", "a", datum(1, -2))
    master, changed, buckets, buckets_diff, shifts, tables, names = storage(model)
    keys, (bits, simhash), norm = changed[b"a"]
    assert keys == KEYS and buckets_diff == {key: [0] for key in KEYS}
    assert (master, buckets, tables, names) == ({}, {}, 2, [{b"a": 0}, {0: b"a"}, 1])
    assert bits == 8 and struct.unpack(">Q", simhash) == (0b00010100,)
    assert norm == 5**0.5
    assert shifts == pytest.approx(SHIFTS, abs=1e-8)


def test_the_slow_way_probes_the_buckets_of_the_worked_example() -> None:
    kind = EuclidLsh(EXAMPLE)
    found = Probes(kind.shifted([(b"x@num", 1.0), (b"y@num", -2.0)]), 2).keys(4)
    assert found == [bucket_key(numbers, table) for table, numbers in PROBED]


@pytest.mark.parametrize("order", range(4))
def test_a_probed_bucket_is_found_in_its_turn(order: int) -> None:
    """The row is moved into the bucket that is probed in that turn."""
    table, numbers = PROBED[order]
    key = bucket_key(numbers, table)
    for probes in (0, order, order + 1, 9):
        model = made(probe_num=probes)
        call(model, "update_row", "a", datum(1, -2))
        packed = unpack(model.pack())
        packed[0][-1][1][b"a"][0] = [key, key]
        packed[0][-1][3] = {key: [0]}
        model.unpack(pack(packed))
        found = call(model, "similar_row_from_datum", datum(1, -2), 1)
        assert [name for name, _ in found] == ([b"a"] if probes > order else [])
        assert [name for name, _ in call(model, "similar_row_from_id", "a", 1)] == [b"a"]


def test_numbers_of_rows_that_are_gone_are_swept_out() -> None:
    """Rows come and go; what is left of those that are gone would fill buckets and end searches early."""
    model = made(unlearner="lru", unlearner_parameter={"max_size": 50})
    for i in range(5000):
        call(model, "update_row", f"r{i}", datum(i % 7, i % 5))
    _, changed, _, buckets, _, _, names = storage(model)
    assert len(changed) == 50
    assert names[2] <= 50 + 1100
    assert sum(map(len, buckets.values())) <= 2 * names[2]
    rest = made()
    for i in range(4950, 5000):
        call(rest, "update_row", f"r{i}", datum(i % 7, i % 5))
    for i in range(4950, 5000, 7):
        query = datum(i % 7, i % 5)
        found, want = (call(each, "similar_row_from_datum", query, 5000) for each in (model, rest))
        assert sorted(found) == sorted(want)
    model.unpack(model.pack())
    assert len(call(model, "get_all_rows")) == 50


def test_a_row_that_comes_and_goes_leaves_nothing_in_buckets() -> None:
    model = made()
    for i in range(4000):
        call(model, "update_row", "a", datum(i % 97, i % 89))
        call(model, "clear_row", "a")
    assert sum(map(len, storage(model)[3].values())) <= 2 * 1100


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 40, 41, 97])
def test_rows_are_listed_as_a_set_that_a_map_was_put_into(count: int) -> None:
    model = Recommender(config_of("euclid_lsh"))
    names = [f"r{number}".encode() for number in range(count)]
    for name in names:
        call(model, "update_row", name, [[], [["k", 1.0]], []])
    assert call(model, "get_all_rows") == set_of(Map((name, None) for name in names))


def test_more_rows_are_listed_than_the_sizes_of_sets_tell() -> None:
    model = Recommender(config_of("euclid_lsh", hash_num=1, table_num=1))
    names = {f"{number}".encode() for number in range(8000)}
    for name in names:
        call(model, "update_row", name, [[], [["k", 1.0]], []])
    assert set(call(model, "get_all_rows")) == names
