"""The model of the service ``regression`` with its linear methods: the papers are those of tests/reference/linear.py.

In every method x is a feature's value, e the error of the estimate, V the variance of the estimate, C the regularization
weight and s the sensitivity. Features are neither sorted nor merged.
"""

import math
from typing import Any

from tests.reference import Refusal
from tests.reference.converter import Converter, Datum
from tests.reference.ieee import div, f32, sqrt
from tests.reference.linear import ALIASES
from tests.reference.storage import Given, MixtureStorage, Storage, mix_weights
from tests.reference.weights import Vector, Weights

LABEL = b"+"


class Regression:
    """Takes and gives the values of the wire as Python values; a datum is in its wire form."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        parameter = config["parameter"]
        method = ALIASES.get(config["method"], config["method"])
        self.learn = getattr(self, "_learn_" + ("pa" if method == "PA2" else method.lower()))
        self.uses_deviation = method.startswith("PA")
        self.rate = f32(parameter.get("learning_rate", 0.0))
        self.s = f32(parameter.get("sensitivity", 0.0))
        self.c = f32(parameter.get("regularization_weight", 0.0))
        self.converter = Converter(config["converter"])
        self.storage: Storage = MixtureStorage(method in ("CW", "AROW", "NHERD")) if distributed else Storage()
        self.targets: list[float] = []

    def train(self, examples: list[Any]) -> int:
        for target, datum in examples:
            target = float(target)
            if not math.isfinite(target):
                raise Refusal("the target must be a finite number")
            vector = self.converter.convert_to_learn(Datum.of(datum))
            deviation = self._deviation(target) if self.uses_deviation else 1.0
            e = target - self._estimate(vector)
            sign = 1.0 if e > 0.0 else -1.0
            self.learn(vector, e, sign, sign * e - self.s * deviation)
        return len(examples)

    def estimate(self, data: list[Any]) -> list[float]:
        return [self._estimate(self.converter.convert(Datum.of(datum))) for datum in data]

    def clear(self) -> bool:
        self.storage.clear()
        self.converter.weights.clear()
        self.targets = []
        return True

    def _estimate(self, vector: Vector) -> float:
        return self.storage.scores(vector).get(LABEL, 0.0)

    def _deviation(self, target: float) -> float:
        """Return the standard deviation of all targets so far, from their sum and the sum of their squares."""
        self.targets.append(target)
        total = squares = 0.0
        for y in self.targets:
            total += y
            squares += y * y
        mean = div(total, len(self.targets))
        return sqrt(div(squares, len(self.targets)) - mean * mean)

    def _learn_perceptron(self, vector: Vector, e: float, sign: float, loss: float) -> None:
        self._add(vector, e * self.rate)

    def _learn_pa(self, vector: Vector, e: float, sign: float, loss: float) -> None:
        if loss > 0.0:
            self._add(vector, div(sign * loss, _square(vector)))

    def _learn_pa1(self, vector: Vector, e: float, sign: float, loss: float) -> None:
        if loss > 0.0:
            step = div(loss, _square(vector))
            self._add(vector, sign * (step if step < self.c else self.c))

    def _learn_cw(self, vector: Vector, e: float, sign: float, loss: float) -> None:
        if not loss > 0.0:
            return
        c, v = self.c, self._variance(vector)
        b = 1.0 - f32(2.0 * c) * abs(e)
        gamma = div(-b + sqrt(b * b + f32(8.0 * c) * (abs(e) + c * v)), f32(4.0 * c) * v)

        def step(w: float, cov: float, x: float) -> tuple[float, float]:
            return w + sign * gamma * cov * x, div(1.0, div(1.0, cov) + 2.0 * gamma * x * x * c)

        self._update(vector, step)

    def _learn_arow(self, vector: Vector, e: float, sign: float, loss: float) -> None:
        if not loss > 0.0:
            return
        beta = div(1.0, self._variance(vector) + div(1.0, self.c))
        alpha = sign * loss * beta

        def step(w: float, cov: float, x: float) -> tuple[float, float]:
            return w + alpha * cov * x, cov - beta * cov * cov * x * x

        self._update(vector, step)

    def _learn_nherd(self, vector: Vector, e: float, sign: float, loss: float) -> None:
        if not loss > 0.0:
            return
        c, v = self.c, self._variance(vector)
        spread = v + div(1.0, c)
        k = f32(2.0 * c) + f32(c * c) * v

        def step(w: float, cov: float, x: float) -> tuple[float, float]:
            return w + div(sign * loss * (x * cov), spread), div(1.0, div(1.0, cov) + k * x * x)

        self._update(vector, step)

    def _add(self, vector: Vector, step: float) -> None:
        if math.isinf(step):
            return
        self.storage.set_label(LABEL)
        for feature, x in vector:
            self.storage.add(feature, LABEL, x * step)

    def _variance(self, vector: Vector) -> float:
        total = 0.0
        for feature, x in vector:
            total += self.storage.cell(feature, LABEL)[1] * x * x
        return total

    def _update(self, vector: Vector, step: Any) -> None:
        for feature, x in vector:
            self.storage.set(feature, LABEL, *step(*self.storage.cell(feature, LABEL), x))

    # --- mix and model file

    def status(self) -> dict[str, str]:
        return self.storage.status()

    def pack(self) -> list[Any]:
        return [[self.storage.pack()], self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        self.storage.unpack(packed[0][0])
        self.converter.weights.unpack(packed[1])
        self.targets = []

    def get_diff(self) -> list[Any]:
        return [self.storage.get_diff(), self.converter.weights.get_diff()]

    def given(self) -> list[Given | None]:
        """Remember the diff as it is."""
        return [self.storage.given(), self.converter.weights.given()]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        """A diff of an older version is left out as a whole."""
        if versions(new) != versions(acc):
            return max(new, acc, key=versions)
        return [mix_weights(new[0], acc[0]), Weights.mix(new[1], acc[1])]

    def put_diff(self, diff: list[Any], since: list[Given | None] | None = None) -> bool:
        """A diff of which a part is of another version changes nothing."""
        if versions(diff) != versions(self.get_diff()):
            return False
        weights, statistics = since or [None] * 2
        self.storage.put_diff(diff[0], weights)
        self.converter.weights.put_diff(diff[1], statistics)
        return True

    def catch_up(self, fresh: "Regression", since: list[Given | None] | None = None) -> None:
        assert isinstance(self.storage, MixtureStorage) and isinstance(fresh.storage, MixtureStorage)
        weights, statistics = since or [None] * 2
        self.storage.catch_up(fresh.storage, weights)
        self.converter.weights.catch_up(fresh.converter.weights, statistics)
        self.targets = []


def versions(diff: list[Any]) -> list[int]:
    """The versions of weights and statistics."""
    weights, statistics = diff
    return [weights[1][1][0], statistics[1][0]]


def _square(vector: Vector) -> float:
    total = 0.0
    for _, x in vector:
        total += x * x
    return total
