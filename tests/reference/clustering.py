"""The model of the service ``clustering``."""

import math
from dataclasses import replace
from typing import Any

from tests.reference import Refusal
from tests.reference.clusters import Dbscan, Gmm, KMeans, Point, compress, cosine, euclidean
from tests.reference.converter import Converter, Datum, sort_and_merge
from tests.reference.random_numbers import MersenneTwister
from tests.reference.revert import revert

METHODS: dict[str, Any] = {"kmeans": KMeans, "gmm": Gmm, "dbscan": Dbscan}


class Clustering:
    """Takes and gives the values of the wire as Python values; ids are bytes, a datum is in its wire form."""

    def __init__(self, config: dict[str, Any], distributed: bool = False, name: bytes = b"") -> None:
        self.converter = Converter(config["converter"])
        distance = cosine if config.get("distance") == "cosine" else euclidean
        self.method = METHODS[config["method"]](config["parameter"], distance)
        self.by_score = config["method"] == "gmm"
        self.setup = config["compressor_parameter"]
        self.is_compressive = config["compressor_method"] == "compressive"
        self.random = MersenneTwister(self.setup.get("seed", 0) & 0xFFFFFFFF)
        self.name, self.pushed = name, 0
        self._empty()

    def _empty(self) -> None:
        self.buckets: list[list[Point]] = [[]]
        self.others: list[tuple[bytes, list[Point]]] = []
        self.revision = self.status_ = 0

    # --- rows

    def push(self, points: list[Any]) -> bool:
        vectors = []
        weights = self.converter.weights.pack()
        try:
            for _, datum in points:
                vectors.append(sort_and_merge(self.converter.convert_to_learn(Datum.of(datum))))
        except Refusal:
            self.converter.weights.unpack(weights)
            raise
        for (id, datum), vector in zip(points, vectors, strict=True):
            given = Datum.of(datum)
            whole = [[list(pair) for pair in part] for part in (given.strings, given.numbers, given.binaries)]
            self._add(Point(id, 1.0, [list(pair) for pair in vector], whole))
        return True

    def get_revision(self) -> int:
        return self.revision

    def get_core_members(self) -> list[Any]:
        return [[[point.weight, point.datum] for point in group] for group in self._groups()]

    def get_core_members_light(self) -> list[Any]:
        return [[[point.weight, point.id] for point in group] for group in self._groups()]

    def get_k_center(self) -> list[Any]:
        self._check("get_k_center")
        return [self._center(i) for i in range(self.method.k)]

    def get_nearest_center(self, point: list[Any]) -> Any:
        return self._center(self._nearest(point, "get_nearest_center"))

    def get_nearest_members(self, point: list[Any]) -> list[Any]:
        index = self._nearest(point, "get_nearest_center_index")
        return [[point.weight, point.datum] for point in self._groups()[index]]

    def get_nearest_members_light(self, point: list[Any]) -> list[Any]:
        index = self._nearest(point, "get_nearest_center_index")
        return [[point.weight, point.id] for point in self._groups()[index]]

    def clear(self) -> bool:
        self._empty()
        self.converter.weights.clear()
        self.method.forget()
        return True

    def status(self) -> dict[str, str]:
        return {}

    # --- the clusters

    def _check(self, row: str) -> None:
        if isinstance(self.method, Dbscan):
            raise Refusal(f"unsupported method ({row})")
        if not self.method.is_done:
            raise Refusal("clustering is not performed yet")

    def _groups(self) -> list[list[Point]]:
        if not self.method.is_done:
            raise Refusal("clustering is not performed yet")
        if isinstance(self.method, Dbscan):
            return self.method.groups
        groups: list[list[Point]] = [[] for _ in range(self.method.k)]
        for point in self._points():
            groups[self.method.nearest(point.vector)].append(point)
        return groups

    def _nearest(self, datum: list[Any], row: str) -> int:
        vector = sort_and_merge(self.converter.convert(Datum.of(datum)))
        self._check(row)
        index: int = self.method.nearest(dict(vector))
        return index

    def _center(self, i: int) -> Any:
        return [[list(pair) for pair in part] for part in revert(self.method.center(i))]

    def _points(self) -> list[Point]:
        own = [point for bucket in self.buckets for point in bucket]
        return own + [point for _, points in self.others for point in points]

    def _seek(self) -> None:
        points = self._points()
        if points:
            self.method.run(points)
        else:
            self.method.forget()

    # --- the points

    def _add(self, point: Point) -> None:
        if not self.is_compressive:
            self.pushed += 1
            if self.pushed % self.setup["bucket_size"] == 0:
                self.revision += 1
                self._seek()
            self.buckets[0].append(point)
            return
        self.buckets[0].append(point)
        if len(self.buckets[0]) >= self.setup["bucket_size"]:
            self.buckets[0] = self._compress(self.buckets[0], self.setup["compressed_bucket_size"])
            self.status_ += 1
            self._carry(0)
            self.revision += 1
            self._seek()

    def _compress(self, points: list[Point], size: int) -> list[Point]:
        return compress(points, self.setup["bicriteria_base_size"], size, self.by_score, self.random)

    def _carry(self, r: int) -> None:
        setup, buckets = self.setup, self.buckets
        if len(buckets) == r + 1:
            buckets.append([])
        shrink, length = math.exp(-setup["forgetting_factor"]), setup["bucket_length"]
        moved = [replace(point, weight=point.weight * shrink) for point in buckets[r]]
        is_full = (self.status_ - 1) // length**r % length == length - 1
        if not is_full:
            is_all = len(moved) == sum(map(len, buckets))
            if math.exp(-setup["forgetting_factor"] * (r + 1)) < setup["forgetting_threshold"] and not is_all:
                buckets[r + 1] = []
        buckets[r + 1] = buckets[r + 1] + moved
        buckets[r] = []
        if is_full:
            size = setup["compressed_bucket_size"] * (2 * r * r if r else 1)
            buckets[r + 1] = self._compress(buckets[r + 1], size)
            self._carry(r + 1)

    # --- files and MIX

    def pack(self) -> list[Any]:
        own: list[Any] = [[point.pack() for point in bucket] for bucket in self.buckets]
        others = [[name, [point.pack() for point in points]] for name, points in self.others]
        rest = [own, self.status_] if self.is_compressive else own
        return [[[self.revision, others], *rest], self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        ((self.revision, others), *rest), weights = packed
        self.others = [(name, [Point(*point) for point in points]) for name, points in others]
        if self.is_compressive:
            own, self.status_ = rest
        else:
            own = rest
        self.buckets = [[Point(*point) for point in bucket] for bucket in own]
        self.converter.weights.unpack(weights)
        self.method.forget()
        self._seek()

    def get_diff(self) -> list[Any]:
        own = [point.pack() for bucket in self.buckets for point in bucket]
        return [[[self.name, own]], self.converter.weights.get_diff()]

    def given(self) -> Any:
        """Remember the diff of the statistics; that of the points is all of them."""
        return self.converter.weights.given()

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        if new[1][1][0] != acc[1][1][0]:
            return max(new, acc, key=lambda diff: diff[1][1][0])
        lists: dict[bytes, list[Any]] = {}
        for name, points in acc[0] + new[0]:
            lists.setdefault(name, []).extend(points)
        mixed = [[name, lists[name]] for name in sorted(lists)]
        return [mixed, Converter({}).weights.mix(new[1], acc[1])]

    def put_diff(self, diff: list[Any], since: Any = None) -> bool:
        if not self.converter.weights.put_diff(diff[1], since):
            return False
        self.others = [(name, [Point(*point) for point in points]) for name, points in diff[0] if name != self.name]
        self.revision += 1
        self._seek()
        return True

    def catch_up(self, fresh: "Clustering", since: Any = None) -> None:
        named = {name for name, _ in fresh.others}
        self.others = [other for other in fresh.others if other[0] != self.name] + [
            other for other in self.others if other[0] not in named
        ]
        self.revision = fresh.revision
        self.converter.weights.catch_up(fresh.converter.weights, since)
        self._seek()
