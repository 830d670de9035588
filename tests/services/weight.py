"""How the service ``weight`` is tested."""

from hypothesis import strategies as st

from tests.core.generate import CONVERTER
from tests.core.strategies import configs
from tests.reference import models
from tests.services import Facts

FACTS = Facts(
    configs=({"converter": CONVERTER}, {"converter": {**CONVERTER, "hash_max_size": 7}}),
    twin=models.Weight,
    any_config=st.fixed_dictionaries({"converter": configs()}),
    recordings=frozenset({"calls", "models"}),
    recorded_order=True,
    teaching=(("update", ([[["a", "x y"]], [["k", 1.0]], []],)), ("update", ([[["b", "yz"]], [], []],))),
    adds_up=True,
)
