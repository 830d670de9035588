"""Tests of jubatus._core.mix: no update is lost and none is doubled, whatever happens between the steps of a MIX."""

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubatus._core.model import Model
from jubatus._core.services.classifier import Classifier
from jubatus._core.services.weight import Weight
from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from tests.core.calls import call, exact, give, mix_alone, mix_of, stored
from tests.reference import models

ADDITIVE = ["perceptron", "PA", "PA1", "PA2"]
COVARIANT = ["CW", "AROW", "NHERD"]
LABELS = "abcd"
CONVERTER = {
    "string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf1"}],
    "num_rules": [{"key": "*", "type": "num"}],
}
NUMBERS = {"num_rules": CONVERTER["num_rules"]}


def config_of(method: str, converter: dict[str, Any] = CONVERTER) -> dict[str, Any]:
    parameter = None if method in ("perceptron", "PA") else {"regularization_weight": 0.7}
    return {"method": method, "parameter": parameter, "converter": converter}


def datum_of(random: Random) -> list[Any]:
    texts = [["t", " ".join(random.choices("pqrstuvw", k=random.randrange(4)))]]
    numbers = [[key, random.choice((1.0, -1.0, 0.5))] for key in random.sample("xyzuvw", random.randrange(1, 4))]
    return [texts, numbers, []]


def cells(model: Any) -> dict[tuple[bytes, bytes], tuple[list[float], list[float]]]:
    """Read master and diff of each cell, by feature and label; [] where it is in one of both only."""
    *_, (master, (_, names, _), diff, _), _ = unpack(model.pack())[0]
    found: dict[tuple[bytes, bytes], Any] = {}
    for part, table in enumerate((master, diff)):
        for feature, row in table.items():
            for label_id, cell in row.items():
                found.setdefault((feature, names[label_id]), ([], []))[part].extend(cell[:2])
    return found


def least_covariance(model: Any) -> float:
    return min((sum(part[1] for part in parts if part) for parts in cells(model).values()), default=1.0)


class Cluster:
    """Servers that learn at any time while they are mixed in slices.

    Attributes:
        learned: for each cell, the sum of all that was added to its weight anywhere; for additive methods.
    """

    def __init__(self, config: dict[str, Any], count: int, seed: int | str, additive: bool) -> None:
        self.random = Random(seed)
        self.models: list[Any] = [Classifier(config, distributed=True) for _ in range(count)]
        self.additive = additive
        self.learned: dict[Any, float] = {}
        self.trained = dict.fromkeys((label.encode() for label in LABELS), 0)

    def learn(self, calls: int) -> None:
        for _ in range(calls):
            model, label = self.random.choice(self.models), self.random.choice(LABELS)
            before = cells(model) if self.additive else {}
            call(model, "train", [[label, datum_of(self.random)]])
            self.trained[label.encode()] += 1
            for key, (_, diff) in cells(model).items() if self.additive else ():
                old = before.get(key, ([], []))[1]
                if diff:
                    self.learned[key] = self.learned.get(key, 0.0) + diff[0] - (old[0] if old else 0.0)

    def do(self, steps: list[Any], learning: bool) -> None:
        """Do steps of several models in turn, in slices, and learn between them."""
        left = list(steps)
        while left:
            step = self.random.choice(left)
            if step(self.random.randrange(1, 4)):
                left.remove(step)
            self.learn(self.random.randrange(3) if learning else 0)

    def mix(self, learning: bool = True) -> None:
        snapshots = [model.snapshot() for model in self.models]
        self.do([snapshot.take for snapshot in snapshots], learning)
        mixed = self.models[0].mix([snapshot.pack() for snapshot in snapshots])
        patches = [model.patch(mixed) for model in self.models]
        self.do([patch.prepare for patch in patches], learning)
        for patch, snapshot in zip(patches, snapshots, strict=True):
            self.learn(self.random.randrange(2) if learning else 0)
            assert patch.apply(snapshot) is True


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("method", ADDITIVE + COVARIANT)
def test_nothing_is_lost_or_doubled(method: str, seed: int) -> None:
    count = 2 + seed % 2
    cluster = Cluster(config_of(method), count, f"{method} {seed}", method in ADDITIVE)
    for _ in range(4):
        cluster.learn(6)
        cluster.mix()
        assert all(least_covariance(model) > 0.0 for model in cluster.models) or method in ADDITIVE
    for _ in range(2):
        cluster.mix(learning=False)
    packed = [unpack(model.pack()) for model in cluster.models]
    assert [label for label in packed[0][0][0][2]] == []  # the diff is empty
    asked = [datum_of(cluster.random) for _ in range(5)]
    for model in cluster.models:
        assert exact(cells(model)) == exact(cells(cluster.models[0]))
        assert sorted(call(model, "classify", asked)[0]) == sorted(call(cluster.models[0], "classify", asked)[0])
        assert call(model, "get_labels") == {label: n for label, n in cluster.trained.items() if n}
        statistics = unpack(model.pack())[1]
        assert statistics[1] == [0, [{}], [{}], [{}], {}]
        assert statistics[2][0] == sum(cluster.trained.values())
        assert exact(statistics[2]) == exact(packed[0][1][2])
    for key, total in cluster.learned.items():
        master, _ = cells(cluster.models[0]).get(key, ([0.0], []))
        assert math.isclose(count * master[0], total, rel_tol=1e-9, abs_tol=1e-9), key


steps = st.lists(
    st.one_of(
        st.tuples(st.just("train"), st.integers(0, 10**6)),
        st.tuples(st.just("train"), st.integers(0, 10**6)),
        st.tuples(st.just("delete_label"), st.sampled_from(LABELS)),
        st.tuples(st.just("set_label"), st.sampled_from(LABELS)),
        st.tuples(st.sampled_from(["give", "give", "put", "put", "put", "clear", "load", "catch_up"]), st.none()),
    ),
    max_size=25,
)


class Pair:
    """A model and its slow twin, of a cluster of two; the other one only learns and gives."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.fast, self.slow = Classifier(config, distributed=True), models.Classifier(config, True)
        self.peer, self.slow_peer = Classifier(config, distributed=True), models.Classifier(config, True)
        self.given: Any = None

    def do(self, name: str, value: Any) -> None:
        """Do one step with both, and the same or none with the other server."""
        if name == "train":
            random = Random(value)
            label, datum = random.choice(LABELS), datum_of(random)
            here = random.random() < 0.7
            call(self.fast if here else self.peer, "train", [[label, datum]])
            (self.slow if here else self.slow_peer).train([[label.encode(), datum]])
        elif name in ("delete_label", "set_label"):
            assert call(self.fast, name, value) is getattr(self.slow, name)(value.encode())
        elif name == "give":
            self.given = (give(self.fast), give(self.peer), (self.slow.get_diff(), self.slow.given()))
            self.given += ((self.slow_peer.get_diff(), self.slow_peer.given()),)
        elif name == "put" and self.given is not None:
            (diff, mine), (other, theirs), (slow_diff, slow_mine), (slow_other, slow_theirs) = self.given
            mixed, want = self.fast.mix([diff, other]), models.Classifier.mix(slow_other, slow_diff)
            assert self.fast.put_diff(mixed, mine) is self.slow.put_diff(want, slow_mine)
            assert self.peer.put_diff(mixed, theirs) is self.slow_peer.put_diff(want, slow_theirs)
        elif name == "clear":
            assert call(self.fast, "clear") is self.slow.clear() is True
        elif name == "load":
            self.fast.unpack(self.fast.pack())
            self.slow.unpack(self.slow.pack())
        elif name == "catch_up":
            fresh, slow_fresh = Classifier(self.config, distributed=True), models.Classifier(self.config, True)
            fresh.unpack(self.peer.pack())
            slow_fresh.unpack(self.slow_peer.pack())
            mine, slow_mine = (self.given[0][1], self.given[2][1]) if self.given else (None, None)
            self.fast.catch_up(fresh, mine)
            self.slow.catch_up(slow_fresh, slow_mine)


UNLEARNERS: list[dict[str, Any]] = [
    {},
    {"unlearner": "lru", "unlearner_parameter": {"max_size": 3, "sticky_pattern": "a*"}},
    {"unlearner": "random", "unlearner_parameter": {"max_size": 2, "seed": 1}},
]


@pytest.mark.parametrize("unlearner", UNLEARNERS, ids=["all", "lru", "random"])
@pytest.mark.parametrize("method", ["PA", "AROW", "CW"])
@settings(max_examples=120)
@given(sequence=steps)
def test_any_sequence_is_mixed_as_by_the_slow_model(
    method: str, unlearner: dict[str, Any], sequence: list[Any]
) -> None:
    config = config_of(method)
    pair = Pair({**config, "parameter": {**(config["parameter"] or {}), **unlearner}})
    for name, value in sequence:
        if name == "catch_up" and unlearner:
            continue
        pair.do(name, value)
        assert stored(unpack(pair.fast.pack())) == stored(pair.slow.pack())
        assert pair.fast.status() == pair.slow.status()
        assert stored(unpack(pair.peer.pack())) == stored(pair.slow_peer.pack())
        if method != "PA":
            assert least_covariance(pair.fast) > 0.0
            assert least_covariance(pair.peer) > 0.0


def train(model: Any, label: str, *numbers: tuple[str, float]) -> None:
    call(model, "train", [[label, [[], [list(pair) for pair in numbers], []]]])


def prepared(model: Any, diff: bytes, count: int = 1) -> Any:
    patch = model.patch(diff)
    while not patch.prepare(count):
        pass
    return patch


@pytest.mark.parametrize("method", ["PA", "AROW"])
def test_preparations_are_not_seen(method: str) -> None:
    model, other = (Classifier(config_of(method), distributed=True) for _ in range(2))
    train(model, "a", ("x", 1.0), ("y", 1.0))
    for i in range(20):
        call(other, "train", [[f"l{i % 5}", [[["t", f"p{i} q"]], [["x", 1.0], [f"n{i}", 2.0]], []]]])
    before, asked = model.pack(), [[[["t", "q p1"]], [["x", float("inf")], ["y", 1.0], ["n1", float("nan")]], []]]
    scores, status, diff = exact(call(model, "classify", asked)), model.status(), model.get_diff()
    patch = model.patch(other.get_diff())
    while not patch.prepare(3):
        assert exact(call(model, "classify", asked)) == scores
    assert model.pack() == before
    assert model.status() == status
    assert model.get_diff() == diff
    assert exact(call(model, "classify", asked)) == scores
    assert call(model, "get_labels") == {b"a": 1}
    assert call(model, "set_label", "l3") is True  # it was not known


@pytest.mark.parametrize("method", ["PA", "AROW"])
def test_what_is_learned_on_prepared_cells_counts_as_elsewhere(method: str) -> None:
    random = Random(1)
    data = [[random.choice(LABELS), datum_of(random)] for _ in range(30)]
    mixed, other = (Classifier(config_of(method), distributed=True) for _ in range(2))
    call(other, "train", data)
    prepared(mixed, other.get_diff())
    want = Classifier(config_of(method), distributed=True)
    for model in (mixed, want):
        call(model, "train", data[10:])
        call(model, "delete_label", "b")
        call(model, "train", data[20:])
    assert stored(unpack(mixed.pack())) == stored(unpack(want.pack()))
    assert mixed.status() == want.status()
    assert exact(call(mixed, "classify", [d for _, d in data])) == exact(call(want, "classify", [d for _, d in data]))


def test_a_large_patch_in_slices_is_taken_in_as_in_one_go() -> None:
    """The table grows meanwhile, by the patch and by what is learned."""
    sliced, whole, other = (Classifier(config_of("AROW"), distributed=True) for _ in range(3))
    call(other, "train", [[LABELS[i % 4], [[["t", f"p{i} q{i % 50}"]], [[f"n{i}", 1.0]], []]] for i in range(700)])
    known = [[LABELS[i % 3], [[["t", f"p{i * 2}"]], [[f"n{i * 3}", -1.0]], []]] for i in range(200)]
    later = [["a", [[], [[f"m{i}", 1.0], [f"n{i}", 0.5]], []]] for i in range(100)]
    for model in (sliced, whole):
        call(model, "train", known)
    patch = sliced.patch(other.get_diff())
    left = list(later)
    while not patch.prepare(31):
        call(sliced, "train", [left.pop(0)] if left else [])
    call(sliced, "train", left)
    call(whole, "train", later)
    assert patch.apply() is whole.put_diff(other.get_diff()) is True
    assert stored(unpack(sliced.pack())) == stored(unpack(whole.pack()))
    assert exact(call(sliced, "classify", [d for _, d in known])) == exact(
        call(whole, "classify", [d for _, d in known])
    )


@pytest.mark.parametrize("change", ["delete_label", "clear", "load", "mix", "train"])
def test_a_patch_survives_what_happens_after_its_preparation(change: str) -> None:
    fast, direct, other = (Classifier(config_of("AROW"), distributed=True) for _ in range(3))
    for model in (fast, direct, other):
        for i in range(6):
            train(model, LABELS[i % 3], ("x", 1.0), (f"n{i}", 1.0))
        mix_alone(model)
    train(other, "a", ("x", 1.0), ("n7", 2.0))
    train(other, "b", ("x", 1.0), ("n8", 2.0))
    diff = other.get_diff()
    patch = prepared(fast, diff)
    for model in (fast, direct):
        if change == "train":
            train(model, "d", ("n8", 1.0), ("n9", 1.0))
        elif change == "load":
            model.unpack(model.pack())
        elif change == "mix":
            assert mix_alone(model)
        else:
            call(model, change, *(["b"] if change == "delete_label" else []))
    assert patch.apply() is direct.put_diff(diff) is (change != "mix")
    assert stored(unpack(fast.pack())) == stored(unpack(direct.pack()))
    assert fast.status() == direct.status()


def test_a_snapshot_starts_anew_where_rows_moved_and_ends_all_the_same() -> None:
    model = Classifier(config_of("PA", NUMBERS), distributed=True)
    for i in range(40):
        train(model, f"l{i}", (f"n{i}", 1.0), ("x", 1.0))
    snapshot = model.snapshot()
    for i in range(20):
        if snapshot.take(5):
            break
        call(model, "delete_label", f"l{i}")
    assert snapshot.take(5)
    train(model, "l39", ("x", 1.0))
    assert model.put_diff(snapshot.pack(), snapshot) is True
    left = {key for key, (_, diff) in cells(model).items() if diff}
    assert len(left) == 2  # what was learned last: the label and its rival
    assert (b"x@num", b"l39") in left


def test_without_a_snapshot_the_whole_diff_is_kept() -> None:
    model, other = (Classifier(config_of("AROW", NUMBERS), distributed=True) for _ in range(2))
    train(model, "a", ("x", 1.0), ("y", 1.0))
    train(other, "a", ("x", 1.0))
    train(other, "b", ("x", 1.0))
    before = cells(model)
    assert model.put_diff(other.get_diff()) is True
    after = cells(model)
    for key, (_, diff) in before.items():
        assert after[key][1][0] == diff[0]
        assert sum(part[1] for part in after[key] if part) == min(
            sum(part[1] for part in before[key]), after[key][0][1] or 1.0
        )
    assert call(model, "get_labels") == {b"a": 2, b"b": 1}


def test_a_snapshot_counts_once() -> None:
    """A second MIX of another round has the version of the first one and takes nothing more out of the diff."""
    model, other = (Classifier(config_of("PA", NUMBERS), distributed=True) for _ in range(2))
    train(model, "a", ("x", 1.0))
    diff, snapshot = give(model)
    assert model.put_diff(diff, snapshot) is True
    train(model, "b", ("x", 1.0))
    mix_alone(other)
    train(other, "c", ("y", 1.0))
    left = cells(model)
    assert model.put_diff(other.get_diff(), snapshot) is True
    after = cells(model)
    assert {key: after[key] for key in left} == left
    assert call(model, "get_labels") == {b"a": 1, b"b": 1, b"c": 1}


def test_a_reduction_of_what_was_forgotten_leaves_a_covariance() -> None:
    model, other = (Classifier(config_of("AROW", NUMBERS), distributed=True) for _ in range(2))
    for each in (model, other):
        train(each, "a", ("x", 1.0))
    mixed, snapshots = mix_of([model, other])
    assert [m.put_diff(mixed, s) for m, s in zip((model, other), snapshots, strict=True)] == [True, True]
    train(other, "b", ("x", 1.0))
    call(model, "clear")
    assert model.put_diff(other.get_diff()) is True
    assert 0.0 < least_covariance(model) < 1.0


def test_a_server_that_catches_up_keeps_what_it_learned() -> None:
    ahead, behind = (Classifier(config_of("PA", NUMBERS), distributed=True) for _ in range(2))
    train(ahead, "a", ("x", 1.0))
    mix_alone(ahead)
    train(ahead, "b", ("x", -1.0))
    train(behind, "c", ("y", 1.0))
    learned = cells(behind)
    fresh = Classifier(config_of("PA", NUMBERS), distributed=True)
    fresh.unpack(ahead.pack())
    behind.catch_up(fresh)
    found = cells(behind)
    assert found[b"y@num", b"c"] == learned[b"y@num", b"c"]
    assert found[b"x@num", b"a"] == (cells(ahead)[b"x@num", b"a"][0], [])
    assert (b"x@num", b"b") not in found
    assert call(behind, "get_labels") == {b"a": 1, b"c": 1}
    assert behind.status()["model_version"] == "1"
    assert behind.version == ahead.version == 1
    assert behind.put_diff(*give(behind)) is True


def test_the_labels_of_a_diff_that_is_kept_are_those_that_fit() -> None:
    config = {**config_of("PA", NUMBERS), "parameter": {"unlearner": "lru", "unlearner_parameter": {"max_size": 2}}}
    ahead, behind, fresh = (Classifier(config, distributed=True) for _ in range(3))
    for label in "ab":
        train(ahead, label, ("x", 1.0 if label == "a" else -1.0))
    mix_alone(ahead)
    train(behind, "c", ("y", 1.0))
    fresh.unpack(ahead.pack())
    behind.catch_up(fresh)
    assert call(behind, "get_labels") == {b"b": 1, b"c": 1}
    assert behind.status()["num_unlearner_unlearned_ids"] == "2"


def test_a_snapshot_of_another_model_is_refused() -> None:
    model, other = (Classifier(config_of("PA"), distributed=True) for _ in range(2))
    train(model, "a", ("x", 1.0))
    before, (diff, _), (_, foreign) = model.pack(), give(model), give(other)
    for since in (foreign, model.snapshot()):
        with pytest.raises(ModelError):
            model.put_diff(diff, since)
        with pytest.raises(ModelError):
            model.catch_up(other, since)
    for stranger in (
        Classifier(config_of("PA")),
        Classifier(config_of("CW"), distributed=True),
        Weight({"converter": CONVERTER}, distributed=True),
    ):
        with pytest.raises(ModelError):
            model.catch_up(stranger)
    with pytest.raises(ModelError):
        model.snapshot().pack()
    with pytest.raises(ModelError):
        Classifier(config_of("PA")).patch(diff)
    assert model.pack() == before


@pytest.mark.parametrize("size", [0, 1, 20, 1000, 4000])
def test_a_diff_can_be_packed_as_a_string(size: int) -> None:
    model = Weight({"converter": CONVERTER}, distributed=True)
    call(model, "update", [[["t", " ".join(f"w{i}" for i in range(size))]], [], []])
    snapshot = model.snapshot()
    assert snapshot.take(1 << 20)
    assert snapshot.pack(raw=True) == pack(snapshot.pack())
    assert model.mix([snapshot.pack()], raw=True) == pack(model.mix([snapshot.pack()]))


def test_mixing_sorts_as_bytes_do() -> None:
    """Names with much and with nothing in common, and such as end where others go on with zeros."""
    random = Random(3)
    stems = [b"", b"a", b"message$", b"message$w00", b"\xff\xfe", b"a" * 40]
    tails = [b"", b"\0", b"\0\0", b"\0" * 9, *(b"%05d@space#tf/bin" % random.randrange(99999) for _ in range(300))]
    names = sorted({stem + tail for stem in stems for tail in tails})
    rest: list[Any] = [{}, [[0, [{}], [{}], [{}], {}], [0]]]

    def diff(part: list[bytes]) -> bytes:
        labels = random.sample([b"", b"\0", b"b", b"ab", b"abcdefghij", b"abcdefghijk"], 3)
        return pack([[1, [[[name, [[label, [1.0, 0.5, 0.0]] for label in labels]] for name in part], [0]]], *rest])

    parts = [random.sample(names, n) for n in (900, 700, 800)]
    mixed = unpack(Classifier(config_of("AROW"), distributed=True).mix([diff(part) for part in parts]))
    rows = mixed[0][1][0]
    last, before = set(parts[-1]), {*parts[0], *parts[1]}
    assert [name for name, _ in rows] == sorted(last) + sorted(before - last)
    assert mixed[0][0] == 3
    for name, found in rows:
        labels = [label for label, _ in found]
        new = [label for label, cell in found if cell[0] != 0] if name not in last else labels[:3]
        assert new == sorted(new)
        assert len(set(labels)) == len(labels)


def test_models_without_tables_of_rows_push_nothing() -> None:
    model: Model = Classifier(config_of("PA"), distributed=True)
    assert model.pull_argument() == model.pull_rows(b"\x90") == b"\x90"
    model.push_rows(b"\x90")
    for bad in (b"", b"\x91\x01", b"\xc0", b"\x90\x90"):
        with pytest.raises(ModelError, match=r"^pull array failed$"):
            model.pull_rows(bad)
        with pytest.raises(ModelError, match=r"^push failed$"):
            model.push_rows(bad)
