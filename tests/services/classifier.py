"""How the classifier is tested."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.core import calls, records
from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference.records import classifier
from tests.services import Config, Facts

LRU = {"unlearner": "lru", "unlearner_parameter": {"max_size": 3, "sticky_pattern": "a*"}}
RANDOM = {"unlearner": "random", "unlearner_parameter": {"max_size": 3, "seed": 1}}
HALF = {"regularization_weight": 0.5}
HASHED = {"method": "euclid_lsh", "parameter": {"hash_num": 33}}
NEAR = {"nearest_neighbor_num": 100, "local_sensitivity": 0.5}
METHODS = ("perceptron", "PA", "PA1", "PA2", "CW", "AROW", "NHERD")

unlearners = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"unlearner": st.just("lru"), "unlearner_parameter": st.fixed_dictionaries(
            {"max_size": st.integers(1, 4)}, optional={"sticky_pattern": st.sampled_from(["a*", "*", "a", "/b|c/"])}
        )}
    ),
    st.fixed_dictionaries(
        {"unlearner": st.just("random"), "unlearner_parameter": st.fixed_dictionaries(
            {"max_size": st.integers(1, 4), "seed": st.sampled_from([0, 9193, 2**32 - 1])}
        )}
    ),
)  # fmt: skip


@st.composite
def neighbours(draw: st.DrawFn, method: str, unlearner: dict[str, Any], certain: Sequence[str]) -> dict[str, Any]:
    """Make what the parameters of classifier and regression have in common for a method that keeps records.

    Args:
        draw: of hypothesis.
        method: which one.
        unlearner: its members, which are left out where its pattern is not certain.
        certain: patterns of which the letters of chance in an id do not decide whether they match.
    """
    parameter = {"nearest_neighbor_num": draw(st.sampled_from([1, 2, 3, 10]))}
    if method in ("cosine", "euclidean"):
        return parameter
    bits = draw(st.sampled_from([1, 7, 8, 13, 64, 70]))
    kind = draw(st.sampled_from(["lsh", "minhash", "euclid_lsh"]))
    sticky = (unlearner.get("unlearner_parameter") or {}).get("sticky_pattern", "*")
    return parameter | {"method": kind, "parameter": {"hash_num": bits}} | (unlearner if sticky in certain else {})


@st.composite
def any_config(draw: st.DrawFn) -> Config:
    """Make a configuration with any method, unlearner and converter."""
    method = draw(st.sampled_from(METHODS + records.METHODS))
    parameter = dict(draw(unlearners))
    if method in records.METHODS:
        parameter = draw(neighbours(method, parameter, ["a*", "*", "a"]))
        parameter["local_sensitivity"] = draw(st.sampled_from([0, 0.1, 1, 3.5]))
    elif method not in ("perceptron", "PA"):
        parameter["regularization_weight"] = draw(st.sampled_from([0.3, 0.5, 1.0]))
    converter = draw(st.just({"num_rules": [{"key": "*", "type": "num"}]}) | configs(("bin", "idf", "idf1", "bm25")))
    return {"method": method, "parameter": parameter, "converter": converter}


def unlearns(config: Config) -> bool:
    """Each server decides by itself whom it forgets, by an order or by numbers that no model file holds."""
    return "unlearner" in (config.get("parameter") or {})


def settle(row: str, reply: Any) -> Any:
    """Labels come in an order that depends on the server, and one without any weight may be known to some only.

    The order in which records are added up depends on the server too.
    """
    if row == "classify":
        return [sorted([label, records.rounded(score)] for label, score in result if score != 0.0) for result in reply]
    return reply


def is_alike(config: Config, row: str) -> bool:
    """With a table of records, labels without any are known to those servers only that were told them."""
    return not unlearns(config) and (row != "get_labels" or config["method"] not in ("NN", "nearest_neighbor"))


def nobody(diff: list[Any]) -> list[Any]:
    """Weights are divided by the number of servers, which stands at the head of their diff."""
    return [[0, *diff[0][1:]], *diff[1:]] if is_linear(diff) else diff


def is_linear(diff: list[Any]) -> bool:
    """Return whether a diff is of a linear method: it begins with the number of servers."""
    return isinstance(diff[0], list) and bool(diff[0]) and isinstance(diff[0][0], int)


def diff_of(value: list[Any]) -> Any:
    """Bring a diff into a form without order, and without ids of records."""
    return calls.diff_of(value) if is_linear(value) else [records.diff(value[:-1]), exact(value[-1])]


def stored(value: list[Any]) -> Any:
    """Bring a model into a form without order, and without ids of records."""
    if records.is_table(value[0][-2]) or records.is_index(value[0][-2]):
        return [records.stored(value[0]), exact(value[1])]
    return calls.stored(value)


FACTS = Facts(
    configs=(
        {"method": "AROW", "parameter": HALF, "converter": CONVERTER},
        {"method": "perceptron", "converter": CONVERTER},
        {"method": "PA", "parameter": LRU, "converter": CONVERTER},
        {"method": "PA1", "parameter": HALF, "converter": CONVERTER},
        {"method": "PA2", "parameter": HALF, "converter": CONVERTER},
        {"method": "CW", "parameter": {**HALF, **RANDOM}, "converter": CONVERTER},
        {"method": "NHERD", "parameter": HALF, "converter": CONVERTER},
        {"method": "NN", "parameter": {**HASHED, **NEAR}, "converter": CONVERTER},
        {"method": "NN", "parameter": {**HASHED, **NEAR, **LRU}, "converter": CONVERTER},
        {"method": "nearest_neighbor", "parameter": {**HASHED, **NEAR, **RANDOM}, "converter": CONVERTER},
        {"method": "cosine", "parameter": NEAR, "converter": CONVERTER},
        {"method": "euclidean", "parameter": NEAR, "converter": CONVERTER},
    ),
    twin=classifier,
    any_config=any_config(),
    recorded_order=True,
    teaching=(("train", ([["a", [[["a", "x y"]], [["k", 1.0]], []]], ["b", [[["b", "yz"]], [["k", -1.0]], []]]],)),),
    forgetful=frozenset({"delete_label"}),
    item_by_item=frozenset({"train"}),
    settle=settle,
    told=records.told,
    diff=diff_of,
    stored=stored,
    nobody=nobody,
    whole=lambda config: not unlearns(config),
    alike=is_alike,
    order_free=lambda config: config["method"] not in ("cosine", "euclidean"),  # nor in 1.1: columns are numbered anew
    repeatable=lambda config: not records.keeps_records(config),
)
