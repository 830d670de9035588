"""Models of all services by the examples of their layouts; recorded models are dumped in test_dump.py."""

import json
from typing import Any

import pytest

import jubatus
from jubatus._core.wire import pack
from jubatus.cli.dump import quote, write
from jubatus.cli.layouts import SERVICES, describe
from jubatus.cli.pretty import pretty
from jubatus.errors import BadArguments, ModelFileError
from jubatus.server.storage import System

EMPTY = [[0], [0, [{}], [{}], [{}], {}], [0, [{}], [{}], [{}], {}]]
COUNTED = [[3], [1, [{"a": 2.0}], [{"g": 1.0}], [{"g": 4.0}], {}], [2, [{"a": 1.0, "b": 5.0}], [{}], [{}], {"w": 0.5}]]
EMPTY_SHOWN = {
    "version_number": 0,
    "document_count": 0,
    "document_frequencies": {},
    "group_frequencies": {},
    "group_total_lengths": {},
    "weights": {},
}
COLUMNS = [["a"], 1, [[["127.0.0.1_9199"], 0]], [[[10, 64], [0xFA1BD68DD7B29414]]], 1, {"a": 0}]
COLUMNS_SHOWN = {
    "schema": [{"type": "bit_vector", "bit_vector_length": 64}],
    "data": {"a": {"values": [[0xFA1BD68DD7B29414]], "owner": "127.0.0.1_9199", "version": 0}},
    "clock": 1,
}
KEYS = [{"x": 0, "y": 1}, {0: "x", 1: "y"}, 2]
INDEX = [{"f": {0: 1.5}}, {"f": {1: 2.5}}, {0: 2.25}, {1: 6.25}, KEYS]
INDEX_SHOWN = {"inv": {"f": {"x": 1.5}}, "inv_diff": {"f": {"y": 2.5}}, "norm": {"x": 2.25}, "norm_diff": {"y": 6.25}}
ROWS = [{"r": {0: 1.0, 1: 2.0}}, KEYS]
ROWS_SHOWN = {"inv": {"r": {"x": 1.0, "y": 2.0}}}
LINEAR = [{"f": {0: [0.5, 1.0, 0.0]}}, KEYS, {"f": {0: [0.25, -0.5, 0.0], 1: [1.0, 1.0, 0.0]}, "g": {}}, [7]]
LINEAR_SHOWN = {
    "weight": {"f": {"x": {"v1": 0.75, "v2": 0.5, "v3": 0.0}, "y": {"v1": 1.0, "v2": 1.0, "v3": 0.0}}, "g": {}},
    "version_number": 7,
}
LABELS = [{"x": 3}, {"x": 2**64 - 1, "y": 1}, [2]]
LABELS_SHOWN = {"version_number": 2, "label_count": {"x": 2, "y": 1}}


def dumped(type: str, model: Any, **config: Any) -> dict[str, Any]:
    driver = model if isinstance(model, bytes) else pack(model)
    system = System(1700000000, type, b"m1", json.dumps(config).encode())
    shown = json.loads("".join(pretty(describe(system, driver), quote, write)))
    assert shown.pop("system")["type"] == type
    return dict(shown)


def test_every_service_is_known() -> None:
    assert set(jubatus.SERVICES) <= set(SERVICES)
    assert len(SERVICES) == 11


def test_weight_shows_both_tables_as_one() -> None:
    assert dumped("weight", [EMPTY]) == {"weights": EMPTY_SHOWN}
    assert dumped("weight", [COUNTED])["weights"] == {
        "version_number": 3,
        "document_count": 3,
        "document_frequencies": {"a": 3.0, "b": 5.0},
        "group_frequencies": {"g": 1.0},
        "group_total_lengths": {"g": 4.0},
        "weights": {"w": 0.5},
    }


def test_classifier() -> None:
    whole = {"storage": {"storage": LINEAR_SHOWN, "label": LABELS_SHOWN}, "weights": EMPTY_SHOWN}
    assert dumped("classifier", [[LINEAR, LABELS], EMPTY], method="AROW") == whole
    got = dumped("classifier", [[[["x"], ["y"]], LINEAR, LABELS], EMPTY], method="AROW")
    assert got["storage"]["unlearner"] == {"ids": ["x"], "sticky_ids": ["y"]}
    got = dumped("classifier", [[[{"x": 0}, ["x"]], COLUMNS, LABELS], EMPTY], method="NN")
    assert got["storage"] == {"unlearner": {"ids": ["x"]}, "table": COLUMNS_SHOWN, "label": LABELS_SHOWN}
    assert dumped("classifier", [[INDEX, LABELS], EMPTY], method="cosine")["storage"]["storage"] == INDEX_SHOWN


def test_the_classifier_of_the_example_of_a_file() -> None:
    driver = bytes.fromhex("92929480938080008091009380809100939100950091809180918080950091809180918080")
    got = dumped("classifier", driver, method="PA")
    label = {"version_number": 0, "label_count": {}}
    empty = {"weight": {}, "version_number": 0}
    assert got == {"storage": {"storage": empty, "label": label}, "weights": EMPTY_SHOWN}


def test_regression() -> None:
    assert dumped("regression", [[LINEAR], EMPTY], method="PA")["storage"] == {"storage": LINEAR_SHOWN}
    target = [["a"], 1, [[[""], 0]], [[[9, 0], [0.5]]], 1, {"a": 0}]
    shown = {
        "schema": [{"type": "double", "bit_vector_length": 0}],
        "data": {"a": {"values": [[0.5]], "owner": "", "version": 0}},
        "clock": 1,
    }
    got = dumped("regression", [[COLUMNS, target], EMPTY], method="NN")
    assert got["storage"] == {"table": COLUMNS_SHOWN, "target": shown}
    got = dumped("regression", [[INDEX, target], EMPTY], method="euclidean")
    assert got["storage"] == {"storage": INDEX_SHOWN, "target": shown}


def test_recommender() -> None:
    bits = [64, bytes(range(8))]
    shown = {"bit_num": 64, "bits": [0x0001020304050607]}
    for method, storage, expected in (
        ("inverted_index", INDEX, INDEX_SHOWN),
        ("lsh", [{}, {"r": bits}], {"master": {}, "diff": {"r": shown}}),
        ("nearest_neighbor_recommender", COLUMNS, COLUMNS_SHOWN),
        (
            "euclid_lsh",
            [{}, {"x": [[5], bits, 1.5]}, {}, {5: [0]}, [0.5], 1, KEYS],
            {
                "master": {},
                "diff": {"x": {"buckets": [5], "simhash": shown, "norm": 1.5}},
                "buckets": {},
                "buckets_diff": {"5": ["x"]},
                "shift": [0.5],
                "table_num": 1,
            },
        ),
    ):
        got = dumped("recommender", [[ROWS, storage], EMPTY], method=method)
        assert got == {"index": {"original": ROWS_SHOWN, "storage": expected}, "weights": EMPTY_SHOWN}
    with pytest.raises(ModelFileError, match=r"unsupported method \(none\)"):
        dumped("recommender", [[ROWS, INDEX], EMPTY], method="none")


def test_nearest_neighbor_with_rows_of_several_words() -> None:
    table = [["a", "b"], 2, [[["o"], 1], [["o"], 2]], [[[10, 100], [1, 2, 3, 4]], [[9, 0], [0.5, 1.5]]], 3, {"a": 0}]
    got = dumped("nearest_neighbor", [table, EMPTY], method="lsh")["table"]
    assert got["data"]["b"] == {"values": [[3, 4], [1.5]], "owner": "o", "version": 2}


def test_anomaly() -> None:
    records = [{"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}, {"b": [-1.0, 0.0]}, 4, 8, True]
    model = [[records, [ROWS, INDEX]], EMPTY]
    got = dumped("anomaly", model, method="lof", parameter={"method": "inverted_index"})["storage"]
    assert got["lof_records"]["entry"] == {
        "a": {"kdist": 1.0, "lrd": 2.0},
        "b": {"kdist": -1.0, "lrd": 0.0},
        "c": {"kdist": 5.0, "lrd": 6.0},
    }
    assert got["nn_records"] == {"original": ROWS_SHOWN, "storage": INDEX_SHOWN}
    got = dumped("anomaly", [[COLUMNS, COLUMNS], EMPTY], method="light_lof")["storage"]
    assert got == {"nn_records": COLUMNS_SHOWN, "lof_records": COLUMNS_SHOWN}


def test_clustering() -> None:
    point = ["p", 1.0, [["x", 2.0]], [[], [["x", 2.0]], []]]
    shown = {
        "id": "p",
        "weight": 1.0,
        "data": [["x", 2.0]],
        "original": {"string_values": [], "num_values": [["x", 2.0]], "binary_values": []},
    }
    got = dumped("clustering", [[[2, [["s", [point]]]], [point]], EMPTY])["storage"]
    assert got == {"revision": 2, "common": {"s": [shown]}, "points": [shown]}
    got = dumped("clustering", [[[2, []], [[], [point]], 5], EMPTY])["storage"]
    assert got == {"revision": 2, "common": {}, "buckets": [[], [shown]], "status": 5}


def test_stat() -> None:
    model = [3, [[1700000000, ["a", 1.0]]], {"a": [1, 1.0, 1.0, 1.0, 1.0]}, 0.0, 0.0]
    assert dumped("stat", model) == {
        "window_size": 3,
        "window": [{"time": 1700000000, "key": "a", "value": 1.0}],
        "stats": {"a": {"n": 1, "sum": 1.0, "sum2": 1.0, "max": 1.0, "min": 1.0}},
        "e": 0.0,
        "n": 0.0,
    }


def test_graph() -> None:
    driver = bytes.fromhex("95810093809090808100008192909080819290909193008080")
    empty = {"edge_query": [], "node_query": []}
    assert dumped("graph", driver) == {
        "nodes": {"0": {"property": {}, "in_edges": [], "out_edges": []}},
        "edges": {},
        "global_nodes": [0],
        "centralities": [{"query": empty, "scores": {}}],
        "shortest_paths": [{"query": empty, "trees": [{"landmark": 0, "from_root": {}, "to_root": {}}]}],
    }


def test_burst() -> None:
    store = [[[[[10, 6, 2.5]], 100.0, 10.0]], 5, -20.0]
    model = [[5, 10.0, 5, 5, 1e308], {"k": [[2.0, 1.0], store]}, {"k": [[[[[10, 6]], 100.0, 10.0]], 5, 10.0, 5]}]
    got = dumped("burst", model)
    batch = {"all_data_count": 10, "relevant_data_count": 6}
    assert got["options"]["costcut_threshold"] == 1e308
    assert got["keywords"]["k"] == {
        "scaling_param": 2.0,
        "gamma": 1.0,
        "results": [{"batches": [{**batch, "burst_weight": 2.5}], "start": 100.0, "batch_interval": 10.0}],
        "max_results": 5,
        "oldest_not_mixed": -20.0,
    }
    assert got["aggregators"]["k"]["windows"] == [{"batches": [batch], "start": 100.0, "batch_interval": 10.0}]


def test_bandit() -> None:
    driver = bytes.fromhex("9391a1618081a170920181a1619201cb3ff0000000000000")
    player = {"total": 1, "arms": {"a": {"trial_count": 1, "weight": 1.0}}}
    assert dumped("bandit", driver) == {"arms": ["a"], "mixed": {}, "unmixed": {"p": player}}


def test_a_number_without_a_name() -> None:
    with pytest.raises(BadArguments, match="the number 9 has no name"):
        dumped("recommender", [[[{"r": {9: 1.0}}, KEYS], INDEX], EMPTY], method="inverted_index")
