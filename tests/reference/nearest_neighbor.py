"""The methods of nearest_neighbor, and the model of the service."""

import math
from typing import Any

from tests.reference import near
from tests.reference.converter import Converter, Datum, Vector
from tests.reference.ieee import sqrt
from tests.reference.storage import Given
from tests.reference.table import VersionedTable
from tests.reference.weights import Weights


class Neighbours:
    """Rows known by hashes, and the search for the nearest of them: by a look at all."""

    def __init__(self, method: str, parameter: dict[str, Any], distributed: bool) -> None:
        self.method = method
        self.bits = parameter["hash_num"]
        self.threads = parameter.get("threads") or 0
        self.table = VersionedTable([self.bits, 0] if method == "euclid_lsh" else [self.bits], distributed)

    def hash(self, vector: Vector) -> list[Any]:
        if self.method == "minhash":
            return [near.minhash(vector, self.bits)]
        bits = near.signs(near.project(vector, self.bits, self.threads))
        return [bits, near.norm(vector)] if self.method == "euclid_lsh" else [bits]

    def set_row(self, id: bytes, vector: Vector) -> None:
        self.table.set(id, *self.hash(vector))

    def distance(self, query: list[Any], cells: list[Any]) -> float:
        differ = (query[0] ^ cells[0]).bit_count()
        if self.method != "euclid_lsh":
            return differ / self.bits
        a, b = query[1], cells[1]
        if differ == 0:
            return abs(a - b)
        return sqrt(a * a + b * b - 2 * a * b * math.cos(differ * math.pi / self.bits))

    def neighbours(self, query: list[Any], size: int) -> list[tuple[bytes, float]]:
        ranked = [(self.distance(query, row[2]), i) for i, row in enumerate(self.table.rows)]
        ranked.sort(key=lambda item: (math.isnan(item[0]), item[0] if item[0] == item[0] else 0.0, item[1]))
        return [(self.table.rows[i][0], distance) for distance, i in ranked[:size]]

    def of_row(self, id: bytes, size: int) -> list[tuple[bytes, float]]:
        row = self.table.find(id)
        return [] if row is None else self.neighbours(row[2], size)

    def of_vector(self, vector: Vector, size: int) -> list[tuple[bytes, float]]:
        return self.neighbours(self.hash(vector), size)

    def similar(self, found: list[tuple[bytes, float]]) -> list[tuple[bytes, float]]:
        return [(id, -d if self.method == "euclid_lsh" else 1 - d) for id, d in found]


class NearestNeighbor:
    """Takes and gives the values of the wire as Python values; ids are bytes, a datum is in its wire form."""

    def __init__(self, config: dict[str, Any], distributed: bool = False) -> None:
        self.converter = Converter(config["converter"])
        self.near = Neighbours(config["method"], config["parameter"], distributed)
        self.updates = 0

    def set_row(self, id: bytes, datum: list[Any]) -> bool:
        self.near.set_row(id, self.converter.convert_to_learn(Datum.of(datum)))
        self.updates += 1
        return True

    def neighbor_row_from_id(self, id: bytes, size: int) -> list[tuple[bytes, float]]:
        return self.near.of_row(id, size)

    def neighbor_row_from_datum(self, datum: list[Any], size: int) -> list[tuple[bytes, float]]:
        return self.near.of_vector(self.converter.convert(Datum.of(datum)), size)

    def similar_row_from_id(self, id: bytes, size: int) -> list[tuple[bytes, float]]:
        return self.near.similar(self.neighbor_row_from_id(id, size))

    def similar_row_from_datum(self, datum: list[Any], size: int) -> list[tuple[bytes, float]]:
        return self.near.similar(self.neighbor_row_from_datum(datum, size))

    def get_all_rows(self) -> list[bytes]:
        return [row[0] for row in self.near.table.rows]

    def clear(self) -> bool:
        self.near.table.clear()
        self.converter.weights.clear()
        self.updates = 0
        return True

    def status(self) -> dict[str, str]:
        return {"data": str(len(self.near.table.rows)), "update_row_cnt": str(self.updates)}

    def pack(self) -> list[Any]:
        return [self.near.table.pack(), self.converter.weights.pack()]

    def unpack(self, packed: list[Any]) -> None:
        self.near.table.unpack(packed[0])
        self.converter.weights.unpack(packed[1])

    def get_diff(self) -> list[Any]:
        return [self.near.table.get_diff(), self.converter.weights.get_diff()]

    def given(self) -> list[Given | None]:
        """Remember the diff as it is; rows tell by their versions what others have."""
        return [None, self.converter.weights.given()]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        """A diff of an older version is left out as a whole."""
        if version(new) != version(acc):
            return max(new, acc, key=version)
        return [VersionedTable.mix(new[0], acc[0]), Weights.mix(new[1], acc[1])]

    def put_diff(self, diff: list[Any], since: list[Given | None] | None = None) -> bool:
        """A diff of which a part is of another version changes nothing."""
        if version(diff) != version(self.get_diff()):
            return False
        self.near.table.put_diff(diff[0])
        self.converter.weights.put_diff(diff[1], since[1] if since else None)
        return True

    def catch_up(self, fresh: "NearestNeighbor", since: list[Given | None] | None = None) -> None:
        self.near.table.catch_up(fresh.near.table)
        self.converter.weights.catch_up(fresh.converter.weights, since[1] if since else None)


def version(diff: list[Any]) -> int:
    """The version of the statistics."""
    found: int = diff[-1][1][0]
    return found
