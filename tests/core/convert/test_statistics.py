"""Tests of jubatus._core.convert.statistics through the model of the service ``weight``, against the slow counters."""

from typing import Any

from jubatus._core.services.weight import Weight
from jubatus._core.wire import pack, unpack
from tests.core.calls import call, exact, mix_alone, stored
from tests.reference import models


def state(model: Any) -> Any:
    return stored(unpack(model.pack()))


def test_a_diff_of_another_version_is_refused_and_loses_against_a_newer_one() -> None:
    config = {
        "converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "idf1"}]}
    }
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
    config = {
        "converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "weight"}]}
    }
    fast, slow = Weight(config), models.Weight(config)
    empty: list[Any] = [{}]
    packed = [
        [
            [3],
            [1, empty, empty, empty, {"k$a@space": 2.5, "k$b@space": -1.0}],
            [2, empty, empty, empty, {"k$a@space": 0.5}],
        ]
    ]
    fast.unpack(pack(packed))
    slow.unpack(unpack(pack(packed)))
    want = [[b"k$a@space#tf/weight", 6.0], [b"k$b@space#tf/weight", -1.0]]
    assert call(fast, "calc_weight", [[["k", "a a b c"]]]) == exact(slow.calc_weight([[["k", "a a b c"]]])) == want
    assert state(fast) == stored(slow.pack())
