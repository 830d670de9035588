"""How regression is tested."""

from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference.regression import Regression
from tests.services import Config, Facts

PERCEPTRON = {"learning_rate": 0.1}
REGULARIZED = {"sensitivity": 0.1, "regularization_weight": 0.5}
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
    method = draw(st.sampled_from(METHODS))
    parameter = parameter_of(
        method, draw(st.sampled_from([0, 0.1, 2.5])), draw(st.sampled_from([0.1, 0.5, 3.402823e38]))
    )
    converter = draw(st.just({"num_rules": [{"key": "*", "type": "num"}]}) | configs(("bin", "idf", "idf1", "bm25")))
    return {"method": method, "parameter": parameter, "converter": converter}


def nobody(diff: list[Any]) -> list[Any]:
    """Weights are divided by the number of servers, which stands at the head of their diff."""
    return [[0, *diff[0][1:]], *diff[1:]]


def diff_of(value: list[Any]) -> Any:
    """Bring a diff into a form without order: cells by feature."""
    (count, (rows, version)), statistics = value
    return exact([count, {f: {label: cell for label, cell in cells} for f, cells in rows}, version, statistics])


FACTS = Facts(
    configs=tuple(config_of(method) for method in ("AROW", "perceptron", "PA", "PA1", "PA2", "CW", "NHERD")),
    twin=Regression,
    any_config=any_config(),
    teaching=(("train", ([[2.0, [[["a", "x y"]], [["k", 1.0]], []]], [-1.5, [[["b", "yz"]], [["k", -1.0]], []]]],)),),
    item_by_item=frozenset({"train"}),
    diff=diff_of,
    nobody=nobody,
    # The deviation of the targets so far is in no model file and no diff; it decides how the PA methods go on.
    whole=lambda config: not config["method"].startswith("PA"),
)
