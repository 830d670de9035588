"""Tests of jubatus._core.services.regression_neighbours: what single calls do; tests/services plays any sequence."""

import math
import re
from typing import Any

import pytest

from jubatus._core.services.regression import Regression
from jubatus._core.services.regression_neighbours import NeighbourRegression, make_regression
from jubatus._core.wire import unpack
from jubatus.errors import ConfigError, ModelError, UnsupportedMethod
from tests.core.calls import call, mix_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}
EUCLID = {"method": "euclid_lsh", "parameter": {"hash_num": 64}}
FEW = {"unlearner": "lru", "unlearner_parameter": {"max_size": 3}}


def datum(**numbers: float) -> list[Any]:
    return [[], sorted(numbers.items()), []]


def model(method: str, distributed: bool = False, **parameter: Any) -> Any:
    parameter = {**(EUCLID if method == "NN" else {}), "nearest_neighbor_num": 2, **parameter}
    return make_regression({"method": method, "parameter": parameter, "converter": NUM}, distributed=distributed)


def ids(model: Any) -> tuple[list[bytes], list[bytes]]:
    """Return the ids of the records of a table, and those that have a target."""
    *_, records, targets = unpack(model.pack())[0]
    return records[0], targets[0]


def test_the_method_chooses_the_class() -> None:
    assert type(model("NN")) is type(model("cosine")) is type(model("euclidean")) is NeighbourRegression
    pa = {"method": "PA", "parameter": {"sensitivity": 0.1}, "converter": NUM}
    assert type(make_regression(pa)) is Regression
    with pytest.raises(UnsupportedMethod) as refused:
        make_regression({**pa, "method": "arow"})
    assert all(name in refused.value.explain() for name in ("NHERD", "NN", "nearest_neighbor", "cosine", "euclidean"))


TAUGHT = [[1.0, datum(x=1)], [2.0, datum(x=2)], [4.0, datum(x=4)]]


@pytest.mark.parametrize("method", ["NN", "euclidean"])
@pytest.mark.parametrize(
    ("parameter", "x", "want"),
    [
        ({}, 1, 1.5),
        ({"weight": "uniform"}, 3, 3.0),
        ({"weight": None, "nearest_neighbor_num": 10}, 3, 7.0 / 3),
        ({"weight": "distance"}, 4, 4.0),
        ({"weight": "distance"}, 2.75, (2.0 / 0.75 + 4.0 / 1.25) / (1 / 0.75 + 1 / 1.25)),
    ],
)
def test_the_mean_of_the_nearest(method: str, parameter: dict[str, Any], x: float, want: float) -> None:
    made = model(method, **parameter)
    assert call(made, "estimate", [datum(x=x)]) == [0.0]
    assert call(made, "train", TAUGHT) == 3
    assert call(made, "estimate", [datum(x=x)]) == [pytest.approx(want)]


def test_equal_records_decide_alone() -> None:
    for method in ("NN", "euclidean", "cosine"):
        made = model(method, weight="distance", nearest_neighbor_num=3)
        call(made, "train", [[1.0, datum(x=1)], [3.0, datum(x=1)], [100.0, datum(x=2, y=1)]])
        assert call(made, "estimate", [datum(x=1)]) == [2.0]


def test_the_weight_of_a_cosine() -> None:
    made = model("cosine", weight="distance")
    call(made, "train", [[1.0, datum(x=1)], [2.0, datum(y=1)]])
    a, b = 1.0 / abs(1 - 0.6), 1.0 / abs(1 - 0.8)
    assert call(made, "estimate", [datum(x=3, y=4)])[0] == pytest.approx((a + 2 * b) / (a + b))


def test_ids_are_letters_and_digits() -> None:
    made = model("NN")
    call(made, "train", TAUGHT)
    records, targets = ids(made)
    assert records == targets
    assert all(re.fullmatch(rb"[a-zA-Z0-9]{8}", id) for id in records)
    assert len(set(records)) == 3


def test_a_record_is_forgotten_with_its_target() -> None:
    made = model("NN", **FEW)
    call(made, "train", [*TAUGHT, [8.0, datum(x=8)]])
    records, targets = ids(made)
    assert records == targets
    assert len(records) == 3
    assert call(made, "estimate", [datum(x=1)]) == [3.0]
    assert made.status() == {"num_unlearner_unlearned_ids": "3", "num_unlearner_sticky_ids": "0"}
    assert model("cosine").status() == {}


def test_sticky_records_leave_no_room() -> None:
    made = model("NN", unlearner="lru", unlearner_parameter={"max_size": 2, "sticky_pattern": "*"})
    call(made, "train", TAUGHT[:2])
    before = made.pack()
    text = "cannot add new ID as number of sticky IDs reached the maximum size of unlearner: [a-zA-Z0-9]{8}$"
    with pytest.raises(ModelError, match=text):
        call(made, "train", TAUGHT)
    assert made.pack() == before


@pytest.mark.parametrize("target", [math.nan, math.inf])
def test_a_target_that_is_not_finite_is_refused(target: float) -> None:
    made = model("NN")
    with pytest.raises(ModelError, match="the target must be a finite number"):
        call(made, "train", [TAUGHT[0], [target, datum(x=1)], TAUGHT[1]])
    assert len(ids(made)[0]) == 1


def test_after_a_mix_every_record_has_its_target() -> None:
    for parameter in ({}, FEW):
        servers = [model("NN", True, **parameter) for _ in range(3)]
        for _ in range(2):
            for i, server in enumerate(servers):
                call(server, "train", [[10 * i + j, datum(x=10 * i + j)] for j in range(3)])
            mixed, snapshots = mix_of(servers)
            for server, since in zip(servers, snapshots, strict=True):
                assert server.put_diff(mixed, since) is True
                records, targets = ids(server)
                assert sorted(records) == sorted(targets)
                assert len(records) == 3 or not parameter


def test_in_the_middle_of_a_mix_a_record_without_target_does_not_count() -> None:
    servers = [model("NN", True, nearest_neighbor_num=1) for _ in range(2)]
    call(servers[0], "train", [[5.0, datum(x=1)], [6.0, datum(x=2)]])
    mixed, _ = mix_of(servers)
    patch = servers[1].patch(mixed)
    assert not patch.prepare(2)
    assert call(servers[1], "estimate", [datum(x=1)]) == [0.0]
    assert patch.apply() is True
    assert call(servers[1], "estimate", [datum(x=1), datum(x=2)]) == [5.0, 6.0]


@pytest.mark.parametrize(
    ("method", "parameter", "texts"),
    [
        ("NN", None, ["parameter block is not specified in config"]),
        ("NN", {**EUCLID, "nearest_neighbor_num": 0}, ["nearest_neighbor_num >= 1"]),
        ("cosine", {"nearest_neighbor_num": -1}, ["nearest_neighbor_num >= 1"]),
        ("cosine", {"nearest_neighbor_num": 1, "weight": "x"}, ["weight option must be distance or uniform"]),
        ("cosine", {"nearest_neighbor_num": 1, "weight": 1}, ["String is expected"]),
        ("euclidean", {"nearest_neighbor_num": 1, **FEW}, ['"unlearner" is not used']),
        ("NN", {"method": "x", "parameter": {}, "nearest_neighbor_num": 0}, ["unsupported method (x)", ">= 1"]),
    ],
)
def test_a_configuration_that_cannot_be_used(method: str, parameter: Any, texts: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        make_regression({"method": method, "parameter": parameter, "converter": NUM})
    assert all(text in str(refused.value) for text in texts)
