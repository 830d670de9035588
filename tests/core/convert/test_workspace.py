"""What the features of a request may take: bytes of new names, and memory."""

from typing import Any

import pytest

from jubatus._core.context import Context
from jubatus.errors import ModelError
from jubatus.idl import service
from tests.core.calls import call

KEY = "k" * 400
WORDS = " ".join(f"w{number}" for number in range(20))
FEW = [[["k", "w1 w2"]], [["n", 1.0]], []]
MANY = [[[KEY, WORDS]], [], []]
HALF = [[[KEY, " ".join(f"v{number}" for number in range(6))]], [], []]
OTHER_HALF = [[[KEY, " ".join(f"u{number}" for number in range(6))]], [], []]
LIMIT = 4_000
TEXT = rf"the request brings \d+ bytes of new names of features, and may bring {LIMIT} \(--max_new_names\)"
CONVERTER: dict[str, Any] = {
    "string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf"}],
    "num_rules": [{"key": "*", "type": "num"}],
}
PLAIN = [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "bin"}]
HASHES = {"hash_num": 64}
CLUSTERING = {"method": "kmeans", "compressor_method": "simple", "compressor_parameter": {"bucket_size": 2},
              "parameter": {"k": 2, "seed": 0}, "distance": "euclidean"}  # fmt: skip
SERVICES: dict[str, tuple[dict[str, Any], str]] = {
    "classifier": ({"method": "AROW", "parameter": {"regularization_weight": 1.0}}, "labelled"),
    "classifier-NN": (
        {"method": "NN", "parameter": {"method": "lsh", "parameter": HASHES, "nearest_neighbor_num": 2,
                                       "local_sensitivity": 1.0}}, "labelled",
    ),
    "regression": ({"method": "PA", "parameter": {"sensitivity": 0.1}}, "numbered"),
    "recommender": ({"method": "inverted_index"}, "row"),
    "nearest_neighbor": ({"method": "lsh", "parameter": HASHES}, "row"),
    "anomaly": (
        {"method": "lof", "parameter": {"nearest_neighbor_num": 2, "reverse_nearest_neighbor_num": 4,
                                        "method": "inverted_index_euclid", "parameter": {}}}, "bulk",
    ),
    "clustering": (CLUSTERING, "points"),
    "weight": ({}, "datum"),
}  # fmt: skip
ROWS = {"recommender": "update_row", "nearest_neighbor": "set_row"}


def made(name: str, limit: int = LIMIT, **converter: Any) -> Any:
    """Return a model of a service whose requests may bring so many bytes."""
    config = {**SERVICES[name][0], "converter": CONVERTER | converter}
    return service(name.partition("-")[0]).model_class(config, context=Context(max_new_names=limit))


def teach(name: str, model: Any, data: list[Any]) -> None:
    """Let a model learn datums by one request."""
    kind = SERVICES[name][1]
    if kind == "labelled":
        call(model, "train", [["a", datum] for datum in data])
    elif kind == "numbered":
        call(model, "train", [[1.0, datum] for datum in data])
    elif kind == "row":
        for datum in data:
            call(model, ROWS[name], "row", datum)
    elif kind == "bulk":
        call(model, "add_bulk", data)
    elif kind == "points":
        call(model, "push", [[str(number), datum] for number, datum in enumerate(data)])
    else:
        for datum in data:
            call(model, "update", datum)


@pytest.mark.parametrize("name", SERVICES)
def test_a_datum_with_too_many_names_changes_nothing(name: str) -> None:
    model = made(name)
    teach(name, model, [FEW])
    before = model.pack()
    with pytest.raises(ModelError, match=TEXT):
        teach(name, model, [MANY])
    assert model.pack() == before
    teach(name, model, [HALF])


@pytest.mark.parametrize("name", [name for name, (_, kind) in SERVICES.items() if kind not in ("row", "datum")])
def test_the_datums_of_a_request_count_together(name: str) -> None:
    model = made(name)
    teach(name, model, [FEW])
    before = model.pack()
    with pytest.raises(ModelError, match=TEXT):
        teach(name, model, [HALF, OTHER_HALF])
    assert model.pack() == before
    teach(name, model, [HALF])
    teach(name, model, [OTHER_HALF])


def test_known_names_are_not_new() -> None:
    model, free = made("classifier"), made("classifier", 0)
    for each in (model, free):
        teach("classifier", each, [HALF])
        teach("classifier", each, [OTHER_HALF])
        teach("classifier", each, [HALF, HALF, OTHER_HALF])
    assert model.pack() == free.pack()


def test_without_a_limit_all_is_learned() -> None:
    model = made("classifier", 0, string_rules=PLAIN)
    teach("classifier", model, [MANY, MANY])
    assert model.status()["num_features"] == "20"


@pytest.mark.parametrize("kind", ["mul", "add"])
def test_names_of_combinations_count(kind: str) -> None:
    rules = [{"key_left": "*", "key_right": "*", "type": kind}]
    model = made("classifier", combination_rules=rules, string_rules=PLAIN)
    before = model.pack()
    with pytest.raises(ModelError, match=TEXT):
        teach("classifier", model, [[[["k", WORDS]], [], []]])
    with pytest.raises(ModelError, match="would take more than 64000 bytes of memory"):
        teach("classifier", model, [[[["k" * 80, " ".join(f"w{number}" for number in range(30))]], [], []]])
    assert model.pack() == before


def test_memory_of_one_datum_is_bounded_where_nothing_is_learned() -> None:
    grams = [{"key": "*", "type": "three", "sample_weight": "bin", "global_weight": "bin"}]
    types = {"three": {"method": "ngram", "char_num": "3"}}
    model = made("classifier", string_rules=grams, string_types=types)
    text = "".join(f"{number:x}" for number in range(2_000))
    with pytest.raises(ModelError, match=r"16 times .*--max_new_names"):
        call(model, "classify", [[[["k", text]], [], []]])
    assert call(model, "classify", [FEW]) == [[]]
