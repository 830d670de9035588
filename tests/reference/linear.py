"""The linear classifiers: perceptron, PA, PA1, PA2 (Crammer et al. 2006), CW (Dredze et al. 2008), AROW (Crammer et
al. 2009) and NHERD (Crammer and Lee 2010), with the original's places of single precision and its evaluation order.

In every method x is a feature's value, y the true label, r its strongest competitor, m the margin, V the variance of
the margin and C the regularization weight.
"""

from typing import Any

from tests.reference import Refusal
from tests.reference.ieee import div, f32, sqrt
from tests.reference.storage import Given, Labels, MixtureStorage, Storage, mix_weights
from tests.reference.unlearn import unlearner
from tests.reference.weights import Vector

ALIASES = {
    "passive_aggressive": "PA",
    "passive_aggressive_1": "PA1",
    "passive_aggressive_2": "PA2",
    "confidence_weighted": "CW",
    "arow": "AROW",
    "normal_herd": "NHERD",
}


class Refused(Refusal):
    """A label that the unlearner cannot take."""

    def __init__(self, label: bytes) -> None:
        super().__init__(
            "cannot add new label as number of sticky labels reached the maximum size of unlearner: "
            + label.decode("utf-8", "surrogateescape")
        )


class Linear:
    """A linear classifier of one method.

    Args:
        method: a name or alias.
        parameter: the config member of that name.
        distributed: whether the weights are kept for mixing.
    """

    def __init__(self, method: str, parameter: dict[str, Any] | None, distributed: bool = False) -> None:
        self.learn = getattr(self, "_learn_" + ALIASES.get(method, method).lower())
        self.c = f32((parameter or {}).get("regularization_weight", 1.0))
        covariant = self.learn in (self._learn_cw, self._learn_arow, self._learn_nherd)
        self.storage: Storage = MixtureStorage(covariant) if distributed else Storage()
        self.labels = Labels()
        self.unlearner = unlearner(parameter, self._forget)

    def _forget(self, label: bytes) -> None:
        self.storage.delete_label(label)
        self.labels.delete_label(label)

    # --- what clients ask

    def check(self, label: bytes) -> None:
        if self.unlearner is not None and not self.unlearner.can_touch(label):
            raise Refused(label)

    def train(self, vector: Vector, label: bytes) -> None:
        """Learn one sorted and merged vector."""
        self.check(label)
        self.labels.increment(label)
        if self.learn(vector, label) and self.unlearner is not None:
            self.unlearner.touch(label)

    def classify(self, vector: Vector) -> list[list[Any]]:
        return [[label, score] for label, score in self.storage.scores(vector).items()]

    def set_label(self, label: bytes) -> bool:
        self.check(label)
        new = [self.storage.set_label(label), self.labels.set_label(label)]
        return all(new) and (self.unlearner is None or self.unlearner.touch(label))

    def delete_label(self, label: bytes) -> bool:
        known = [self.storage.delete_label(label), self.labels.delete_label(label)]
        return all(known) and (self.unlearner is None or self.unlearner.remove(label))

    def clear(self) -> None:
        self.storage.clear()
        self.labels.clear()
        if self.unlearner is not None:
            self.unlearner.clear()

    # --- the learners; each tells whether it changed weights (then the label counts as used)

    def _rivals(self, vector: Vector, y: bytes) -> tuple[bytes, float]:
        """Find the strongest competitor of a label, "" when there is none, and the margin."""
        scores = self.storage.scores(vector)
        r, best = b"", None
        for position, (label, score) in enumerate(scores.items()):
            if label != y and (position == 0 or score > (-1.7976931348623157e308 if best is None else best)):
                r, best = label, score
        s_y = scores.get(y, 0.0)
        s_r = scores.get(r, 0.0) if r else 0.0
        return r, s_y - s_r

    def _add(self, vector: Vector, tau: float, y: bytes, r: bytes) -> bool:
        self.storage.set_label(y)
        if r:
            self.storage.set_label(r)
        for feature, x in vector:
            d = x * tau
            self.storage.add(feature, y, d)
            if r:
                self.storage.add(feature, r, -d)
        return True

    def _variance(self, vector: Vector, y: bytes, r: bytes) -> float:
        total = 0.0
        for feature, x in vector:
            c_y = self.storage.cell(feature, y)[1]
            c_r = self.storage.cell(feature, r)[1] if r else 1.0
            total += (c_y + c_r) * x * x
        return total

    def _learn_perceptron(self, vector: Vector, y: bytes) -> bool:
        predicted, best = b"", 0.0
        for position, (label, score) in enumerate(self.storage.scores(vector).items()):
            if position == 0 or score > best:
                predicted, best = label, score
        return predicted != y and self._add(vector, 1.0, y, predicted)

    def _learn_pa(self, vector: Vector, y: bytes) -> bool:
        r, m = self._rivals(vector, y)
        loss = 1.0 - m
        if loss < 0.0:
            return False
        n = _square(vector)
        if n == 0.0:
            self.storage.set_label(y)
            return False
        return self._add(vector, div(loss, 2.0 * n), y, r)

    def _learn_pa1(self, vector: Vector, y: bytes) -> bool:
        r, m = self._rivals(vector, y)
        loss, n = 1.0 - m, _square(vector)
        if loss < 0.0 or n == 0.0:
            self.storage.set_label(y)
            return False
        tau = div(loss, 2.0 * n)
        return self._add(vector, tau if tau < self.c else self.c, y, r)

    def _learn_pa2(self, vector: Vector, y: bytes) -> bool:
        r, m = self._rivals(vector, y)
        loss, n = 1.0 - m, _square(vector)
        if loss < 0.0 or n == 0.0:
            self.storage.set_label(y)
            return False
        return self._add(vector, div(loss, 2.0 * n + f32(div(1.0, f32(2.0 * self.c)))), y, r)

    def _learn_cw(self, vector: Vector, y: bytes) -> bool:
        r, m = self._rivals(vector, y)
        v = self._variance(vector, y, r)
        c = self.c
        b = 1.0 + f32(2.0 * c) * m
        gamma = -b + sqrt(b * b - f32(8.0 * c) * (m - c * v))
        if gamma <= 0.0:
            self.storage.set_label(y)
            return False
        gamma = div(gamma, f32(4.0 * c) * v)

        def step(w: float, cov: float, x: float, sign: float) -> tuple[float, float]:
            return w + sign * (gamma * cov * x), div(1.0, div(1.0, cov) + 2.0 * gamma * x * x * c)

        return self._update(vector, y, r, step)

    def _learn_arow(self, vector: Vector, y: bytes) -> bool:
        r, m = self._rivals(vector, y)
        v = self._variance(vector, y, r)
        if m >= 1.0:
            self.storage.set_label(y)
            return False
        beta = div(1.0, v + div(1.0, self.c))
        alpha = (1.0 - m) * beta

        def step(w: float, cov: float, x: float, sign: float) -> tuple[float, float]:
            return w + sign * (alpha * cov * x), cov - beta * cov * cov * x * x

        return self._update(vector, y, r, step)

    def _learn_nherd(self, vector: Vector, y: bytes) -> bool:
        r, m = self._rivals(vector, y)
        v = self._variance(vector, y, r)
        if m >= 1.0:
            self.storage.set_label(y)
            return False
        c = self.c
        k = f32(2.0 * c) + f32(c * c) * v
        spread = v + div(1.0, c)

        def step(w: float, cov: float, x: float, sign: float) -> tuple[float, float]:
            return w + sign * div((1.0 - m) * (x * cov), spread), div(1.0, div(1.0, cov) + k * x * x)

        return self._update(vector, y, r, step)

    def _update(self, vector: Vector, y: bytes, r: bytes, step: Any) -> bool:
        """Set the cells of both labels; with an empty vector no label is registered."""
        for feature, x in vector:
            new_y = step(*self.storage.cell(feature, y), x, 1.0)
            new_r = step(*self.storage.cell(feature, r), x, -1.0)
            self.storage.set(feature, y, *new_y)
            if r:
                self.storage.set(feature, r, *new_r)
        return True

    # --- mix and model file

    def get_diff(self) -> list[Any]:
        return [self.storage.get_diff(), self.labels.get_diff()]

    def given(self) -> list[Given]:
        return [self.storage.given(), self.labels.given()]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        return [mix_weights(new[0], acc[0]), Labels.mix(new[1], acc[1])]

    def put_diff(self, diff: list[Any], since: list[Given | None]) -> bool:
        weights, counts = diff
        if self.unlearner is not None and weights[1][1] == [self.storage.version]:
            weights = self._remembered(weights)
        done = self.storage.put_diff(weights, since[0])
        self.labels.put_diff(counts, since[1])
        return done

    def catch_up(self, fresh: "Linear", since: list[Given | None]) -> None:
        assert isinstance(self.storage, MixtureStorage) and isinstance(fresh.storage, MixtureStorage)
        self.storage.catch_up(fresh.storage, since[0])
        self.labels.catch_up(fresh.labels, since[1])

    def _remembered(self, weights: list[Any]) -> list[Any]:
        """Touch every label of a mixed diff, then leave out the cells of labels that were unlearned again."""
        n, (rows, version) = weights
        for _, cells in rows:
            for label, _ in cells:
                self.unlearner.touch(label)
        kept = [[f, [cell for cell in cells if cell[0] in self.unlearner]] for f, cells in rows]
        return [n, [[row for row in kept if row[1]], version]]

    def pack(self) -> list[Any]:
        parts = [self.storage.pack(), self.labels.pack()]
        return parts if self.unlearner is None else [self.unlearner.pack(), *parts]

    def unpack(self, packed: list[Any]) -> None:
        *first, storage, labels = packed
        self.storage.unpack(storage)
        self.labels.unpack(labels)
        if self.unlearner is not None:
            self.unlearner.unpack(first[0])

    def status(self) -> dict[str, str]:
        return self.storage.status() | ({} if self.unlearner is None else self.unlearner.status())


def _square(vector: Vector) -> float:
    total = 0.0
    for _, x in vector:
        total += x * x
    return total
