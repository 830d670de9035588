"""How the service ``anomaly`` is tested."""

from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference.anomaly import Anomaly
from tests.services import Config, Facts
from tests.services.classifier import LRU, RANDOM, unlearners, unlearns
from tests.services.nearest_neighbor import rows_of
from tests.services.recommender import PARAMETERS, index_of
from tests.services.recommender import stored as rows_stored


def lof(method: str, k: int = 2, reverse: int = 3, converter: Any = CONVERTER, **more: Any) -> Config:
    """Return a configuration of ``lof`` over a method of the recommender."""
    rows = {"method": method, "parameter": PARAMETERS[method]}
    numbers = {"nearest_neighbor_num": k, "reverse_nearest_neighbor_num": reverse}
    return {"method": "lof", "parameter": {**numbers, **rows, **more}, "converter": converter}


def light(method: str, bits: int = 64, k: int = 2, reverse: int = 3, converter: Any = CONVERTER, **more: Any) -> Config:
    """Return a configuration of ``light_lof`` over a method of nearest_neighbor."""
    rows = {"method": method, "parameter": {"hash_num": bits}}
    numbers = {"nearest_neighbor_num": k, "reverse_nearest_neighbor_num": reverse}
    return {"method": "light_lof", "parameter": {**numbers, **rows, **more}, "converter": converter}


@st.composite
def any_config(draw: st.DrawFn) -> Config:
    """Make a configuration with any method, numbers of neighbours, unlearner and converter."""
    k = draw(st.sampled_from([2, 3, 5]))
    reverse = k + draw(st.sampled_from([0, 1, 4]))
    more: dict[str, Any] = {**draw(unlearners)}
    if draw(st.booleans()):
        more["ignore_kth_same_point"] = draw(st.booleans())
    converter = draw(st.just({"num_rules": [{"key": "*", "type": "num"}]}) | configs(("bin", "idf", "idf1", "bm25")))
    if draw(st.booleans()):
        return lof(draw(st.sampled_from(sorted(PARAMETERS))), k, reverse, converter, **more)
    method = draw(st.sampled_from(["lsh", "minhash", "euclid_lsh"]))
    return light(method, draw(st.sampled_from([1, 8, 13, 64])), k, reverse, converter, **more)


def diff_of(value: list[Any]) -> Any:
    """Bring a diff into a form without order."""
    scores, rows, statistics = value
    is_table = isinstance(rows, bytes) or (isinstance(rows, list) and (not rows or len(rows[0]) == 3))
    if is_table:
        rows = rows_of(rows)
    elif isinstance(rows, list):
        rows = exact(index_of(rows))
    else:
        rows = exact(dict(rows.items()))
    if isinstance(scores, (bytes, list)):
        return [rows_of(scores), rows_of(value[1]), exact(statistics)]
    return [exact(dict(scores.items())), rows, exact(statistics)]


def stored(value: list[Any]) -> Any:
    """Bring a model into a form without order: an unlearner's sticky ids are a set; owners of rows are addresses."""
    method, statistics = value
    tables = [part for part in method if isinstance(part, list) and len(part) == 6]
    if tables:
        first = method[: len(method) - 2]
        for each in first:
            if isinstance(each[0], list):
                each[1].sort()
        return [exact(first), *map(table_of, method[-2:]), exact(statistics)]
    first = method[: len(method) - 2]
    for each in first:
        if isinstance(each[0], list):
            each[1].sort()
    return [exact(first), exact(method[-2]), rows_stored([method[-1]]), exact(statistics)]


def table_of(packed: list[Any]) -> Any:
    """Return a packed table without the owners of the rows."""
    keys, size, versions, *rest = packed
    return exact([keys, size, [clock for _, clock in versions], *rest])


def settle(row: str, reply: Any) -> Any:
    """Ids, and the order in which rows are listed, depend on the server."""
    if row in ("add", "add_bulk"):
        return None
    return sorted(reply) if row == "get_all_rows" else reply


FACTS = Facts(
    configs=(
        lof("inverted_index_euclid"),
        lof("inverted_index", 2, 2, **LRU),
        lof("lsh", 3, 5, ignore_kth_same_point=True),
        lof("minhash", **RANDOM),
        lof("euclid_lsh", ignore_kth_same_point=True, **LRU),
        lof("nearest_neighbor_recommender"),
        light("euclid_lsh"),
        light("lsh", 7, ignore_kth_same_point=True),
        light("minhash", 13, **LRU),
        light("euclid_lsh", 33, 3, 4, **RANDOM),
    ),
    twin=Anomaly,
    any_config=any_config(),
    values={"id": ("0", "1", "2", "3", "a", "7x", " 5", "")},
    teaching=(
        ("overwrite", ("0", [[["a", "x y"]], [["k", 1.0]], []])),
        ("overwrite", ("7x", [[["b", "yz"]], [["k", -1.0]], []])),
        ("overwrite", ("a", [[["b", "x"]], [["k", 2.0]], []])),
    ),
    forgetful=frozenset({"clear_row"}),
    # Of a row that cannot be taken the datum was counted in the statistics, and an id was used up.
    item_by_item=frozenset({"add", "add_bulk", "update", "overwrite"}),
    unsaved=frozenset({"max_id", "num_ignored"}),
    settle=settle,
    certain=lambda row, reply: sorted(reply) if row == "get_all_rows" else reply,
    diff=diff_of,
    stored=stored,
    whole=lambda config: not unlearns(config),
    alike=lambda config, row: row == "get_all_rows" and not unlearns(config),
    order_free=lambda config: False,
)
