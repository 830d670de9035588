"""How the service ``recommender`` is tested."""

import math
from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference.recommender import Recommender
from tests.services import Config, Facts
from tests.services.classifier import LRU, RANDOM, unlearners, unlearns
from tests.services.nearest_neighbor import rows_of, table_of

PARAMETERS: dict[str, dict[str, Any]] = {
    "inverted_index": {},
    "inverted_index_euclid": {},
    "lsh": {"hash_num": 64},
    "minhash": {"hash_num": 13},
    "euclid_lsh": {"hash_num": 5, "table_num": 3, "bin_width": 1.5, "probe_num": 4, "seed": 7},
    "nearest_neighbor_recommender": {"method": "euclid_lsh", "parameter": {"hash_num": 33}},
}
"""Each method with a parameter."""


def config_of(method: str, /, converter: Any = CONVERTER, **parameter: Any) -> Config:
    """Return a configuration of a method."""
    return {"method": method, "parameter": PARAMETERS[method] | parameter, "converter": converter}


@st.composite
def any_config(draw: st.DrawFn) -> Config:
    """Make a configuration with any method, unlearner and converter."""
    method = draw(st.sampled_from(sorted(PARAMETERS)))
    parameter = {**PARAMETERS[method], **draw(unlearners)}
    bits = st.sampled_from([1, 7, 8, 13, 64, 70])
    if method == "inverted_index_euclid":
        parameter["ignore_orthogonal"] = draw(st.booleans())
    elif method in ("lsh", "minhash"):
        parameter["hash_num"] = draw(bits)
    elif method == "euclid_lsh":
        parameter |= {
            "hash_num": draw(st.sampled_from([1, 2, 5, 8])),
            "table_num": draw(st.sampled_from([1, 2, 3])),
            "bin_width": draw(st.sampled_from([0.5, 2, 100.0])),
            "probe_num": draw(st.sampled_from([0, 1, 5, 100])),
        }
    elif method == "nearest_neighbor_recommender":
        parameter |= {
            "method": draw(st.sampled_from(["lsh", "minhash", "euclid_lsh"])),
            "parameter": {"hash_num": draw(bits)},
        }
    if method in ("lsh", "euclid_lsh") and draw(st.booleans()):
        parameter |= {"threads": draw(st.sampled_from([0, 1, 2, 3])), "cache_size": draw(st.sampled_from([0, 5]))}
    converter = draw(st.just({"num_rules": [{"key": "*", "type": "num"}]}) | configs(("bin", "idf", "idf1", "bm25")))
    return {"method": method, "parameter": parameter, "converter": converter}


def index_of(value: list[Any]) -> Any:
    """Bring the diff of an inverted index into a form without numbers of columns."""
    (features, names), norms = value
    return [{f: {names[1][c]: v for c, v in row.items()} for f, row in features.items()}, dict(norms.items())]


def diff_of(value: list[Any]) -> Any:
    """Bring a diff into a form without order: that of an index, a map of hashes, or rows of a table."""
    rows = value[0]
    if isinstance(rows, bytes) or (isinstance(rows, list) and (not rows or len(rows[0]) == 3)):
        return [rows_of(rows), *map(exact, value[1:])]
    return exact([index_of(rows) if isinstance(rows, list) else dict(rows.items()), *value[1:]])


def settle(row: str, reply: Any) -> Any:
    """Which of rows that are equally similar comes first depends on their order, and that on the server."""
    if row == "get_all_rows":
        return sorted(reply)
    return [score for _, score in reply] if row.startswith("similar") else reply


def is_alike(config: Config, row: str) -> bool:
    """A row that was given to one server is known to the others by what it is compared by, and not as it was."""
    return not unlearns(config) and "_from_id" not in row and not row.startswith(("decode", "complete"))


def stored(value: list[Any]) -> Any:
    """Bring a model into a form without order: an unlearner's sticky ids are a set; owners of rows are addresses."""
    model = exact(value)
    rows = model[0]
    if len(rows) == 3 and isinstance(rows[0][0], list):
        rows[0][1].sort()
    if len(rows[-1]) == 6:
        rows[-1] = table_of(rows[-1])
    return model


FACTS = Facts(
    configs=(
        config_of("inverted_index"),
        config_of("inverted_index_euclid", **LRU),
        config_of("inverted_index", **RANDOM),
        config_of("lsh"),
        config_of("lsh", hash_num=7, **LRU),
        config_of("minhash", **RANDOM),
        config_of("euclid_lsh"),
        config_of("euclid_lsh", **LRU),
        config_of("nearest_neighbor_recommender"),
        config_of("nearest_neighbor_recommender", method="lsh", parameter={"hash_num": 16}, **LRU),
    ),
    twin=Recommender,
    any_config=any_config(),
    values={
        "size": (0, 1, 2, 3, 10, 2**32 - 1),
        "score": (0.0, -1.0, 0.5, 1.0, -2.5, math.nan),
        "rate": (1.0, 0.5, 0.3, 0.07, 1, 0.0, -0.5, 1.5, math.nan),
    },
    teaching=(
        ("update_row", ("a", [[["a", "x y"]], [["k", 1.0]], []])),
        ("update_row", ("b", [[["b", "yz"]], [["k", -1.0]], []])),
    ),
    forgetful=frozenset({"clear_row"}),
    item_by_item=frozenset({"update_row"}),  # a row that the unlearner cannot take was counted in the statistics
    settle=settle,
    diff=diff_of,
    stored=stored,
    whole=lambda config: not unlearns(config),
    alike=is_alike,
    order_free=lambda config: False,
)
