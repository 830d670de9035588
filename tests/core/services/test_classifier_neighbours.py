"""Tests of jubatus._core.services.classifier_neighbours: what single calls do; tests/services plays any sequence."""

import math
import re
from typing import Any

import pytest

from jubatus._core.services.classifier import Classifier
from jubatus._core.services.classifier_neighbours import NeighbourClassifier, make_classifier
from jubatus._core.wire import unpack
from jubatus.errors import ConfigError, ModelError, UnsupportedMethod
from tests.core.calls import call, give, mix_of

NUM = {"num_rules": [{"key": "*", "type": "num"}]}
LSH = {"method": "lsh", "parameter": {"hash_num": 64}}
NEAR = {"nearest_neighbor_num": 2, "local_sensitivity": 1.0}
FEW = {"unlearner": "lru", "unlearner_parameter": {"max_size": 3}}


def config(method: str, **parameter: Any) -> dict[str, Any]:
    """Return a configuration of a method."""
    return {"method": method, "parameter": {**(LSH if method == "NN" else {}), **NEAR, **parameter}, "converter": NUM}


def datum(**numbers: float) -> list[Any]:
    return [[], sorted(numbers.items()), []]


def model(method: str, distributed: bool = False, **parameter: Any) -> Any:
    return make_classifier(config(method, **parameter), distributed=distributed)


def ids(model: Any) -> list[bytes]:
    """Return the ids of the records of a table, in their order."""
    keys: list[bytes] = unpack(model.pack())[0][-2][0]
    return keys


def test_the_method_chooses_the_class() -> None:
    assert type(model("NN")) is type(model("cosine")) is type(model("euclidean")) is NeighbourClassifier
    assert type(model("NN").fresh()) is NeighbourClassifier
    assert type(make_classifier({"method": "PA", "converter": NUM})) is Classifier
    for broken in (None, [], {}, {"method": ["NN"]}):
        with pytest.raises(ConfigError):
            make_classifier(broken)
    with pytest.raises(UnsupportedMethod) as refused:
        make_classifier({"method": "nn", "converter": NUM})
    assert all(name in refused.value.explain() for name in ("NHERD", "NN", "nearest_neighbor", "cosine", "euclidean"))


@pytest.mark.parametrize(
    ("method", "a", "b"),
    [
        ("cosine", 0.6703200460356393, 0.8187307530779819),
        ("euclidean", 0.01142289099346694, 0.01436959609043909),
    ],
)
def test_scores_of_two_labels(method: str, a: float, b: float) -> None:
    made = model(method)
    assert call(made, "train", [["B", datum(y=1)], ["A", datum(x=1)]]) == 2
    assert call(made, "classify", [datum(x=3, y=4)]) == [[[b"A", a], [b"B", b]]]
    assert call(made, "get_labels") == {b"A": 1, b"B": 1}


def test_scores_of_records_add_up() -> None:
    made = model("NN", local_sensitivity=0.1)
    call(made, "train", [["a", datum(x=1)], ["a", datum(x=2)], ["b", datum(x=3)]])
    assert call(made, "classify", [datum(x=5)]) == [[[b"a", 2.0], [b"b", 0.0]]]  # two of three that are equally near
    far = call(made, "classify", [datum(y=1)])[0][0][1]
    bits = round(-math.log(far / 2) / 0.10000000149011612 * 64)
    assert far == 2 * math.exp(-0.10000000149011612 * (bits / 64))


def test_the_record_that_came_last_is_the_nearest_of_an_index() -> None:
    for method in ("cosine", "euclidean"):
        made = model(method, nearest_neighbor_num=1)
        call(made, "train", [[label, datum(x=1)] for label in "abc"])
        assert call(made, "classify", [datum(x=1)]) == [[[b"a", 0.0], [b"b", 0.0], [b"c", 1.0]]]


def test_how_many_records_are_asked() -> None:
    for number, scores in ((0, [0.0, 0.0]), (-1, [1.0, 2.0])):
        made = model("NN", nearest_neighbor_num=number)
        call(made, "train", [["a", datum(x=1)], ["b", datum(x=1)], ["b", datum(x=1)]])
        assert [score for _, score in call(made, "classify", [datum(x=1)])[0]] == scores


def test_the_id_of_a_record_begins_with_its_label() -> None:
    made = model("NN")
    call(made, "train", [["a_b", datum(x=1)], ["", datum(x=1)], ["_", datum(x=2)]])
    assert [re.fullmatch(rb"(.*)_[a-zA-Z0-9]{8}", id)[1] for id in ids(made)] == [b"a_b", b"", b"_"]  # type: ignore[index]
    assert call(made, "get_labels") == {b"": 1, b"_": 1, b"a_b": 1}


def test_a_record_without_features_is_counted() -> None:
    for method in ("cosine", "euclidean"):
        made = model(method)
        call(made, "train", [["a", datum()]])
        assert call(made, "get_labels") == {b"a": 1}
        assert call(made, "classify", [datum(x=1), datum()]) == [[[b"a", 0.0]]] * 2


def test_a_label_is_deleted_with_its_records() -> None:
    made = model("NN", **FEW)
    call(made, "train", [["a", datum(x=1)], ["b", datum(x=1)], ["a", datum(x=1)]])
    assert call(made, "delete_label", "a") is True
    assert call(made, "delete_label", "a") is False
    assert [id[:1] for id in ids(made)] == [b"b"]
    assert made.status()["num_unlearner_unlearned_ids"] == "1"
    assert call(made, "set_label", "a") is True
    assert call(made, "set_label", "b") is False
    assert call(made, "get_labels") == {b"a": 0, b"b": 1}
    assert call(made, "delete_label", "a") is True


def test_an_inverted_index_deletes_no_label() -> None:
    made = model("cosine")
    call(made, "train", [["a", datum(x=1)]])
    assert call(made, "delete_label", "a") is False
    assert call(made, "get_labels") == {b"a": 1}


def test_a_label_whose_last_record_is_forgotten_is_forgotten_too() -> None:
    made = model("NN", **FEW)
    call(made, "train", [[label, datum(x=1)] for label in "aabb"])
    assert call(made, "get_labels") == {b"a": 1, b"b": 2}
    call(made, "train", [["b", datum(x=1)]])
    assert call(made, "get_labels") == {b"b": 3}


def test_sticky_records_stay_and_leave_no_room() -> None:
    sticky = {"unlearner": "lru", "unlearner_parameter": {"max_size": 2, "sticky_pattern": "a_*"}}
    made = model("NN", **sticky)
    call(made, "train", [["a", datum(x=1)], ["b", datum(x=1)], ["a", datum(x=1)]])
    before = made.pack()
    text = "cannot add new ID as number of sticky IDs reached the maximum size of unlearner: c_[a-zA-Z0-9]{8}"
    with pytest.raises(ModelError, match=text):
        call(made, "train", [["c", datum(x=1)]])
    assert made.pack() == before
    assert call(made, "get_labels") == {b"a": 2}


def test_what_servers_push_is_counted_and_forgets() -> None:
    servers = [model("NN", True, **FEW) for _ in range(2)]
    call(servers[0], "set_label", "z")
    call(servers[0], "train", [["a", datum(x=1)], ["b", datum(x=1)]])
    call(servers[1], "train", [["c", datum(x=1)], ["b", datum(x=1)]])
    for mine, theirs in (servers, servers[::-1]):
        mine.push_rows(theirs.pull_rows(mine.pull_argument()))
    for server in servers:
        counts = call(server, "get_labels")
        counts.pop(b"z", None)
        assert counts == {label: sum(id.startswith(label) for id in ids(server)) for label in counts}
        assert len(ids(server)) == 3


def test_a_mix_in_slices_counts_each_record_once() -> None:
    servers = [model("NN", True) for _ in range(2)]
    for i, server in enumerate(servers):
        call(server, "train", [["ab"[i], datum(x=j)] for j in range(10)])
    mixed, snapshots = mix_of(servers)
    for server, since in zip(servers, snapshots, strict=True):
        patch = server.patch(mixed)
        while not patch.prepare(3):
            known = call(server, "get_labels")
            assert sum(known.values()) == len(ids(server))
        assert patch.apply(since) is True
        assert call(server, "get_labels") == {b"a": 10, b"b": 10}


def test_who_catches_up_counts_anew() -> None:
    server, other = (model("NN", True) for _ in range(2))
    call(server, "train", [["a", datum(x=1)]])
    call(other, "train", [["b", datum(x=1)], ["b", datum(x=2)]])
    call(other, "set_label", "c")
    _, since = give(server)
    fresh = server.fresh()
    fresh.unpack(other.pack())
    call(server, "train", [["a", datum(x=3)]])
    server.catch_up(fresh)
    assert since is not None
    assert call(server, "get_labels") == {b"a": 2, b"b": 2, b"c": 0}


@pytest.mark.parametrize(
    ("method", "parameter", "texts"),
    [
        ("NN", None, ["parameter block is not specified in config"]),
        ("cosine", None, ["parameter block is not specified in config"]),
        ("NN", {**LSH, **NEAR, "local_sensitivity": -0.1}, ["local_sensitivity should >= 0"]),
        ("cosine", {**NEAR, "nearest_neighbor_num": 0}, ["nearest neighbor num >= 1"]),
        ("NN", {**NEAR, "method": "dbscan", "parameter": {}}, ["unsupported method (dbscan)"]),
        ("NN", {**NEAR, "method": "lsh", "parameter": {"hash_num": 0}}, ["1 <= hash_num", ".parameter.parameter"]),
        ("NN", {**NEAR, "method": "lsh"}, ['"parameter" is not found']),
        ("NN", {**LSH, **NEAR, "unlearner": "lru"}, ["unlearner_parameter is not found"]),
        ("euclidean", {**NEAR, **FEW}, ['"unlearner" is not used']),
        ("euclidean", {"nearest_neighbor_num": 1.0}, ["Integer is expected", '"local_sensitivity" is not found']),
        ("NN", {**NEAR, "method": "x", "parameter": 1, "unlearner": "y", "unlearner_parameter": {}}, ["(x)", "(y)"]),
    ],
)
def test_a_configuration_that_cannot_be_used(method: str, parameter: Any, texts: list[str]) -> None:
    with pytest.raises((ConfigError, UnsupportedMethod)) as refused:
        make_classifier({"method": method, "parameter": parameter, "converter": NUM})
    assert all(text in str(refused.value) for text in texts)


def test_the_status_has_statistics_and_unlearner() -> None:
    linear = make_classifier({"method": "PA", "converter": NUM}).status()
    assert model("cosine").status().items() <= linear.items()
    assert model("NN", **FEW).status().keys() - linear.keys() == {
        "num_unlearner_unlearned_ids",
        "num_unlearner_sticky_ids",
    }
