"""Models of records and their diffs in a form without the ids of the records, which are chance.

The id of a record is its label and ``_``, both only in the classifier, and eight letters or digits.
"""

import re
from typing import Any

from jubatus._core.wire import unpack
from tests.core.calls import exact

METHODS = ("NN", "nearest_neighbor", "cosine", "euclidean")
"""The methods that keep records."""


def keeps_records(config: dict[str, Any]) -> bool:
    """Return whether the method of a configuration keeps records."""
    return config["method"] in METHODS


def told(error: Any) -> Any:
    """Return the text of an error without the id of a record."""
    if isinstance(error, str):
        return re.sub(r"(maximum size of unlearner: .*)[a-zA-Z0-9]{8}$", r"\1", error, flags=re.DOTALL)
    return error


def label_of(id: bytes) -> bytes:
    """Return the label in the id of a record; nothing where ids have none."""
    return id.rpartition(b"_")[0]


def rounded(value: float) -> float:
    """Round a sum, of which the order is up to the server."""
    return float(f"{value:.12g}")


def is_table(part: Any) -> bool:
    """Return whether an unpacked part is a table of rows."""
    return isinstance(part, list) and len(part) == 6


def is_index(part: Any) -> bool:
    """Return whether an unpacked part is an inverted index."""
    return isinstance(part, list) and len(part) == 5


def stored(parts: list[Any]) -> list[Any]:
    """Name records by their places in the last table, or in the index; an unlearner's sticky ids are a set."""
    tables = [part for part in parts if is_table(part)]
    ids = tables[-1][0] if tables else []
    for part in parts:
        if is_index(part):
            ids = [*ids, *(id for _, id in sorted(part[4][1].items()) if id not in ids)]
    names = {id: b"%s_%d" % (label_of(id), i) for i, id in enumerate(ids)}

    def renamed(value: Any) -> Any:
        if isinstance(value, bytes):
            return names.get(value, value)
        if isinstance(value, dict):
            return {renamed(key): renamed(v) for key, v in value.items()}
        return [renamed(v) for v in value] if isinstance(value, list) else value

    made = []
    for part in parts:
        if is_table(part):
            keys, size, versions, *rest = renamed(part)
            made.append([keys, size, [clock for _, clock in versions], *rest])
        elif is_index(part):
            made.append([*part[:4], renamed(part[4])])
        else:
            made.append(renamed(part) if part is parts[0] else part)
    if len(made) > 2 and len(made[0]) == 2 and isinstance(made[0][0], list):
        made[0][1].sort()
    return [exact(part) for part in made]


def rows_of(part: Any) -> dict[bytes, list[Any]]:
    """Return clock and cells of the rows of a diff by their ids; on the wire rows are packed once more."""
    found: dict[bytes, list[Any]] = {}
    for key, (_, clock), cells in unpack(part) if isinstance(part, bytes) else part:
        found.setdefault(key, []).append([clock, cells])
    return found


def is_rows(part: Any) -> bool:
    """Return whether the part of a diff is rows of a table."""
    return isinstance(part, bytes) or (
        isinstance(part, list) and (not part or (isinstance(part[0], list) and len(part[0]) == 3))
    )


def diff(parts: list[Any]) -> Any:
    """Gather by record what the parts of a diff, without the statistics, say of it; the counts of labels stay."""
    records: dict[bytes, list[Any]] = {}
    others = []
    for i, part in enumerate(parts):
        if isinstance(part, dict):
            others.append(part)
        elif is_rows(part):
            for id, rows in rows_of(part).items():
                records.setdefault(id, [label_of(id)]).append([i, rows])
        else:
            (features, names), norms = part
            for feature, row in features.items():
                for c, value in row.items():
                    records.setdefault(names[1][c], [label_of(names[1][c])]).append([i, feature, value])
            for id, change in norms.items():
                records.setdefault(id, [label_of(id)]).append([i, change])
    return exact([sorted((sorted(record, key=repr) for record in records.values()), key=repr), others])
