"""Tests of jubatus._core.services.classifier: what single calls do; tests/services plays any sequence with the slow model."""

import math
import time
from typing import Any

import pytest

from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, ModelError
from tests.core.calls import call, diff_of, exact, give, mix_alone, mix_slow_alone, stored
from tests.core.linear.test_table import METHODS, bytes_of
from tests.reference import models
from tests.reference.tr1 import hash_bytes


def run(fast: Classifier, slow: models.Classifier, method: str, value: Any) -> None:
    """Call one method of both and compare the replies."""
    if method == "train":
        assert call(fast, "train", value) == slow.train(bytes_of(value))
    elif method == "classify":
        assert exact(call(fast, "classify", value)) == exact(slow.classify(value))
    elif method == "get_labels":
        got = call(fast, "get_labels")
        assert got == slow.get_labels()
        assert list(got) == sorted(got)
    else:
        assert call(fast, method, value) is getattr(slow, method)(value.encode())


SIMPLE = {
    "method": "AROW",
    "parameter": {"regularization_weight": 1.0},
    "converter": {
        "string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf1"}],
        "num_rules": [{"key": "*", "type": "num"}],
    },
}
FIRST = [["a", [[["t", "x y"]], [["n", 1.0]]]], ["b", [[["t", "y z"]], [["n", -1.0]]]]]


def test_a_batch_is_learnt_as_its_parts_one_by_one() -> None:
    whole, parts = Classifier(SIMPLE), Classifier(SIMPLE)
    assert call(whole, "train", FIRST * 5) == 10
    for pair in FIRST * 5:
        call(parts, "train", [pair])
    assert whole.pack() == parts.pack()
    assert call(whole, "train", []) == 0


GOOD = ["a", [[["t", "x"]], []]]


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("train", [5]),
        ("train", [{}]),
        ("train", [None]),
        ("train", [[5]]),
        ("train", [[GOOD, ["a", 5]]]),
        ("train", [[GOOD, [5, []]]]),
        ("train", [[GOOD, {"a": []}]]),
        ("train", [[GOOD, ["a", [[["k", 5]]]]]]),
        ("train", [[GOOD, ["a", [[["k"]]]]]]),
        ("train", [[GOOD, ["a", [[], [["k", "1"]]]]]]),
        ("train", [[GOOD, ["a", [[], [["k", True]]]]]]),
        ("train", [[GOOD, ["a", [[], [], [["k", 1]]]]]]),
        ("classify", [5]),
        ("classify", [[5]]),
        ("classify", [[[], [[["k", 5]]]]]),
        ("set_label", [5]),
        ("set_label", [None]),
        ("delete_label", [["a"]]),
    ],
)
def test_bad_arguments_change_nothing(method: str, args: list[Any]) -> None:
    for distributed in (False, True):
        model = Classifier(SIMPLE, distributed=distributed)
        call(model, "train", FIRST)
        before = model.pack()
        with pytest.raises(BadArguments):
            call(model, method, *args)
        assert model.pack() == before


def test_messages_may_be_short_or_long() -> None:
    """The struct rule: missing fields are empty, extra ones are ignored."""
    fast, slow = Classifier(SIMPLE), Classifier(SIMPLE)
    assert call(fast, "train", [["a", [[["t", "x"]]], "more", 5]]) == call(slow, "train", [GOOD]) == 1
    assert call(fast, "train", [["a"]]) == call(slow, "train", [["a", []]]) == 1
    assert call(fast, "train", [[]]) == call(slow, "train", [["", [[], [], []]]]) == 1
    assert fast.pack() == slow.pack()


def test_a_key_with_a_dollar_is_refused_with_its_text() -> None:
    model = Classifier(SIMPLE)
    call(model, "train", FIRST)
    before = model.pack()
    for method, args in (("train", [["a", [[["k$", "x"]]]]]), ("classify", [[[], [["k$", 1.0]]]])):
        with pytest.raises(ModelError, match=r"^feature key cannot contain '\$': k\$$"):
            call(model, method, args)
    assert model.pack() == before
    call(model, "classify", [[[["k$", ""]], []]])


def test_a_batch_keeps_what_came_before_a_datum_that_is_refused() -> None:
    model, want = Classifier(SIMPLE), Classifier(SIMPLE)
    with pytest.raises(ModelError):
        call(model, "train", [*FIRST, ["a", [[["k$", "x"]]]], ["c", FIRST[0][1]]])
    call(want, "train", FIRST)
    assert model.pack() == want.pack()


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_not_learned(method: str, distributed: bool, value: float) -> None:
    """Not even where no rule takes it; what stood before its datum is learned, and nothing of its own."""
    config = SIMPLE | {"method": method, "parameter": {"regularization_weight": 1.0}}
    config["parameter"] = None if method in ("perceptron", "PA") else config["parameter"]
    config["converter"] = SIMPLE["converter"] | {"num_rules": [{"key": "n", "type": "num"}]}
    model, want = (Classifier(config, distributed=distributed) for _ in range(2))
    call(want, "train", FIRST)
    for key in ("n", "other é", ""):
        bad = ["c", [[["t", "x new"]], [["n", 1.0], [key, value]]]]
        call(model, "clear")
        with pytest.raises(ModelError, match=f"^cannot learn from a number that is not finite: {key}$"):
            call(model, "train", [*FIRST, bad, ["d", FIRST[0][1]]])
        assert model.pack() == want.pack()
        assert call(model, "get_labels") == {b"a": 1, b"b": 1}
    assert exact(call(model, "classify", [bad[1]])) == exact(call(want, "classify", [bad[1]]))


def test_what_the_converter_computes_need_not_be_finite() -> None:
    """As in 1.1: sums, filters and combinations of finite numbers may overflow, and are learned."""
    config = {"method": "PA", "converter": {"num_rules": [{"key": "*", "type": "num"}]}}
    fast, slow = Classifier(config), models.Classifier(config)
    data = [["a", [[], [["n", 1e308], ["n", 1e308]]]], ["b", [[], [["n", 1.0]]]]]
    assert call(fast, "train", data) == slow.train(bytes_of(data)) == 2
    assert stored(unpack(fast.pack())) == stored(slow.pack())
    (scores,) = call(fast, "classify", [[[], [["n", 1.0]]]])
    assert any(math.isnan(score) for _, score in scores)


def test_labels_that_were_removed_leave_the_order_of_1_1() -> None:
    """The hash maps of 1.1 grow with the 12th label. Until then the number 11 stands before 1, and behind it afterwards.

    The names of these two fall into one bucket, before the maps grow and afterwards: their order shows that of numbers.
    """
    names = [str(i) for i in range(2000)]
    first = "a"
    second = next(name for name in names if hash_bytes(name.encode()) % 253 == hash_bytes(b"a") % 253)
    fast, slow = Classifier(SIMPLE), models.Classifier(SIMPLE)
    for label in ["x0", first, *(f"x{i}" for i in range(2, 11))]:
        assert call(fast, "set_label", label) is slow.set_label(label.encode()) is True
    assert call(fast, "delete_label", "x0") is slow.delete_label(b"x0") is True
    for label in (second, "x12", "x13"):
        assert call(fast, "set_label", label) is slow.set_label(label.encode()) is True
        assert exact(call(fast, "classify", [[]])) == exact(slow.classify([[]]))


def test_a_new_label_costs_the_same_among_many_labels() -> None:
    def seconds(count: int) -> float:
        model = Classifier(SIMPLE)
        requests = [Reader(pack(["", str(i)])) for i in range(count)]
        for request in requests:
            request.arguments(1)
        begin = time.process_time()
        for request in requests:
            model.set_label(request)
        return time.process_time() - begin

    # Four times the labels took 16 times as long and more when each of them made the order of all again.
    assert min(seconds(20_000) for _ in range(3)) < 8 * min(seconds(5_000) for _ in range(3))


def test_a_standalone_model_keeps_what_it_does_not_use_of_a_distributed_one() -> None:
    """Weights that were not mixed yet do not count in a standalone server, but they stay in its file."""
    cluster = Classifier(SIMPLE, distributed=True)
    call(cluster, "train", FIRST)
    mix_alone(cluster)
    call(cluster, "train", FIRST[:1] * 2)
    alone, slow = Classifier(SIMPLE), models.Classifier(SIMPLE)
    alone.unpack(cluster.pack())
    slow.unpack(unpack(cluster.pack()))
    assert stored(unpack(alone.pack())) == stored(slow.pack())
    for name, value in (("classify", [FIRST[0][1]]), ("train", FIRST), ("delete_label", "b"), ("get_labels", None)):
        run(alone, slow, name, value)
    assert stored(unpack(alone.pack())) == stored(slow.pack())


def test_a_mix_that_does_not_fit_changes_nothing() -> None:
    """Not even the label counts, which have no version: the server fetches a model that has them."""
    fast, slow = Classifier(SIMPLE, distributed=True), models.Classifier(SIMPLE, True)
    ahead = models.Classifier(SIMPLE, True)
    mix_slow_alone(ahead)
    ahead.train(bytes_of(FIRST[:1]))
    call(fast, "train", FIRST)
    slow.train(bytes_of(FIRST))
    scores = call(fast, "classify", [FIRST[0][1]])
    _, snapshot = give(fast)
    assert fast.put_diff(pack(ahead.get_diff()), snapshot) is slow.put_diff(ahead.get_diff(), slow.given()) is False
    assert stored(unpack(fast.pack())) == stored(slow.pack())
    assert call(fast, "classify", [FIRST[0][1]]) == scores
    assert call(fast, "get_labels") == {b"a": 1, b"b": 1}


def test_rows_of_the_diff_that_become_empty_disappear() -> None:
    """The feature y has a mixed cell of d, and since then only cells of labels that are deleted."""
    config = {"method": "PA", "converter": SIMPLE["converter"]}
    fast, slow = Classifier(config, distributed=True), models.Classifier(config, True)
    run(fast, slow, "train", [["d", [[], [["y", 1.0]]]]])
    assert mix_alone(fast) is mix_slow_alone(slow) is True
    for label in "ab":
        run(fast, slow, "set_label", label)
    run(fast, slow, "train", [["a", [[], [["x", 1.0]]]], ["b", [[], [["x", 5.0], ["y", -1.0]]]]])
    for label in "ab":
        run(fast, slow, "delete_label", label)
    assert diff_of(unpack(fast.get_diff())) == diff_of(slow.get_diff())
    assert stored(unpack(fast.pack())) == stored(slow.pack())
    assert fast.status() == slow.status()


def test_the_example_of_the_text_trains_alike_in_both_storages() -> None:
    for method in METHODS:
        config = {
            **SIMPLE,
            "method": method,
            "parameter": SIMPLE["parameter"] if method not in ("perceptron", "PA") else None,
        }
        for distributed in (False, True):
            fast, slow = Classifier(config, distributed=distributed), models.Classifier(config, distributed)
            for _ in range(4):
                call(fast, "train", FIRST)
                slow.train(bytes_of(FIRST))
            assert stored(unpack(fast.pack())) == stored(slow.pack())


def test_pack_reads_what_older_files_hold() -> None:
    """float32 weights of 1.0, strings as str8 or bin, numbers as integers."""
    model = Classifier({"method": "PA", "converter": SIMPLE["converter"]})
    key = b"n@num"
    row = b"\x81" + bytes([0xD9, len(key)]) + key + b"\x81\x00\x93\xca\x3f\x00\x00\x00\x00\x00"
    storage = b"\x94" + row + b"\x93\x81\xc4\x01a\x00\x81\x00\xa1a\x01\x80\x91\x00"
    labels_part = b"\x93\x80\x81\xa1a\x01\x91\x00"
    weights = pack([[0], [0, [{}], [{}], [{}], {}], [0, [{}], [{}], [{}], {}]])
    model.unpack(b"\x92\x92" + storage + labels_part + weights)
    assert call(model, "classify", [[[], [["n", 3.0]]]]) == [[[b"a", 1.5]]]
    assert call(model, "get_labels") == {b"a": 1}
