"""Tests of jubatus._core.convert.statistics through the model of the service ``weight``, against the slow counters."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jubatus._core.services.weight import Weight

from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from tests.core.calls import call, exact, mix_alone, mix_of, mix_of_slow, mix_slow_alone, stored
from tests.core.strategies import configs, data
from tests.reference import models
from tests.reference.text import ConversionError

steps = st.lists(st.tuples(st.sampled_from(["update", "update", "update", "calc_weight", "clear", "load", "mix"]), data()), max_size=12)


def settled(features: Any) -> Any:
    """Make features comparable; a key that any NaN may have got into, in no particular order, only by name."""
    if features is None or not any(math.isnan(value) for _, value in features):
        return exact(features)
    return [key for key, _ in features]


def state(model: Any) -> Any:
    return stored(unpack(model.pack()))


@given(configs(), steps)
def test_any_sequence_answers_as_the_slow_model(config: dict[str, Any], sequence: list[tuple[str, Any]]) -> None:
    fast, slow = Weight({"converter": config}, distributed=True), models.Weight({"converter": config})
    for method, datum in sequence:
        before = fast.pack()
        if method == "load":
            packed = fast.pack()
            fast = Weight({"converter": config}, distributed=True)
            fast.unpack(packed)
            slow.unpack(unpack(packed))
        elif method == "mix":
            assert exact(unpack(fast.get_diff())) == exact(slow.get_diff())
            assert mix_alone(fast) is mix_slow_alone(slow) is True
        elif method == "clear":
            assert call(fast, "clear") is slow.clear() is True
        else:
            try:
                want = getattr(slow, method)(datum)
            except ConversionError:
                want = None
            try:
                got = call(fast, method, datum)
            except ModelError:
                got = None
                assert fast.pack() == before
            assert settled(got) == settled(want)
            if method == "calc_weight":
                assert fast.pack() == before
        assert state(fast) == stored(slow.pack())
        assert fast.status() == slow.status()


@settings(max_examples=60)
@given(configs(("idf", "idf1", "bm25")), st.lists(st.lists(data(), max_size=5), min_size=2, max_size=4), data())
def test_mixed_counters_are_those_of_the_slow_model(config: dict[str, Any], nodes: list[list[Any]], query: Any) -> None:
    config = {"converter": {**config, "string_filter_rules": []}}
    fast = [Weight(config, distributed=True) for _ in nodes]
    slow = [models.Weight(config) for _ in nodes]
    for f, s, documents in zip(fast, slow, nodes, strict=True):
        for datum in documents:
            try:
                s.update(datum)
            except ConversionError:
                continue
            call(f, "update", datum)
    mixed, snapshots = mix_of(fast)
    want = mix_of_slow(slow)
    assert exact(unpack(mixed)) == exact(want)
    for f, s, snapshot in zip(fast, slow, snapshots, strict=True):
        assert f.put_diff(mixed, snapshot) is s.put_diff(want, s.given()) is True
        assert state(f) == stored(s.pack())
        try:
            wanted = s.calc_weight(query)
        except ConversionError:
            continue
        assert settled(call(f, "calc_weight", query)) == settled(wanted)


def test_a_diff_of_another_version_is_refused_and_loses_against_a_newer_one() -> None:
    config = {"converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "idf1"}]}}
    old, new = Weight(config, distributed=True), Weight(config, distributed=True)
    assert mix_alone(new)
    for model, text in ((old, "a b"), (new, "b c")):
        call(model, "update", [[["k", text]]])
    before = state(old)
    assert old.put_diff(new.get_diff()) is False
    assert state(old) == before
    for mixed in (old.mix([old.get_diff(), new.get_diff()]), old.mix([new.get_diff(), old.get_diff()])):
        assert unpack(mixed) == unpack(new.get_diff())


def test_user_weights_of_a_model_file_are_used_and_added() -> None:
    config = {"converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "weight"}]}}
    fast, slow = Weight(config), models.Weight(config)
    empty: list[Any] = [{}]
    packed = [[[3], [1, empty, empty, empty, {"k$a@space": 2.5, "k$b@space": -1.0}], [2, empty, empty, empty, {"k$a@space": 0.5}]]]
    fast.unpack(pack(packed))
    slow.unpack(unpack(pack(packed)))
    want = [[b"k$a@space#tf/weight", 6.0], [b"k$b@space#tf/weight", -1.0]]
    assert call(fast, "calc_weight", [[["k", "a a b c"]]]) == exact(slow.calc_weight([[["k", "a a b c"]]])) == want
    assert state(fast) == stored(slow.pack())
