"""Tests of jubatus._core.mix.map through the label counts of a classifier and the document statistics of weight."""

from random import Random
from typing import Any

import psutil
import pytest

from jubatus._core.services.classifier import Classifier
from jubatus._core.wire import pack, unpack
from tests.core.calls import call, exact, give, mix_alone

CONFIG: dict[str, Any] = {"method": "PA", "converter": {"num_rules": [{"key": "*", "type": "num"}]}}
EMPTY: list[Any] = [[], [], []]
MOST = 2**64 - 1


def counts_of(model: Any) -> tuple[dict[bytes, int], dict[bytes, int]]:
    """Return the counts of labels in master and diff."""
    master, diff, _ = unpack(model.pack())[0][1]
    return master, diff


def erase_many(model: Any) -> None:
    """Erase more labels than are known, so that their rows go and all others move."""
    for i in range(400):
        assert call(model, "set_label", f"erased{i}") is True
        assert call(model, "delete_label", f"erased{i}") is True


@pytest.mark.parametrize("moves", [False, True])
def test_a_label_that_was_erased_and_came_again_is_another_one(moves: bool) -> None:
    model = Classifier(CONFIG, distributed=True)
    for label in "abc":
        call(model, "train", [[label, EMPTY], [label, EMPTY]])
    diff, snapshot = give(model)
    call(model, "delete_label", "b")
    if moves:
        erase_many(model)
    call(model, "train", [["b", EMPTY]] * 3)
    call(model, "train", [["c", EMPTY]])
    assert model.put_diff(diff, snapshot) is True
    assert counts_of(model) == ({b"a": 2, b"b": 2, b"c": 2}, {b"b": 3, b"c": 1})
    assert call(model, "get_labels") == {b"a": 2, b"b": 5, b"c": 3}
    assert mix_alone(model)
    assert counts_of(model) == ({b"a": 2, b"b": 5, b"c": 3}, {})


def test_rows_that_move_between_two_slices_are_copied_and_prepared_again() -> None:
    model, other = (Classifier(CONFIG, distributed=True) for _ in range(2))
    for i in range(30):
        call(model, "train", [[f"l{i % 20}", EMPTY]])
        call(other, "train", [[f"l{i}", EMPTY]])
    snapshot, patch = model.snapshot(), model.patch(other.get_diff())
    for _ in range(50):
        taken, prepared = snapshot.take(3), patch.prepare(3)
        if taken and prepared:
            break
        erase_many(model)
    assert snapshot.take(1 << 20)
    assert patch.apply(snapshot) is True
    assert counts_of(model) == ({f"l{i}".encode(): 1 for i in range(30)}, {})


def test_labels_are_packed_by_name_and_counts_are_exact() -> None:
    random = Random(1)
    labels = sorted({random.randbytes(random.randrange(20)).hex() + "あ" * random.randrange(2) for _ in range(500)})
    model, again = (Classifier(CONFIG, distributed=True) for _ in range(2))
    call(model, "train", [[label, EMPTY] for label in random.sample(labels, len(labels))])
    names = [label.encode() for label in labels]
    assert list(call(model, "get_labels")) == names
    assert list(unpack(model.get_diff())[1]) == names
    assert list(counts_of(model)[1]) == names
    driver = unpack(model.pack())
    driver[0][1] = [{b"b": MOST - 5, b"a": 2**53 + 1}, {b"b": 5}, [0]]
    again.unpack(pack(driver))
    assert call(again, "get_labels") == {b"a": 2**53 + 1, b"b": MOST}
    assert mix_alone(again)
    assert counts_of(again) == ({b"a": 2**53 + 1, b"b": MOST}, {})
    weights, _, statistics = unpack(again.get_diff())
    diff = pack([weights, {b"c": 2**63 + 1}, statistics])
    assert unpack(again.mix([diff, pack([weights, {b"c": 2**63 - 2}, statistics])]))[1] == {b"c": MOST}
    assert exact(unpack(again.mix([diff]))) == exact(unpack(diff))


def test_endless_new_labels_take_no_memory() -> None:
    unlearner = {"unlearner": "lru", "unlearner_parameter": {"max_size": 20}}
    model = Classifier({**CONFIG, "parameter": unlearner})

    def learn(first: int, count: int) -> None:
        for i in range(first, first + count, 1000):
            call(model, "train", [[f"{'label' * 20}{j}", [[], [["x", 1.0]], []]] for j in range(i, i + 1000)])

    learn(0, 10_000)
    before = psutil.Process().memory_info().rss
    learn(10_000, 80_000)
    assert len(call(model, "get_labels")) == 20
    assert psutil.Process().memory_info().rss - before < 4 << 20  # the names alone are 8 MB
