"""How the service ``stat`` is tested."""

import math
from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.reference.stat import Stat
from tests.services import Facts


def stored(value: Any) -> Any:
    """Bring an unpacked model into a form without times; maps compare without order anyway."""
    size, window, keys, *mixed = value
    return exact([size, [entry for _, entry in window], keys, *mixed])


FACTS = Facts(
    configs=({"window_size": 5}, {"window_size": 1}, {"window_size": 128}, {"window_size": -1}),
    twin=Stat,
    any_config=st.fixed_dictionaries({"window_size": st.sampled_from([1, 2, 3, 4, 7, 12, 100, -1, -(2**31)])}),
    values={
        "value": (1.0, 0.1, 0.3, -2.5, 1.0, 0.0, -0.0, 1e16, 1e300, 5e-324, math.nan, math.inf, -math.inf, 7, -3),
        "degree": (3, 0, 1, 2, 4, 5, 7, -1, 2**31 - 1, -(2**31)),
        "center": (0.5, 0.0, -0.0, 1e9, 0.1, math.nan, math.inf, 2),
    },
    teaching=(("push", ("a", 1.0)), ("push", ("b", 2.0)), ("push", ("a", 5.0))),
    stored=stored,
    repeatable=lambda config: False,  # entries have the time at which they came
    alike=lambda config, row: row == "entropy",
    emptied=False,
    versioned=False,
)
