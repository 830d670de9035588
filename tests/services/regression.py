"""How regression is tested."""

from typing import Any

from hypothesis import strategies as st

from tests.core import records
from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference.records import regression
from tests.services import Config, Facts
from tests.services.classifier import HASHED, RANDOM, is_linear, neighbours, unlearners, unlearns

PERCEPTRON = {"learning_rate": 0.1}
REGULARIZED = {"sensitivity": 0.1, "regularization_weight": 0.5}
NEAR = {"nearest_neighbor_num": 100}
FEW = {"unlearner": "lru", "unlearner_parameter": {"max_size": 3}}
METHODS = ("perceptron", "PA", "PA1", "PA2", "CW", "AROW", "NHERD")


def parameter_of(method: str, sensitivity: float = 0.1, c: float = 0.5) -> dict[str, float]:
    """Return the parameter of a method."""
    if method == "perceptron":
        return {"learning_rate": c}
    return {"sensitivity": sensitivity} | ({} if method == "PA" else {"regularization_weight": c})


def config_of(method: str, converter: Any = CONVERTER) -> Config:
    """Return a configuration of a method."""
    return {"method": method, "parameter": parameter_of(method), "converter": converter}


@st.composite
def any_config(draw: st.DrawFn) -> Config:
    """Make a configuration with any method and converter."""
    method = draw(st.sampled_from(METHODS + records.METHODS))
    parameter = parameter_of(
        method, draw(st.sampled_from([0, 0.1, 2.5])), draw(st.sampled_from([0.1, 0.5, 3.402823e38]))
    )
    converter = draw(st.just({"num_rules": [{"key": "*", "type": "num"}]}) | configs(("bin", "idf", "idf1", "bm25")))
    if method in records.METHODS:
        parameter = draw(neighbours(method, draw(unlearners), ["*"]))
        parameter |= draw(st.sampled_from([{}, {"weight": "uniform"}, {"weight": "distance"}]))
    return {"method": method, "parameter": parameter, "converter": converter}


def nobody(diff: list[Any]) -> list[Any]:
    """Weights are divided by the number of servers, which stands at the head of their diff."""
    return [[0, *diff[0][1:]], *diff[1:]] if is_linear(diff) else diff


def diff_of(value: list[Any]) -> Any:
    """Bring a diff into a form without order: cells by feature, or what belongs to a record together."""
    if not is_linear(value):
        return [records.diff(value[:-1]), exact(value[-1])]
    (count, (rows, version)), statistics = value
    return exact([count, {f: {label: cell for label, cell in cells} for f, cells in rows}, version, statistics])


def stored(value: list[Any]) -> Any:
    """Bring a model of records into a form without their ids."""
    return [records.stored(value[0]), exact(value[1])] if records.is_table(value[0][-1]) else exact(value)


def settle(row: str, reply: Any) -> Any:
    """The order in which records are added up depends on the server."""
    return [records.rounded(number) for number in reply] if row == "estimate" else reply


FACTS = Facts(
    configs=(
        *(config_of(method) for method in ("AROW", "perceptron", "PA", "PA1", "PA2", "CW", "NHERD")),
        {"method": "NN", "parameter": HASHED | NEAR, "converter": CONVERTER},
        {"method": "nearest_neighbor", "parameter": HASHED | NEAR | FEW, "converter": CONVERTER},
        {"method": "NN", "parameter": HASHED | NEAR | RANDOM | {"weight": "distance"}, "converter": CONVERTER},
        {"method": "cosine", "parameter": NEAR, "converter": CONVERTER},
        {"method": "euclidean", "parameter": NEAR | {"weight": "distance"}, "converter": CONVERTER},
    ),
    twin=regression,
    any_config=any_config(),
    teaching=(("train", ([[2.0, [[["a", "x y"]], [["k", 1.0]], []]], [-1.5, [[["b", "yz"]], [["k", -1.0]], []]]],)),),
    item_by_item=frozenset({"train"}),
    settle=settle,
    told=records.told,
    diff=diff_of,
    stored=stored,
    nobody=nobody,
    # The deviation of the targets so far is in no model file and no diff; it decides how the PA methods go on.
    whole=lambda config: not (config["method"].startswith("PA") or unlearns(config)),
    alike=lambda config, row: not unlearns(config),
    order_free=lambda config: config["method"] not in ("cosine", "euclidean"),  # nor in 1.1: columns are numbered anew
    repeatable=lambda config: not records.keeps_records(config),
)
