"""Regression by worked examples; what holds for all models is tested elsewhere."""

import math
from typing import Any

import pytest

from jubatus._core.services.regression import Regression
from jubatus._core.wire import unpack
from jubatus.errors import ConfigError, ModelError, UnsupportedMethod
from tests.core.calls import call, give
from tests.services.regression import config_of, parameter_of

NUMBERS = {"num_rules": [{"key": "*", "type": "num"}]}
FIRST = [5.0, [[], [["x", 1.0], ["y", 2.0]], []]]
SECOND = [-1.0, [[], [["x", 1.0], ["y", -1.0]], []]]


def model_of(method: str, distributed: bool = False, **parameter: float) -> Regression:
    parameter = parameter or parameter_of(method, 0.1, 0.1)
    return Regression({"method": method, "parameter": parameter, "converter": NUMBERS}, distributed=distributed)


def weights_of(model: Regression) -> list[float]:
    """Return the weights of x and y, as the estimates of data that have just one of both."""
    found: list[float] = call(model, "estimate", [[[], [[key, 1.0]], []] for key in "xy"])
    return found


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize(
    ("method", "first", "second"),
    [
        ("perceptron", (0.5000000074505806, 1.0000000149011612), (0.4500000074505806, 1.0500000149011612)),
        ("PA", (1.0, 2.0), (1.0, 2.0)),
        ("PA2", (1.0, 2.0), (1.0, 2.0)),
        ("PA1", (0.10000000149011612, 0.20000000298023224), (0.0, 0.30000000447034836)),
        ("CW", (1.0488088485168823, 2.0976176970337645), (1.0488088485168823, 2.0976176970337645)),
        ("AROW", (0.3266666698124674, 0.6533333396249348), (0.28080000295037316, 0.689371434911968)),
        ("NHERD", (0.32666666981246734, 0.6533333396249347), (0.286076699277233, 0.6787020710109938)),
    ],
)
def test_two_steps(method: str, first: tuple[float, ...], second: tuple[float, ...], distributed: bool) -> None:
    model = model_of(method, distributed)
    assert call(model, "train", [FIRST]) == 1
    assert weights_of(model) == list(first)
    assert call(model, "train", [SECOND]) == 1
    assert weights_of(model) == pytest.approx(list(second), rel=1e-15)


def test_equal_targets_whose_variance_is_rounded_below_zero_teach_nothing() -> None:
    model = model_of("PA", sensitivity=0.0)
    datum = [[], [["x", 1.0]], []]
    call(model, "train", [[0.1, datum]] * 2)
    call(model, "train", [[0.1, [[], [["y", 1.0]], []]]])
    assert weights_of(model) == [0.1, 0.0]


def test_clear_and_load_forget_the_deviation_of_the_targets() -> None:
    after = [[1e6, [[], [["y", 1.0]], []]], [3.0, [[], [["x", 1.0]], []]]]
    fresh = model_of("PA", sensitivity=1.0)
    call(fresh, "train", after)
    cleared, loaded = model_of("PA", sensitivity=1.0), model_of("PA", sensitivity=1.0)
    empty = loaded.pack()
    for model in (cleared, loaded):
        call(model, "train", [[-1e9, [[], [["x", 1.0]], []]]])
    call(cleared, "clear")
    loaded.unpack(empty)
    for model in (cleared, loaded):
        call(model, "train", after)
        assert model.pack() == fresh.pack()


def test_a_feature_that_comes_twice_is_learned_twice() -> None:
    model = model_of("AROW")
    call(model, "train", [[1.0, [[], [["x", 1.0], ["x", 2.0]], []]]])
    (storage,), _ = unpack(model.pack())
    assert list(storage[0]) == [b"x@num"]


@pytest.mark.parametrize("target", [math.nan, math.inf, -math.inf])
def test_a_target_that_is_not_finite_is_refused(target: float) -> None:
    model = model_of("AROW", True)
    before = model.pack()
    with pytest.raises(ModelError, match=r"^the target must be a finite number$"):
        call(model, "train", [[target, FIRST[1]]])
    assert model.pack() == before
    assert unpack(give(model)[0])[0][1][0] == []


@pytest.mark.parametrize(
    ("method", "parameter", "texts"),
    [
        ("perceptron", {"learning_rate": 0}, ["invalid parameter (expected: 0.0 < learning_rate) (.parameter)"]),
        ("PA", {"sensitivity": -1}, ["invalid parameter (expected: 0.0 <= sensitivity) (.parameter)"]),
        (
            "AROW",
            {"sensitivity": -1, "regularization_weight": 0},
            [
                "invalid parameter (expected: 0.0 < regularization_weight) (.parameter)",
                "invalid parameter (expected: 0.0 <= sensitivity) (.parameter)",
            ],
        ),
        ("PA", {"sensitivity": 1, "unlearner": "lru"}, ['"unlearner" is not used (.parameter)']),
        ("PA", None, ["Object is expected, but Null is given. (.parameter)"]),
    ],
)
def test_a_configuration_that_cannot_be_used(method: str, parameter: Any, texts: list[str]) -> None:
    config = {"method": method, "parameter": parameter, "converter": NUMBERS}
    with pytest.raises(ConfigError) as caught:
        Regression(config)
    assert sorted(caught.value.messages) == sorted(texts)


def test_arow_has_no_other_name() -> None:
    with pytest.raises(UnsupportedMethod, match=r"^unsupported method \(arow\)$"):
        Regression({"method": "arow", "converter": NUMBERS})


def test_the_status_tells_the_sizes() -> None:
    model = model_of("PA")
    call(model, "train", [FIRST])
    assert model.status() == {"storage": "local_storage", "num_features": "2", "num_classes": "1"}
    assert set(Regression(config_of("PA"), distributed=True).status()) == {
        "storage",
        "num_features",
        "num_classes",
        "num_features_diff",
        "model_version",
    }
