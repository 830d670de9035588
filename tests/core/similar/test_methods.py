"""What all methods have in common: ties, nothing to find, parts of all rows, unlearners and their texts."""

import math
from typing import Any

import pytest

from jubatus._core.services.recommender import Recommender
from jubatus.errors import ConfigError, ModelError
from tests.core.calls import call, exact
from tests.services.recommender import PARAMETERS, config_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}
METHODS = sorted(PARAMETERS)
FOUND_BY_LENGTH = ("inverted_index", "inverted_index_euclid")


def made(method: str, **parameter: Any) -> Recommender:
    return Recommender(config_of(method, converter=NUM, **parameter))


def datum(**numbers: float) -> list[Any]:
    return [[], [[key, float(x)] for key, x in numbers.items()], []]


def taught(method: str, rows: dict[str, dict[str, float]], **parameter: Any) -> Recommender:
    model = made(method, **parameter)
    for name, numbers in rows.items():
        assert call(model, "update_row", name, datum(**numbers)) is True
    return model


THREE = {"a": {"x": 1, "y": 2}, "b": {"x": 1}, "c": {"y": -1}}


def test_distances_of_an_inverted_index() -> None:
    model = taught("inverted_index_euclid", THREE)
    assert exact(call(model, "similar_row_from_datum", datum(x=1), 9)) == [
        [b"b", "-0.0"], [b"c", -(2**0.5)], [b"a", -2.0],
    ]  # fmt: skip
    found = call(model, "similar_row_from_datum", datum(), 9)
    assert [name for name, _ in found] == [b"c", b"b", b"a"]  # by their lengths; of c and b the later one comes first
    met = taught("inverted_index_euclid", THREE, ignore_orthogonal=True)
    assert [name for name, _ in call(met, "similar_row_from_datum", datum(x=1), 9)] == [b"b", b"a"]


@pytest.mark.parametrize(
    ("method", "order"),
    [
        ("inverted_index", [b"m", b"z", b"a"]),
        ("inverted_index_euclid", [b"m", b"z", b"a"]),
        ("lsh", [b"z", b"m", b"a"]),
        ("minhash", [b"z", b"m", b"a"]),
        ("nearest_neighbor_recommender", [b"a", b"z", b"m"]),
    ],
)
def test_rows_that_are_equally_similar(method: str, order: list[bytes]) -> None:
    model = taught(method, {name: {"x": 1, "y": 2} for name in "azm"})
    for most in range(4):
        found = call(model, "similar_row_from_datum", datum(x=1, y=2), most)
        assert [name for name, _ in found] == order[:most]
    assert [name for name, _ in call(model, "similar_row_from_id", "a", 3)] == order


@pytest.mark.parametrize("method", METHODS)
def test_no_rows_and_no_results(method: str) -> None:
    model = made(method)
    assert call(model, "get_all_rows") == []
    assert call(model, "similar_row_from_datum", datum(x=1), 5) == []
    assert call(model, "similar_row_from_id", "a", 5) == []
    assert call(model, "similar_row_from_datum_and_rate", datum(x=1), 1.0) == []
    assert call(model, "complete_row_from_id", "a") == call(model, "decode_row", "a") == [[], [], []]
    assert call(model, "clear_row", "a") is True
    call(model, "update_row", "a", datum(x=1))
    assert call(model, "similar_row_from_datum", datum(x=1), 0) == []
    assert call(model, "similar_row_from_id", "a", 0) == []


@pytest.mark.parametrize(("rate", "count"), [(0.07, 7), (0.3, 31), (0.01, 1), (1.0, 100), (1e-9, 1), (math.nan, 100)])
def test_a_part_of_all_rows_is_rounded_up_as_a_float_of_32_bits(rate: float, count: int) -> None:
    model = taught("lsh", {f"r{i:02}": {"x": 1, "y": i} for i in range(100)})
    assert len(call(model, "similar_row_from_datum_and_rate", datum(x=1), rate)) == count
    assert len(call(model, "similar_row_from_id_and_rate", "r50", rate)) == count


@pytest.mark.parametrize("rate", [0.0, -0.5, 1.0000002, 1e-60, -math.inf])
def test_a_part_that_is_none_is_refused(rate: float) -> None:
    model = taught("inverted_index", THREE)
    for method, first in (("similar_row_from_id_and_rate", "a"), ("similar_row_from_datum_and_rate", datum(x=1))):
        with pytest.raises(ModelError, match=r"^invalid parameter \(expected: 0 < rate <= 1\)$"):
            call(model, method, first, rate)


def test_rows_of_a_least_score() -> None:
    model = taught("inverted_index", THREE)
    for least, names in (
        (1.0, [b"b"]),
        (0.4472135954999579, [b"b", b"a"]),
        (0.45, [b"b"]),
        (-2, [b"b", b"a"]),
        (1.5, []),
    ):
        found = call(model, "similar_row_from_datum_and_score", datum(x=1), least)
        assert [name for name, _ in found] == names
    assert len(call(model, "similar_row_from_id_and_score", "b", 0.0)) == 2


@pytest.mark.parametrize("method", METHODS)
def test_a_row_without_features(method: str) -> None:
    model = taught(method, {"a": {}, "b": {"x": 1}})
    assert call(model, "get_all_rows") == ([b"b"] if method in FOUND_BY_LENGTH else call(model, "get_all_rows"))
    assert len(call(model, "get_all_rows")) == (1 if method in FOUND_BY_LENGTH else 2)


def test_the_cosine_and_the_length_of_datums() -> None:
    model = made("lsh")
    assert call(model, "calc_l2norm", datum(x=3, y=4)) == 5.0
    assert call(model, "calc_l2norm", datum()) == 0.0
    assert call(model, "calc_similarity", datum(x=1, y=2), datum(y=2, x=1)) == pytest.approx(1.0, rel=1e-15)
    assert call(model, "calc_similarity", datum(x=1), datum(x=-2)) == -1.0
    assert call(model, "calc_similarity", datum(x=1), datum(y=1)) == 0.0
    assert call(model, "calc_similarity", datum(), datum(y=1)) == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_a_number_that_is_not_finite_is_refused_and_changes_nothing(method: str) -> None:
    model = taught(method, THREE)
    before = model.pack()
    for number in (math.nan, math.inf):
        with pytest.raises(ModelError, match="x"):
            call(model, "update_row", "a", datum(y=1, x=number))
    assert model.pack() == before


@pytest.mark.parametrize("method", METHODS)
def test_lru_forgets_the_row_that_was_not_updated_for_the_longest_time(method: str) -> None:
    model = made(method, unlearner="lru", unlearner_parameter={"max_size": 3, "sticky_pattern": "s*"})
    for name in ("s1", "a", "b", "a"):
        call(model, "update_row", name, datum(x=1, y=2))
    call(model, "similar_row_from_id", "b", 3)  # no use of the row
    call(model, "update_row", "c", datum(x=1))
    assert sorted(call(model, "get_all_rows")) == [b"a", b"c", b"s1"]
    assert call(model, "decode_row", "b") == [[], [], []]
    assert model.status() == {
        "clear_row_cnt": "0", "update_row_cnt": "5",
        "num_unlearner_unlearned_ids": "2", "num_unlearner_sticky_ids": "1",
    }  # fmt: skip
    for name in ("s2", "s3"):
        call(model, "update_row", name, datum(x=1))
    what = "ID as number of sticky IDs" if method.startswith("nearest") else "row as number of sticky rows"
    for name in ("d", "s4"):
        with pytest.raises(ModelError, match=f"^cannot add new {what} reached the maximum size of unlearner: {name}$"):
            call(model, "update_row", name, datum(x=1))
    assert sorted(call(model, "get_all_rows")) == [b"s1", b"s2", b"s3"]
    call(model, "clear_row", "s2")
    call(model, "update_row", "d", datum(x=1))
    assert sorted(call(model, "get_all_rows")) == [b"d", b"s1", b"s3"]


@pytest.mark.parametrize("method", METHODS)
def test_the_random_unlearner_keeps_the_new_row(method: str) -> None:
    model = made(method, unlearner="random", unlearner_parameter={"max_size": 2, "seed": 3})
    for i in range(9):
        call(model, "update_row", f"r{i}", datum(x=1, y=i))
        rows = call(model, "get_all_rows")
        assert b"r%d" % i in rows and len(rows) == min(i + 1, 2)
    assert model.status()["num_unlearner_ids"] == "2"


@pytest.mark.parametrize("method", METHODS)
def test_half_an_unlearner(method: str) -> None:
    with pytest.raises(ConfigError, match="nlearner is set but unlearner_parameter is not found"):
        made(method, unlearner="lru")
    if method == "nearest_neighbor_recommender":
        made(method, unlearner_parameter={"max_size": 1})
        return
    with pytest.raises(ConfigError, match="unlearner_parameter is set but unlearner is not found"):
        made(method, unlearner_parameter={"max_size": 1})
