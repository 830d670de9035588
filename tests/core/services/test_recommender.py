"""recommender against worked examples, and what a MIX and another server's model leave of rows."""

import math
from typing import Any

import pytest

from jubatus._core.services.recommender import Recommender
from jubatus._core.wire import unpack
from jubatus.errors import BadArguments, ConfigError, ModelError, UnsupportedMethod
from tests.core.calls import call, mix_alone, mix_of
from tests.services.classifier import LRU
from tests.services.recommender import PARAMETERS, config_of

CONVERTER = {"num_rules": [{"key": "*", "type": "num"}]}
BY_INDEX = ("inverted_index", "inverted_index_euclid")
EMPTY = [[], [], []]


def model(method: str, distributed: bool = False, **parameter: Any) -> Any:
    if method == "euclid_lsh":
        parameter["bin_width"] = 1000  # so that all rows are near enough to be looked at
    return Recommender(config_of(method, converter=CONVERTER, **parameter), distributed=distributed)


def datum(**numbers: float) -> list[Any]:
    return [[], [[key, number] for key, number in numbers.items()], []]


def rows(model: Any) -> list[bytes]:
    return sorted(call(model, "get_all_rows"))


def update(model: Any, row: str, **numbers: float) -> None:
    assert call(model, "update_row", row, datum(**numbers)) is True


def test_similar_rows_and_their_mean() -> None:
    m = model("inverted_index")
    update(m, "a", x=1, y=2)
    update(m, "b", x=1)
    update(m, "c", y=-1)
    assert call(m, "similar_row_from_datum", datum(x=1), 5) == [[b"b", 1.0], [b"a", 0.4472135954999579]]
    assert call(m, "complete_row_from_datum", datum(x=1)) == [[], [[b"x", 1.0], [b"y", 1.0]], []]
    assert call(m, "complete_row_from_datum", datum(z=1)) == EMPTY
    assert call(m, "similar_row_from_id", "c", 5) == [[b"c", 1.0], [b"a", -2 / math.sqrt(5)]]
    assert call(m, "similar_row_from_id", "unknown", 5) == []


def test_distances() -> None:
    m = model("inverted_index_euclid")
    for row, x in (("0", 1), ("1", 2), ("2", 4), ("3", 8)):
        update(m, row, x=x)
    assert call(m, "similar_row_from_id", "2", 3) == [[b"2", -0.0], [b"1", -2.0], [b"0", -3.0]]
    assert call(m, "similar_row_from_datum", EMPTY, 2) == [[b"0", -1.0], [b"1", -2.0]]
    assert len(call(model("inverted_index_euclid", ignore_orthogonal=True), "similar_row_from_datum", EMPTY, 2)) == 0


@pytest.mark.parametrize("method", BY_INDEX)
def test_of_equal_rows_the_latest_comes_first(method: str) -> None:
    m = model(method)
    for row in "abcd":
        update(m, row, x=2)
    assert [row for row, _ in call(m, "similar_row_from_datum", datum(x=2), 3)] == [b"d", b"c", b"b"]


@pytest.mark.parametrize("method", ["lsh", "minhash"])
def test_of_equal_hashes_the_greater_id_comes_first(method: str) -> None:
    m = model(method)
    for row in ("b", "é", "a", "ab"):
        update(m, row, x=2)
    found = call(m, "similar_row_from_datum", datum(x=2), 3)
    assert found == [["é".encode(), 1.0], [b"b", 1.0], [b"ab", 1.0]]


@pytest.mark.parametrize("method", PARAMETERS)
def test_an_update_keeps_what_it_does_not_name(method: str) -> None:
    m = model(method)
    update(m, "a", x=1, y=2)
    update(m, "a", y=3, z=0)
    assert call(m, "decode_row", "a") == [[], [[b"x", 1.0], [b"y", 3.0]], []]
    other = model(method)
    update(other, "a", x=1, y=3)
    asked = ("similar_row_from_datum", datum(x=3, y=1), 5)
    assert call(m, *asked)[0][1] == pytest.approx(call(other, *asked)[0][1])


@pytest.mark.parametrize("method", PARAMETERS)
def test_a_removed_row_is_gone(method: str) -> None:
    m = model(method)
    update(m, "a", x=1)
    update(m, "b", x=2)
    for row in ("a", "a", "unknown"):
        assert call(m, "clear_row", row) is True
    assert rows(m) == [b"b"]
    assert call(m, "decode_row", "a") == EMPTY
    assert [row for row, _ in call(m, "similar_row_from_datum", datum(x=1), 5)] == [b"b"]
    update(m, "a", y=1)
    assert call(m, "decode_row", "a") == [[], [[b"y", 1.0]], []]


@pytest.mark.parametrize("method", BY_INDEX)
def test_many_rows_are_ranked_as_one_by_one(method: str) -> None:
    """Some features are in all rows, some in few: their lists are of different kinds."""
    m, size = model(method), 300
    data = [{f"k{i % 7}": i - 150.5, "all": (i * 37 % 101) - 50.25, f"few{i // 90}": 1.5} for i in range(size)]
    for i, row in enumerate(data):
        update(m, str(i), **row)
    for i in range(0, size, 5):
        call(m, "clear_row", str(i))
    for query in (
        {"all": 1.0},
        {"all": -2.5, "k3": 4.0, "few1": 1.0},
        {"few2": 1.0, "k0": 1.0, "k1": 1.0, "k2": -3.0, "all": 0.5},
    ):

        def score(row: dict[str, float], query: dict[str, float] = query) -> float:
            product = sum(value * row.get(key, 0.0) for key, value in query.items())
            if method == "inverted_index":
                return product / math.hypot(*row.values()) / math.hypot(*query.values())
            return -math.dist(
                [row.get(key, 0.0) for key in {**row, **query}], [query.get(key, 0.0) for key in {**row, **query}]
            )

        want = sorted((score(row) for i, row in enumerate(data) if i % 5), reverse=True)
        want = [each for each in want if each != 0.0 or method != "inverted_index"]
        for most in (1, 10, size):
            found = call(m, "similar_row_from_datum", datum(**query), most)
            assert [each for _, each in found] == pytest.approx(want[:most])
            assert [each for _, each in found] == pytest.approx([score(data[int(row)]) for row, _ in found])


def test_rates_are_parts_in_single_precision() -> None:
    m = model("inverted_index")
    for i in range(100):
        update(m, str(i), x=i + 1)
    for rate, count in ((0.07, 7), (0.3, 31), (1.0, 100), (1, 100), (math.nan, 100)):
        assert len(call(m, "similar_row_from_datum_and_rate", datum(x=1), rate)) == count
    for rate in (0.0, -0.5, 1.5):
        with pytest.raises(ModelError, match=r"invalid parameter \(expected: 0 < rate <= 1\)"):
            call(m, "similar_row_from_id_and_rate", "1", rate)
    with pytest.raises(BadArguments):
        call(m, "similar_row_from_id_and_rate", "1", "1")


def test_numbers_that_are_not_finite_are_asked_but_not_learned() -> None:
    m = model("inverted_index")
    update(m, "a", x=1)
    with pytest.raises(ModelError):
        call(m, "update_row", "b", datum(x=math.nan))
    assert rows(m) == [b"a"]
    assert call(m, "similar_row_from_datum", datum(x=math.nan), 5) == [[b"a", -1.0]]


@pytest.mark.parametrize("method", PARAMETERS)
def test_the_oldest_row_is_forgotten(method: str) -> None:
    m = model(method, unlearner="lru", unlearner_parameter={"max_size": 2})
    for row in ("a", "b", "a", "c"):
        update(m, row, x=1)
    assert rows(m) == [b"a", b"c"]
    assert call(m, "decode_row", "b") == EMPTY
    assert m.status()["num_unlearner_unlearned_ids"] == "2"


@pytest.mark.parametrize("method", PARAMETERS)
def test_a_row_for_which_there_is_no_room_is_refused(method: str) -> None:
    m = model(method, **LRU)
    for row in ("a", "ab", "ac"):
        update(m, row, x=1)
    text = "new ID" if method == "nearest_neighbor_recommender" else "new row"
    with pytest.raises(ModelError, match=f"cannot add {text} as number of sticky .* of unlearner: b"):
        call(m, "update_row", "b", datum(x=1))
    assert rows(m) == [b"a", b"ab", b"ac"]


MIXED = tuple(method for method in PARAMETERS if method != "nearest_neighbor_recommender")


@pytest.mark.parametrize("method", MIXED)
def test_what_happens_during_a_mix_is_told_with_the_next_one(method: str) -> None:
    a, b = (model(method, True) for _ in range(2))
    for row in ("kept", "changed", "removed"):
        update(a, row, x=1, y=2)
    mixed, given = mix_of([a, b])
    update(a, "changed", y=-3)
    call(a, "clear_row", "removed")
    update(a, "new", x=2)
    assert [a.put_diff(mixed, given[0]), b.put_diff(mixed, given[1])] == [True, True]
    assert rows(b) == [b"changed", b"kept", b"removed"]
    mixed, given = mix_of([a, b])
    assert [a.put_diff(mixed, given[0]), b.put_diff(mixed, given[1])] == [True, True]
    assert rows(a) == rows(b) == [b"changed", b"kept", b"new"]
    asked = ("similar_row_from_datum", datum(x=1, y=-3), 3)
    assert sorted(call(a, *asked)) == sorted(call(b, *asked))


@pytest.mark.parametrize("method", MIXED)
def test_a_server_that_catches_up_keeps_what_it_learned(method: str) -> None:
    a, b = (model(method, True) for _ in range(2))
    update(a, "of a", x=1)
    assert mix_alone(a)
    update(b, "of b", x=2)
    update(b, "later", x=3)
    fresh = b.fresh()
    fresh.unpack(a.pack())
    b.catch_up(fresh)
    assert rows(b) == [b"later", b"of a", b"of b"]
    assert call(b, "decode_row", "of b") == [[], [[b"x", 2.0]], []]
    assert unpack(b.get_diff())[0] != unpack(a.get_diff())[0]


def test_two_copies_of_a_row_double_its_squared_length() -> None:
    """As in 1.1: both servers report the same change."""
    a, b = (model("inverted_index", True) for _ in range(2))
    for m in (a, b):
        update(m, "a", x=3, y=4)
    mixed, given = mix_of([a, b])
    for m, since in zip((a, b), given, strict=True):
        assert m.put_diff(mixed, since) is True
        assert call(m, "similar_row_from_datum", datum(x=3, y=4), 1) == [[b"a", pytest.approx(math.sqrt(0.5))]]


def test_an_lsh_row_removed_on_one_server_is_removed_on_all() -> None:
    a, b = (model("lsh", True) for _ in range(2))
    update(a, "a", x=1)
    for _ in range(2):
        mixed, given = mix_of([a, b])
        for m, since in zip((a, b), given, strict=True):
            m.put_diff(mixed, since)
        assert rows(a) == ([b"a"] if _ == 0 else [])
        assert rows(b) == rows(a)
        call(b, "clear_row", "a")


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"method": "lsh", "parameter": {"hash_num": 0}}, "1 <= hash_num"),
        ({"method": "lsh", "parameter": {"hash_num": 1 << 21}}, "hash_num <= 1048576"),
        ({"method": "lsh", "parameter": {"hash_num": 1, "cache_size": -1}}, "0 <= cache_size"),
        ({"method": "lsh", "parameter": None}, r"Object is expected, but Null is given. \(.parameter\)"),
        ({"method": "minhash", "parameter": {"hash_num": 8, "threads": 2}}, '"threads" is not used'),
        ({"method": "euclid_lsh", "parameter": PARAMETERS["euclid_lsh"] | {"bin_width": 0}}, "0.0 < bin_width"),
        ({"method": "euclid_lsh", "parameter": PARAMETERS["euclid_lsh"] | {"probe_num": -1}}, "0 <= probe_num"),
        ({"method": "inverted_index", "parameter": {"ignore_orthogonal": True}}, '"ignore_orthogonal" is not used'),
        ({"method": "inverted_index", "parameter": {"unlearner_parameter": {"max_size": 3}}}, "unlearner is not found"),
        ({"method": "nearest_neighbor_recommender", "parameter": {"method": "lsh"}}, '"parameter" is not found'),
    ],
)
def test_configurations_that_cannot_be_used(config: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Recommender({**config, "converter": CONVERTER})


def test_an_unknown_method_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UnsupportedMethod) as error:
        Recommender({"method": "nope", "converter": CONVERTER})
    assert all(method in error.value.explain() for method in PARAMETERS)
