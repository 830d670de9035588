"""How the service ``weight`` is tested."""

import math
from typing import Any

from hypothesis import strategies as st

from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference import models
from tests.services import Facts


def certain(row: str, reply: Any) -> Any:
    """Features are in the order of their values too, which NaN has none of."""
    if isinstance(reply, list) and any(math.isnan(value) for _, value in reply):
        return [key for key, _ in reply]
    return reply


FACTS = Facts(
    configs=({"converter": CONVERTER}, {"converter": {**CONVERTER, "hash_max_size": 7}}),
    twin=models.Weight,
    any_config=st.fixed_dictionaries({"converter": configs()}),
    recordings=frozenset({"calls", "models"}),
    recorded_order=True,
    certain=certain,
    teaching=(("update", ([[["a", "x y"]], [["k", 1.0]], []],)), ("update", ([[["b", "yz"]], [], []],))),
    adds_up=True,
)
