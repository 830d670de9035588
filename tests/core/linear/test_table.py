"""Tests of jubatus._core.linear.table against the slow learners: numbers only, one method at a time, bit for bit."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import unpack
from tests.core.calls import call, exact, stored
from tests.reference import models

METHODS = ["perceptron", "PA", "PA1", "PA2", "CW", "AROW", "NHERD"]
CONVERTER = {"num_rules": [{"key": "*", "type": "num"}]}

labels = st.sampled_from(["a", "b", "c", "d", "e", "f", "", "あ"])
small = st.sampled_from([1.0, -1.0, 2.0, 0.5, -0.5, 1.0, 0.0])
finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e200, -1e200, 1e-200])
wild = finite | st.floats() | st.sampled_from([float("inf"), float("nan")])


def datum(numbers: st.SearchStrategy[float], size: int = 5) -> st.SearchStrategy[list[Any]]:
    pair = st.tuples(st.sampled_from("xyzuvw"), numbers).map(list)
    return st.lists(pair, max_size=size).map(lambda pairs: [[], pairs])


def training(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.tuples(labels, datum(numbers)).map(list), max_size=25)


def config_of(method: str, c: float) -> dict[str, Any]:
    parameter = None if method in ("perceptron", "PA", "passive_aggressive") else {"regularization_weight": c}
    return {"method": method, "parameter": parameter, "converter": CONVERTER}


def both(config: dict[str, Any], distributed: bool) -> tuple[Classifier, models.Classifier]:
    return Classifier(config, distributed=distributed), models.Classifier(config, distributed)


def bytes_of(data: list[Any]) -> list[Any]:
    return [[label.encode(), datum] for label, datum in data]


def compare(fast: Classifier, slow: models.Classifier, queries: list[Any]) -> None:
    assert exact(call(fast, "classify", queries)) == exact(slow.classify(queries))
    assert stored(unpack(fast.pack())) == stored(slow.pack())
    assert fast.status() == slow.status()


c_values = st.sampled_from([0.1, 1.0, 0.6, 100, 1e-30]) | st.floats(2**-20, 2**20)


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40)
@given(data=training(small), queries=st.lists(datum(small), max_size=3), c=c_values)
def test_small_numbers(method: str, distributed: bool, data: list[Any], queries: list[Any], c: float) -> None:
    """Ties are frequent: they show the order of labels."""
    fast, slow = both(config_of(method, c), distributed)
    for pair in data:
        assert call(fast, "train", [pair]) == slow.train(bytes_of([pair])) == 1
    compare(fast, slow, queries)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=60)
@given(
    data=training(finite), queries=st.lists(datum(wild), max_size=3), c=c_values | st.sampled_from([1e38, 3e38, 2e-38])
)
def test_wild_numbers(method: str, data: list[Any], queries: list[Any], c: float) -> None:
    """Overflow, vectors whose square vanishes, and infinities and NaN in what is asked."""
    once = [[label, [[], list(dict(pairs).items())]] for label, (_, pairs) in data]
    fast, slow = both(config_of(method, c), False)
    assert call(fast, "train", once) == slow.train(bytes_of(once)) == len(once)
    compare(fast, slow, queries)


@pytest.mark.parametrize("method", METHODS)
def test_many_labels_come_in_the_order_of_the_original(method: str) -> None:
    """Enough labels for several growths of the original's maps, some of them deleted in between."""
    fast, slow = both(config_of(method, 1.0), False)
    for i in range(130):
        label = f"label{i * 7919 % 1009}"
        pair = [label, [[], [["x", 1.0 + i % 3], ["y", -1.0], [f"z{i % 5}", 0.5]]]]
        call(fast, "train", [pair])
        slow.train(bytes_of([pair]))
        if i % 4 == 3:
            gone = f"label{(i - 2) * 7919 % 1009}"
            assert call(fast, "delete_label", gone) is slow.delete_label(gone.encode())
        if i in (20, 90):
            packed = fast.pack()
            fast = Classifier(config_of(method, 1.0))
            fast.unpack(packed)
            slow.unpack(slow.pack())
        query = [[], [["x", 1.0], ["z1", 2.0]]]
        assert exact(call(fast, "classify", [query])) == exact(slow.classify([query]))
    compare(fast, slow, [])


@pytest.mark.parametrize("method", METHODS)
def test_long_aliases(method: str) -> None:
    alias = {
        "PA": "passive_aggressive",
        "PA1": "passive_aggressive_1",
        "PA2": "passive_aggressive_2",
        "CW": "confidence_weighted",
        "AROW": "arow",
        "NHERD": "normal_herd",
    }.get(method, method)
    data = [["a", [[], [["x", 1.0]]]], ["b", [[], [["x", -0.5], ["y", 1.0]]]]]
    models_of = [Classifier(config_of(name, 0.3)) for name in (method, alias)]
    for model in models_of:
        call(model, "train", data)
    assert models_of[0].pack() == models_of[1].pack()
