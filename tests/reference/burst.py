"""The model of the service ``burst``: it counts one document after another and finds bursts by trying all predecessors."""

import ctypes
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.reference import Refusal
from tests.reference.ieee import div, log
from tests.reference.tr1 import Map

_lgamma = ctypes.CDLL("libm.so.6").lgamma
_lgamma.argtypes, _lgamma.restype = [ctypes.c_double], ctypes.c_double

ALWAYS = sys.float_info.max
INF = math.inf
NOTHING: list[Any] = [-1.0, []]


def cost(p: float, d: int, r: int) -> float:
    """How unlikely r of d documents are."""
    choose = _lgamma(d + 1.0) - _lgamma(r + 1.0) - _lgamma(d - r + 1.0)
    return -(choose + r * log(p) + (d - r) * log(1.0 - p))


def find_bursts(
    counts: list[tuple[int, int]], weights: list[float], scaling: float, gamma: float, costcut: float
) -> list[float]:
    """Return the weight of each batch, given documents, relevant ones, and the weights of the first batches."""
    n = len(counts)
    known = [weight for weight in weights if not weight < 0]
    p0 = div(float(sum(r for _, r in counts)), float(sum(d for d, _ in counts)))
    p1 = scaling * p0
    if p1 > 1 or p0 == 0:
        return known + [INF if p1 > 1 else 0.0] * (n - len(known))

    def gain(b: int) -> float:
        better = cost(p0, *counts[b]) - cost(p1, *counts[b])
        return better if better > 0 else 0.0

    def falls(b: int) -> bool:
        return counts[b][0] == 0 or cost(p1, *counts[b]) - cost(p0, *counts[b]) > costcut * math.log(n)

    def climb(i: int, j: int) -> float:
        return gamma * math.log(n) if j > i else 0.0

    paths: list[tuple[float, list[int]]] = [(0.0, []), (INF, [])]
    if known and known[-1] > 0:
        paths = [(INF, []), (0.0, [])]
    for t in range(len(known), n):
        following = []
        for j, p in enumerate((p0, p1)):
            i = 0
            if not (t > 0 and falls(t - 1)) and paths[1][0] + climb(1, j) < paths[0][0] + climb(0, j):
                i = 1
            following.append((paths[i][0] + climb(i, j) + cost(p, *counts[t]), [*paths[i][1], j]))
        paths = following
    last = 0 if falls(n - 1) or paths[0][0] <= paths[1][0] else 1
    states = paths[last][1]
    return [gain(b) if weight > 0 else weight for b, weight in enumerate(known)] + [
        gain(len(known) + k) if state else 0.0 for k, state in enumerate(states)
    ]


@dataclass
class Window:
    """Batches as lists of documents, relevant ones, and in results the weight."""

    batches: list[list[Any]]
    start: float
    width: float

    @property
    def end(self) -> float:
        return self.start + self.width * len(self.batches)

    def find(self, position: float) -> int | None:
        if not self.start <= position < self.end:
            return None
        i = math.floor((position - self.start) / self.width)
        return i if 0 <= i < len(self.batches) else None

    def near(self, other: float) -> bool:
        return abs(self.start - other) / self.width < 0.01

    def shared(self, newer: "Window") -> list[list[Any]]:
        """The own batches that are the first ones of a newer window."""
        i = (newer.start - self.start) / self.width
        if self.width != newer.width or abs(i - round(i)) > 0.01 or round(i) < 0:
            return []
        return self.batches[round(i) :][: len(newer.batches)]

    def pack(self) -> list[Any]:
        return [[list(batch) for batch in self.batches], self.start, self.width]


@dataclass
class Keyword:
    """What is known of a keyword; the newest window comes first."""

    scaling: float
    gamma: float
    results: list[Window] = field(default_factory=list)
    oldest: float = ALWAYS
    inputs: list[Window] = field(default_factory=list)
    countdown: int = 0


class Burst:
    """Takes and gives the values of the wire as Python values; keywords are bytes."""

    def __init__(
        self, config: dict[str, Any], distributed: bool = False, holds: Callable[[bytes], bool] = lambda key: True
    ) -> None:
        parameter = config["parameter"]
        self.n = parameter["window_batch_size"]
        self.width = float(parameter["batch_interval"])
        self.rotate = parameter["result_window_rotate_size"]
        self.reuse = parameter["max_reuse_batch_num"]
        self.costcut = parameter["costcut_threshold"]
        self.costcut = float(self.costcut) if self.costcut > 0 else ALWAYS
        self.holds = holds
        self.clear()

    def clear(self) -> bool:
        self.known: Map[bytes, Keyword] = Map()
        self.processed: Map[bytes, None] = Map()
        return True

    remove_all_keywords = clear

    def add_keyword(self, keyword: list[Any]) -> bool:
        name, scaling, gamma = keyword
        if not scaling > 1:
            raise Refusal("invalid parameter (expected: scaling_param must be > 1.)")
        if not gamma > 0:
            raise Refusal("invalid parameter (expected: gamma must be > 0.)")
        if name in self.known:
            return False
        self.known[name] = Keyword(float(scaling), float(gamma))
        if self.holds(name):
            self.processed[name] = None
        return True

    def remove_keyword(self, name: bytes) -> bool:
        if name not in self.known:
            return False
        del self.known[name]
        if name in self.processed:
            del self.processed[name]
        return True

    def add_documents(self, documents: list[Any]) -> int:
        for number, (position, _) in enumerate(documents):
            if not math.isfinite(position):
                raise Refusal(f"the position of document {number} is not finite")
        counted = 0
        for position, text in documents:
            counted += all([self._count(self.known[name], float(position), name in text) for name in self.processed])
        if counted:
            for name in self.processed:
                self._flush(self.known[name])
        return counted

    def _count(self, keyword: Keyword, position: float, relevant: bool) -> bool:
        if not keyword.inputs or position >= keyword.inputs[0].end:
            base = keyword.inputs[0].start if keyword.inputs else 0.0
            start = base + self.width * (math.floor((position - base) / self.width) - self.n // 2)
            window = Window([[0, 0] for _ in range(self.n)], start, self.width)
            for i, batch in enumerate(keyword.inputs[0].shared(window) if keyword.inputs else []):
                window.batches[i] = list(batch)
            keyword.inputs = [window, *keyword.inputs][: self.rotate]
        for number, window in enumerate(keyword.inputs):
            found = window.find(position)
            if found is None:
                return number > 0
            window.batches[found][0] += 1
            window.batches[found][1] += relevant
        return True

    def _flush(self, keyword: Keyword) -> None:
        if not keyword.inputs:
            return
        before = self._find(keyword, keyword.inputs[-1].start - self.width / 2)
        for window in reversed(keyword.inputs):
            reused = []
            if before is not None and before.start <= window.start:
                reused = [weight for _, _, weight in before.shared(window)[: self.reuse]]
            counts = [(d, r) for d, r in window.batches]
            weights = find_bursts(counts, reused, keyword.scaling, keyword.gamma, self.costcut)
            before = Window([[d, r, w] for (d, r), w in zip(counts, weights, strict=True)], window.start, self.width)
            self._put(keyword, before)
        newest = keyword.inputs[0]
        while keyword.inputs[-1] is not newest and not (
            keyword.inputs[-1].end > newest.start and not newest.near(keyword.inputs[-1].end)
        ):
            keyword.inputs.pop()

    @staticmethod
    def _find(keyword: Keyword, position: float) -> Window | None:
        return next((window for window in keyword.results if window.start <= position < window.end), None)

    def _put(self, keyword: Keyword, window: Window, foreign: bool = False) -> None:
        for i, known in enumerate(keyword.results):
            if window.near(known.start):
                keyword.oldest = min(keyword.oldest, window.start)
                same = len(known.batches) == len(window.batches) and known.width == window.width
                if not foreign or (same and total(window) > total(known)):
                    keyword.results[i] = window
                return
            if known.start < window.start:
                keyword.results.insert(i, window)
                break
        else:
            if keyword.results:
                return
            keyword.results = [window]
        keyword.oldest = min(keyword.oldest, window.start)
        del keyword.results[self.rotate :]

    def get_result(self, name: bytes) -> list[Any]:
        results = self.known[name].results if name in self.known else []
        return shown(results[0]) if results else NOTHING

    def get_result_at(self, name: bytes, position: float) -> list[Any]:
        found = self._find(self.known[name], position) if name in self.known else None
        return NOTHING if found is None else shown(found)

    def get_all_bursted_results(self) -> dict[bytes, Any]:
        newest = {name: self.known[name].results[0] for name in self.processed if self.known[name].results}
        return {name: shown(newest[name]) for name in sorted(newest) if newest[name].batches[-1][2] > 0}

    def get_all_bursted_results_at(self, position: float) -> dict[bytes, Any]:
        found = {}
        for name in sorted(self.processed):
            window = self._find(self.known[name], position)
            at = window.find(position) if window else None
            if window and at is not None and window.batches[at][2] > 0:
                found[name] = shown(window)
        return found

    def get_all_keywords(self) -> list[Any]:
        return [[name, keyword.scaling, keyword.gamma] for name, keyword in self.known.items()]

    def reassign(self, at_once: bool = False) -> None:
        for name, keyword in self.known.items():
            if self.holds(name):
                keyword.countdown = 0
                if name not in self.processed:
                    self.processed[name] = None
                    self._resume(keyword)
            elif name in self.processed and at_once:
                self._drop(name)
            elif name in self.processed and not keyword.countdown:
                keyword.countdown = 5

    def _resume(self, keyword: Keyword) -> None:
        for window in keyword.results:
            newest = keyword.inputs[0] if keyword.inputs else window
            meets = window.end > newest.start and not newest.near(window.end)
            if meets and (window.width, len(window.batches)) == (self.width, self.n):
                keyword.inputs.append(Window([batch[:2] for batch in window.batches], window.start, window.width))

    def _drop(self, name: bytes) -> None:
        del self.processed[name]
        self.known[name].inputs, self.known[name].countdown = [], 0

    def status(self) -> dict[str, str]:
        return {
            "all_keywords": b",".join(self.known).decode("utf-8", "surrogateescape"),
            "processed_keywords": b",".join(self.processed).decode("utf-8", "surrogateescape"),
        }

    def pack(self) -> list[Any]:
        known, processed = {}, {}
        for name, keyword in self.known.items():
            results = [window.pack() for window in keyword.results]
            known[name] = [[keyword.scaling, keyword.gamma], [results, self.rotate, keyword.oldest]]
        for name in self.processed:
            inputs = [window.pack() for window in self.known[name].inputs]
            processed[name] = [inputs, self.n, self.width, self.rotate]
        return [[self.n, self.width, self.rotate, self.reuse, self.costcut], known, processed]

    def unpack(self, packed: list[Any]) -> None:
        (self.n, self.width, self.rotate, self.reuse, self.costcut), known, processed = packed
        self.clear()
        for name, ((scaling, gamma), (results, _, oldest)) in known.items():
            self.known[name] = Keyword(scaling, gamma, [Window(*window) for window in results], oldest)
        for name, (inputs, *_) in processed.items():
            self.processed[name] = None
            self.known[name].inputs = [Window(*window) for window in inputs]
        self.reassign(True)

    def get_diff(self) -> list[Any]:
        diff: Map[bytes, Any] = Map()
        for name in self.processed:
            keyword = self.known[name]
            fresh = []
            for window in keyword.results:
                if window.start < keyword.oldest and not window.near(keyword.oldest):
                    break
                fresh.append(window.pack())
            diff[name] = [[keyword.scaling, keyword.gamma], fresh]
        return [[diff.to_dict()]]

    def given(self) -> None:
        """Remember nothing: putting a diff takes nothing from the results."""

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        mixed = dict(acc[0][0])
        for name, (parameters, results) in new[0][0].items():
            mixed[name] = [mixed[name][0], mixed[name][1] + results] if name in mixed else [parameters, results]
        return [[mixed]]

    def put_diff(self, diff: list[Any], since: None = None) -> bool:
        for name, ((scaling, gamma), results) in diff[0][0].items():
            if name not in self.known:
                self.known[name] = Keyword(scaling, gamma)
                if self.holds(name):
                    self.processed[name] = None
            for window in results:
                self._put(self.known[name], Window([list(batch) for batch in window[0]], *window[1:]), True)
        for name, keyword in self.known.items():
            keyword.oldest = ALWAYS
            if keyword.countdown:
                keyword.countdown -= 1
                if not keyword.countdown:
                    self._drop(name)
        return True


def total(window: Window) -> int:
    return sum(batch[0] for batch in window.batches)


def shown(window: Window) -> list[Any]:
    return [window.start, window.batches]
