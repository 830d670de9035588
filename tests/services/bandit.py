"""How the service ``bandit`` is tested."""

import math
from typing import Any

from hypothesis import strategies as st

from tests.reference.bandit import Bandit
from tests.services import Config, Facts

CHANCE: tuple[Config, ...] = (
    {"method": "epsilon_greedy", "parameter": {"assume_unrewarded": False, "epsilon": 0.3, "seed": 10}},
    {"method": "epsilon_decreasing", "parameter": {"assume_unrewarded": True, "decreasing_rate": 0.9, "seed": 11}},
    {"method": "softmax", "parameter": {"assume_unrewarded": False, "tau": 0.05, "seed": 0}},
    {"method": "exp3", "parameter": {"assume_unrewarded": True, "gamma": 0.1, "seed": 2**32 - 1}},
    {"method": "ts", "parameter": {"assume_unrewarded": False, "seed": 5}},
)
"""One configuration of each method that draws random numbers."""

SETTINGS: dict[str, dict[str, Any]] = {
    "epsilon_greedy": {"epsilon": st.sampled_from([0, 0.5, 1.0])},
    "epsilon_decreasing": {"decreasing_rate": st.sampled_from([0.01, 0.5, 0.99])},
    "softmax": {"tau": st.sampled_from([1e-300, 0.05, 1, 1e300])},
    "exp3": {"gamma": st.sampled_from([1e-300, 0.1, 1])},
    "ts": {},
}


def seen(row: str, reply: Any) -> Any:
    """Leave out arms of which nothing is known: each server registers its arms by itself."""
    return {arm: info for arm, info in reply.items() if info != [0, 0.0]} if row == "get_arm_info" else reply


def any_config(method: str) -> st.SearchStrategy[Config]:
    """Make configurations of a method that draws random numbers."""
    parameter = {"assume_unrewarded": st.booleans(), "seed": st.sampled_from([0, 10, 2**32 - 1]), **SETTINGS[method]}
    return st.fixed_dictionaries({"method": st.just(method), "parameter": st.fixed_dictionaries(parameter)})


def draws_nothing(config: Config) -> bool:
    """Return whether what a model learns depends on no random number, of which a model file knows nothing."""
    return config["method"] == "ucb1" or not config["parameter"]["assume_unrewarded"]


UCB1 = tuple({"method": "ucb1", "parameter": {"assume_unrewarded": unrewarded}} for unrewarded in (False, True))

FACTS = Facts(
    configs=(*UCB1, *CHANCE),
    twin=Bandit,
    any_config=st.one_of(st.sampled_from(UCB1), *map(any_config, SETTINGS)),
    values={
        "player_id": ("player", "選手", "other player", ""),
        "arm_id": ("arm", "腕", "other arm"),
        "reward": (1.0, 0.0, 1, 0, 1.0, 0.5, -2.5, 0.1, 1e300, math.nan, math.inf),
    },
    teaching=(("register_arm", ("arm",)), ("register_arm", ("腕",)), ("register_reward", ("player", "arm", 1.0))),
    forgetful=frozenset({"delete_arm", "reset"}),
    item_by_item=frozenset({"select_arm", "register_reward"}),
    settle=seen,
    whole=draws_nothing,
    versioned=False,
)
