"""anomaly by worked examples: scores, what is stored and what is not, ids, and refusals."""

import math
from itertools import pairwise
from typing import Any

import pytest

from jubatus._core.services.anomaly import Anomaly
from jubatus._core.wire import pack, unpack
from jubatus.errors import ConfigError, ModelError, ModelFileError
from tests.core.calls import call
from tests.services.anomaly import light, lof

NUMBERS = {"num_rules": [{"key": "*", "type": "num"}]}
INDEX = "inverted_index_euclid"


def datum(x: float, **more: float) -> list[Any]:
    return [[], [["x", x], *([key, value] for key, value in more.items())], []]


def on_a_line(**more: Any) -> Anomaly:
    return Anomaly(lof(INDEX, 2, 3, NUMBERS, **more))


def hashed(method: str = "euclid_lsh", k: int = 2, reverse: int = 3, **more: Any) -> Anomaly:
    return Anomaly(light(method, 64, k, reverse, NUMBERS, **more))


def add(model: Anomaly, *numbers: float) -> list[float]:
    return [call(model, "add", datum(x))[1] for x in numbers]


def test_scores_of_points_on_a_line() -> None:
    model = on_a_line()
    assert add(model, 1, 2, 4, 8) == [math.inf, 0.9999999999999996, 2.4999999999999987, 3.7499999999999987]
    entries = unpack(model.pack())[0][0][1]
    assert {name: kdist for name, (kdist, _) in entries.items()} == {b"0": 1, b"1": 1, b"2": 2, b"3": 4}
    assert entries[b"3"][1] == 0.24999999999999994
    assert call(model, "calc_score", datum(3)) == 1.1249999999999998
    assert call(model, "calc_score", datum(20)) == 5.249999999999999


def test_equal_points() -> None:
    model = on_a_line()
    assert add(model, 5, 5, 5, 5) == [math.inf, 0, 0, 0]
    assert call(model, "calc_score", datum(5)) == 0
    assert call(model, "calc_score", datum(6)) == 1999999999999999.8
    light = hashed()
    assert add(light, 5, 5, 5, 5)[1:] == [1, 1, 1]
    assert call(light, "calc_score", datum(5)) == 1
    assert call(light, "calc_score", datum(6)) == math.inf


@pytest.mark.parametrize("make", [on_a_line, hashed])
def test_one_equal_point_too_many_is_not_stored_but_has_a_score(make: Any) -> None:
    model = make(ignore_kth_same_point=True)
    add(model, 1, 5)
    assert call(model, "add", datum(5))[0] == b"2"
    assert sorted(call(model, "get_all_rows")) == [b"0", b"1"]
    assert model.status()["num_ignored"] == "1"
    assert call(model, "add", datum(9))[0] == b"3"  # the id of the point that was not stored is used up
    assert call(model, "add_bulk", [datum(9), datum(7)]) == [b"5"]
    call(model, "clear")
    assert model.status()["num_ignored"] == "0"


def test_an_update_joins_and_an_overwrite_replaces() -> None:
    model = on_a_line()
    call(model, "update", "a", datum(1, y=2))
    call(model, "update", "b", datum(1))
    call(model, "update", "b", [[], [["y", 2.0]], []])
    rows = unpack(model.pack())[0][1][0][0]
    assert rows[b"a"] == rows[b"b"]
    call(model, "overwrite", "b", datum(3))
    assert len(unpack(model.pack())[0][1][0][0][b"b"]) == 1


def test_a_removed_row_leaves_the_others_as_they_were() -> None:
    model = on_a_line()
    add(model, 1, 2, 4, 8)
    before = unpack(model.pack())[0][0][1]
    assert call(model, "clear_row", "1") is True
    after = unpack(model.pack())[0][0][1]
    assert after.pop(b"1")[0] == -1
    assert {**after, b"1": before[b"1"]} == before
    assert sorted(call(model, "get_all_rows")) == [b"0", b"2", b"3"]
    assert call(model, "clear_row", "nobody") is True


def test_hashes_cannot_be_updated_or_removed() -> None:
    model = hashed()
    with pytest.raises(ModelError, match=r"unsupported method \(update_row\)"):
        call(model, "update", "a", datum(1))
    with pytest.raises(ModelError, match=r"unsupported method \(clear_row\)"):
        call(model, "clear_row", "a")
    assert call(model, "overwrite", "a", datum(1)) == math.inf


@pytest.mark.parametrize("make", [on_a_line, hashed])
def test_an_unlearner_limits_the_rows(make: Any) -> None:
    model = make(unlearner="lru", unlearner_parameter={"max_size": 3, "sticky_pattern": "0"})
    add(model, 1, 2, 4, 8, 16)
    assert sorted(call(model, "get_all_rows")) == [b"0", b"3", b"4"]
    full = make(unlearner="lru", unlearner_parameter={"max_size": 1, "sticky_pattern": "*"})
    add(full, 1)
    with pytest.raises(ModelError, match=r"cannot add new .*: 1"):
        add(full, 2)
    assert call(full, "get_all_rows") == [b"0"]


@pytest.mark.parametrize("k", [0, 1, -1])
def test_with_an_unlearner_any_number_of_neighbours_is_taken(k: int) -> None:
    model = hashed(k=k, reverse=k, unlearner="lru", unlearner_parameter={"max_size": 5}, ignore_kth_same_point=True)
    found = add(model, *range(1, 9))
    assert len(call(model, "get_all_rows")) == 5
    assert not any(map(math.isnan, found))
    assert not math.isnan(call(model, "calc_score", datum(3)))


@pytest.mark.parametrize("method", ["lof", "light_lof"])
@pytest.mark.parametrize(("k", "reverse"), [(1, 1), (3, 2), (-1, 5)])
def test_numbers_of_neighbours_that_do_not_fit(method: str, k: int, reverse: int) -> None:
    config = lof(INDEX, k, reverse) if method == "lof" else light("lsh", 64, k, reverse)
    with pytest.raises(ConfigError, match="nearest_neighbor_num"):
        Anomaly(config)


@pytest.mark.parametrize("make", [on_a_line, hashed])
def test_ids_go_on_after_a_load(make: Any) -> None:
    model, again = make(), make()
    again.unpack(model.pack())
    assert call(again, "add", datum(1))[0] == b"1"  # without numbers among the ids the highest counts as 0
    for id in ("17x", "abc", " 5", "0x99"):
        call(model, "overwrite", id, datum(len(id)))
    assert call(model, "add", datum(7))[0] == b"0"
    again.unpack(model.pack())
    assert again.status()["max_id"] == "17"
    assert call(again, "add", datum(1))[0] == b"18"
    call(again, "clear")
    assert call(again, "add", datum(1))[0] == b"19"


def test_a_model_file_with_other_numbers_of_neighbours() -> None:
    model = on_a_line()
    add(model, 1, 2, 4, 8)
    method, statistics = unpack(model.pack())
    method[0][2:4] = 3, 4
    model.unpack(pack([method, statistics]))
    assert unpack(model.pack())[0][0][2:4] == [3, 4]  # those of the file count
    for k, reverse in ((0, 4), (5, 4), (2, 1 << 40)):
        method[0][2:4] = k, reverse
        with pytest.raises(ModelFileError):
            model.unpack(pack([method, statistics]))


def test_a_bulk_with_a_bad_datum_stores_nothing() -> None:
    model = on_a_line()
    with pytest.raises(ModelError, match="finite"):
        call(model, "add_bulk", [datum(1), datum(math.nan)])
    assert call(model, "get_all_rows") == []
    assert call(model, "add_bulk", []) == []


def test_points_that_are_added_at_once_score_as_those_added_one_by_one() -> None:
    """If all are computed again whenever one comes."""
    numbers = [1.0, 1.5, 2.5, 4.0, 7.0, 7.25]
    one, all = (Anomaly(lof(INDEX, 3, 10, NUMBERS)) for _ in range(2))
    add(one, *numbers)
    call(all, "add_bulk", [datum(x) for x in numbers])
    asked = [call(model, "calc_score", datum(x)) for x in (0.5, 3, 7.1) for model in (one, all)]
    assert all_close(asked[::2], asked[1::2])


def all_close(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=1e-12) for x, y in zip(a, b, strict=True))


def test_the_farther_out_the_higher_the_score() -> None:
    model = Anomaly(lof(INDEX, 3, 30, NUMBERS))
    add(model, *(10 + 0.1 * i for i in range(20)))
    found = [call(model, "calc_score", datum(x)) for x in (11, 13, 15, 20, 50)]
    assert all(a < b for a, b in pairwise(found))
    assert found[0] < 1.5
