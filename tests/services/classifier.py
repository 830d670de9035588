"""How the classifier is tested."""

from typing import Any

from hypothesis import strategies as st

from tests.core.calls import diff_of, stored
from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference import models
from tests.services import Config, Facts

LRU = {"unlearner": "lru", "unlearner_parameter": {"max_size": 3, "sticky_pattern": "a*"}}
RANDOM = {"unlearner": "random", "unlearner_parameter": {"max_size": 3, "seed": 1}}
HALF = {"regularization_weight": 0.5}
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
def any_config(draw: st.DrawFn) -> Config:
    """Make a configuration with any method, unlearner and converter."""
    method = draw(st.sampled_from(METHODS))
    parameter = dict(draw(unlearners))
    if method not in ("perceptron", "PA"):
        parameter["regularization_weight"] = draw(st.sampled_from([0.3, 0.5, 1.0]))
    converter = draw(st.just({"num_rules": [{"key": "*", "type": "num"}]}) | configs(("bin", "idf", "idf1", "bm25")))
    return {"method": method, "parameter": parameter, "converter": converter}


def unlearns(config: Config) -> bool:
    """Each server decides by itself whom it forgets, by an order or by numbers that no model file holds."""
    return "unlearner" in (config.get("parameter") or {})


def settle(row: str, reply: Any) -> Any:
    """Labels come in an order that depends on the server, and one without any weight may be known to some only."""
    if row == "classify":
        return [sorted(pair for pair in result if pair[1] != 0.0) for result in reply]
    return reply


def nobody(diff: list[Any]) -> list[Any]:
    """Weights are divided by the number of servers, which stands at the head of their diff."""
    return [[0, *diff[0][1:]], *diff[1:]]


FACTS = Facts(
    configs=(
        {"method": "AROW", "parameter": HALF, "converter": CONVERTER},
        {"method": "perceptron", "converter": CONVERTER},
        {"method": "PA", "parameter": LRU, "converter": CONVERTER},
        {"method": "PA1", "parameter": HALF, "converter": CONVERTER},
        {"method": "PA2", "parameter": HALF, "converter": CONVERTER},
        {"method": "CW", "parameter": {**HALF, **RANDOM}, "converter": CONVERTER},
        {"method": "NHERD", "parameter": HALF, "converter": CONVERTER},
    ),
    twin=models.Classifier,
    any_config=any_config(),
    recorded_order=True,
    teaching=(("train", ([["a", [[["a", "x y"]], [["k", 1.0]], []]], ["b", [[["b", "yz"]], [["k", -1.0]], []]]],)),),
    forgetful=frozenset({"delete_label"}),
    item_by_item=frozenset({"train"}),
    settle=settle,
    diff=diff_of,
    stored=stored,
    nobody=nobody,
    whole=lambda config: not unlearns(config),
    alike=lambda config, row: not unlearns(config),
)
