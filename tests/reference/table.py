"""Rows with versions: a table that servers exchange row by row."""

from copy import deepcopy
from typing import Any

from tests.reference.near import Vector as Vector

Version = tuple[bytes, int]


class VersionedTable:
    """Rows by key in a list. A row is ``[key, (owner, clock), cells]``; a cell is a number, or the int of a bit vector.

    Args:
        columns: of each column its number of bits, or 0 for a column of numbers.
        distributed: whether rows go to other servers.
        owner: of the rows that are written here.
    """

    def __init__(self, columns: list[int], distributed: bool, owner: bytes = b"") -> None:
        self.distributed = distributed
        self.columns = columns
        self.owner = owner
        self.rows: list[list[Any]] = []
        self.clock = 0
        self.seen: dict[bytes, int] = {}

    def find(self, key: bytes) -> list[Any] | None:
        return next((row for row in self.rows if row[0] == key), None)

    def set(self, key: bytes, *cells: Any) -> None:
        row = self.find(key)
        if row is None:
            row = [key, None, None]
            self.rows.append(row)
        row[1:] = [(self.owner, self.clock), list(cells)]
        self.clock += 1

    def remove(self, key: bytes) -> bool:
        row = self.find(key)
        if row is None:
            return False
        at, last = self.rows.index(row), self.rows.pop()
        if at < len(self.rows):
            self.rows[at] = last
        self.clock += 1
        return True

    def clear(self) -> None:
        """In a cluster the clock goes on, unlike in the original, so that what comes afterwards is told to the others."""
        self.rows = []
        if not self.distributed:
            self.clock = 0

    def receive(self, key: bytes, version: Version, cells: list[Any]) -> None:
        row = self.find(key)
        if row is None:
            self.rows.append([key, version, cells])
        elif (row[1][1], row[1][0]) <= (version[1], version[0]):
            row[1:] = [version, cells]
        self.clock = max(self.clock, version[1] + 1)

    def is_new(self, version: Version) -> bool:
        owner, clock = version
        return owner not in self.seen or clock > self.seen[owner]

    # --- as it travels

    def _cell(self, bits: int, cell: Any) -> Any:
        if not bits:
            return cell
        size = 8 * -(-bits // 64)
        words = [cell >> 64 * i & (1 << 64) - 1 for i in range(size // 8)]
        return [bits, b"".join(word.to_bytes(8, "big") for word in words)]

    def _read(self, bits: int, cell: Any) -> Any:
        if not bits:
            return cell
        raw = cell[1]
        return sum(int.from_bytes(raw[8 * i : 8 * i + 8], "big") << 64 * i for i in range(len(raw) // 8))

    def _travelling(self, row: list[Any]) -> list[Any]:
        key, (owner, clock), cells = row
        return [key, [[owner], clock], [self._cell(b, c) for b, c in zip(self.columns, cells, strict=True)]]

    def get_diff(self) -> list[Any]:
        """Return the rows themselves; on the wire they are a raw string that contains them."""
        return [self._travelling(row) for row in self.rows if self.is_new(row[1])]

    @staticmethod
    def mix(new: list[Any], acc: list[Any]) -> list[Any]:
        return [*acc, *new]

    def put_diff(self, rows: list[Any]) -> None:
        """Rows that were written here while others of the same owner got later clocks are told the next time."""
        for key, ((owner,), clock), cells in rows:
            read = [self._read(b, c) for b, c in zip(self.columns, cells, strict=True)]
            self.receive(key, (owner, clock), read)
        given = [(key, (owner, clock)) for key, ((owner,), clock), _ in rows]
        mine = [
            row
            for row in self.rows
            if row[1][0] == self.owner and self.is_new(row[1]) and (row[0], row[1]) not in given
        ]
        for _, (owner, clock) in given:
            self.seen[owner] = max(self.seen.get(owner, clock), clock)
        for row in mine:
            if not self.is_new(row[1]):
                row[1] = (self.owner, self.clock)
                self.clock += 1

    def catch_up(self, fresh: "VersionedTable") -> None:
        """Become another server's table, with the own new rows on top."""
        mine = [deepcopy(row) for row in self.rows if self.is_new(row[1])]
        self.rows, self.seen = fresh.rows, dict(fresh.seen)
        for _, (owner, clock), _ in self.rows:
            self.seen[owner] = max(self.seen.get(owner, clock), clock)
        self.clock = max(self.clock, fresh.clock)
        for key, (owner, clock), cells in mine:
            if not self.is_new((owner, clock)):
                if owner != self.owner:
                    continue
                clock = self.clock
            self.receive(key, (owner, clock), cells)

    # --- model file

    def pack(self) -> list[Any]:
        columns = []
        for i, bits in enumerate(self.columns):
            cells = [row[2][i] for row in self.rows]
            if bits:
                words = -(-bits // 64)
                cells = [cell >> 64 * k & (1 << 64) - 1 for cell in cells for k in range(words)]
            columns.append([[10 if bits else 9, bits], cells])
        keys = [row[0] for row in self.rows]
        versions = [[[owner], clock] for _, (owner, clock), _ in self.rows]
        return [keys, len(keys), versions, columns, self.clock, {key: i for i, key in enumerate(keys)}]

    def unpack(self, packed: list[Any]) -> None:
        keys, _, versions, columns, self.clock, _ = packed
        self.rows = [[key, (owner, clock), []] for key, ((owner,), clock) in zip(keys, versions, strict=True)]
        self.seen = {}
        for bits, (_, cells) in zip(self.columns, columns, strict=True):
            words = -(-bits // 64) if bits else 1
            for i, row in enumerate(self.rows):
                some = cells[i * words : (i + 1) * words]
                row[2].append(sum(word << 64 * k for k, word in enumerate(some)) if bits else some[0])
