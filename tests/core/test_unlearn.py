"""Tests of jubatus._core.unlearn through the classifier: who is forgotten, when, and what goes with it."""

from typing import Any

import pytest

from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from tests.core.calls import call, exact, mix_of, mix_of_slow, stored
from tests.core.linear.test_table import CONVERTER
from tests.reference import models
from tests.reference.random_numbers import MersenneTwister

LABELS = ["a", "b", "c", "d", "e", "sticky", "sticky2", "sticky3"]


def config_of(method: str, unlearner: dict[str, Any]) -> dict[str, Any]:
    parameter = dict(unlearner)
    if method not in ("perceptron", "PA"):
        parameter["regularization_weight"] = 0.5
    return {"method": method, "parameter": parameter, "converter": CONVERTER}


def test_random_numbers_are_those_of_the_original() -> None:
    words = MersenneTwister(9193)
    assert [words.next_word() for _ in range(4)] == [1611488198, 1743206191, 2375029077, 3912762592]
    assert MersenneTwister(9193).next_double() == 0.37520383600795126
    numbers = MersenneTwister(9193)
    assert [numbers.next_int(3) for _ in range(10)] == [1, 1, 0, 0, 2, 2, 1, 1, 2, 2]


def test_random_forgets_in_the_order_of_the_original() -> None:
    """Places 1, 1, 0, 0, 2, 2, 1, 1, 2, 2 of three are taken, one after the other."""
    model = Classifier(config_of("PA", {"unlearner": "random", "unlearner_parameter": {"max_size": 3, "seed": 9193}}))
    kept = [b"0", b"1", b"2"]
    for label in ("0", "1", "2"):
        assert call(model, "set_label", label) is True
    for i, place in enumerate([1, 1, 0, 0, 2, 2, 1, 1, 2, 2], 3):
        kept[place] = str(i).encode()
        assert call(model, "set_label", str(i)) is True
        assert set(call(model, "get_labels")) == set(kept)
        assert unpack(model.pack())[0][0] == [{k: p for p, k in enumerate(kept)}, kept]


def test_lru_forgets_the_longest_unused_label_with_its_weights_and_count() -> None:
    model = Classifier(config_of("PA", {"unlearner": "lru", "unlearner_parameter": {"max_size": 2}}))
    for label, x in (("a", 1.0), ("b", -1.0), ("a", 0.1), ("c", 5.0)):
        call(model, "train", [[label, [[], [[label, x]]]]])
    assert call(model, "get_labels") == {b"a": 2, b"c": 1}
    scores = call(model, "classify", [[[], [["b", 1.0], ["c", 1.0]]]])
    assert {label for label, _ in scores[0]} == {b"a", b"c"}
    assert b"b@num" not in unpack(model.pack())[0][1][0] or unpack(model.pack())[0][1][0][b"b@num"].keys() != {1}


def test_sticky_labels_stay_until_nothing_else_fits() -> None:
    model = Classifier(
        config_of("PA", {"unlearner": "lru", "unlearner_parameter": {"max_size": 2, "sticky_pattern": "s*"}})
    )
    for label in ("s1", "a", "b"):
        assert call(model, "set_label", label) is True
    assert call(model, "get_labels") == {b"s1": 0, b"b": 0}
    assert model.status()["num_unlearner_sticky_ids"] == "1"
    assert model.status()["num_unlearner_unlearned_ids"] == "1"
    assert call(model, "set_label", "s2") is True
    text = "cannot add new label as number of sticky labels reached the maximum size of unlearner: x"
    before = model.pack()
    for method, argument in (("set_label", "x"), ("train", [["x", [[], [["k", 1.0]]]]])):
        with pytest.raises(ModelError) as refused:
            call(model, method, argument)
        assert str(refused.value) == text
    assert model.pack() == before
    assert call(model, "train", [["s1", [[], [["k", 1.0]]]]]) == 1
    assert call(model, "delete_label", "s2") is True
    assert call(model, "set_label", "x") is True


def test_a_mix_touches_its_labels_and_drops_what_was_forgotten() -> None:
    """The case of the original's text: two labels fit, the servers hold A, B and C, D."""
    config = config_of("PA", {"unlearner": "lru", "unlearner_parameter": {"max_size": 2}})
    fast = [Classifier(config, distributed=True) for _ in range(2)]
    slow = [models.Classifier(config, True) for _ in range(2)]
    for f, s, pair in zip(fast, slow, ("AB", "CD"), strict=True):
        for i, label in enumerate(pair):
            shared = [[], [["x", 1.0 - 2 * i]]]
            call(f, "train", [[label, shared]])
            s.train([[label.encode(), shared]])
    mixed, snapshots = mix_of(fast)
    want = mix_of_slow(slow)
    for f, s, snapshot in zip(fast, slow, snapshots, strict=True):
        assert f.put_diff(mixed, snapshot) is s.put_diff(want, s.given()) is True
        assert call(f, "get_labels") == s.get_labels() == {b"A": 1, b"B": 1, b"C": 1, b"D": 1}
        assert exact(call(f, "classify", [[[], [["x", 1.0]]]])) == exact(s.classify([[[], [["x", 1.0]]]]))
    in_order = [[label for label, _ in call(f, "classify", [[[], []]])[0]] for f in fast]
    assert sorted(in_order[0]) == sorted(in_order[1])


def test_a_model_file_with_more_labels_than_fit_is_taken_as_it_is() -> None:
    wide = config_of("PA", {"unlearner": "lru", "unlearner_parameter": {"max_size": 5}})
    narrow = config_of("PA", {"unlearner": "lru", "unlearner_parameter": {"max_size": 2}})
    source = Classifier(wide)
    for label in LABELS[:5]:
        call(source, "set_label", label)
    fast, slow = Classifier(narrow), models.Classifier(narrow)
    fast.unpack(source.pack())
    slow.unpack(unpack(source.pack()))
    assert len(call(fast, "get_labels")) == 5
    for label in ("x", "y"):
        assert call(fast, "set_label", label) is slow.set_label(label.encode()) is True
        assert call(fast, "get_labels") == slow.get_labels()
    assert stored(unpack(fast.pack())) == stored(slow.pack())
    assert pack(slow.pack()[0][0]) == pack(unpack(fast.pack())[0][0])
