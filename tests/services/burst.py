"""How the service ``burst`` is tested."""

from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.reference.burst import Burst
from tests.services import Config, Facts


def config(batches: int, width: float, windows: int, reused: int, costcut: float) -> Config:
    """Return a configuration."""
    return {
        "method": "burst",
        "parameter": {
            "window_batch_size": batches,
            "batch_interval": width,
            "result_window_rotate_size": windows,
            "max_reuse_batch_num": reused,
            "costcut_threshold": costcut,
        },
    }


def settle(row: str, reply: Any) -> Any:
    """The order of keywords depends on the server; so does how many documents count: for all that it processes."""
    if row == "add_documents":
        return None
    return sorted(reply) if row == "get_all_keywords" else reply


def diff_of(diff: Any) -> Any:
    """Sort the results of each keyword: they are those of one server after those of another."""
    return {
        name: [exact(parameters), sorted(map(exact, results), key=repr)]
        for name, (parameters, results) in diff[0][0].items()
    }


FACTS = Facts(
    configs=(config(5, 0.5, 5, 5, -1), config(1, 0.3, 2, 1, 0), config(8, 0.2, 3, 0, 0.8), config(4, 1, 1, 9, 0.01)),
    twin=Burst,
    any_config=st.builds(
        config,
        st.integers(1, 7),
        st.sampled_from([0.25, 0.3, 1, 2.5, 1e-3]),
        st.integers(1, 5),
        st.integers(0, 8),
        st.sampled_from([-1, 0, 0.01, 0.3, 2.0]),
    ),
    values={
        "add_keyword.keyword": tuple(
            [text, scaling, gamma]
            for text, scaling, gamma in (
                ("a", 2.0, 1.0),
                ("b", 1.5, 0.3),
                ("c", 1.2, 0.01),
                ("ab", 3.0, 0.5),
                ("x", 2, 1),
                ("", 1.001, 0.1),
                ("あ", 9.0, 0.2),
                ("y", 1.0, 1.0),
            )
        ),
        "keyword": ("a", "b", "c", "ab", "x", "", "あ", "zz"),
        "data": tuple(
            [[base + step * 0.07 * number, text] for number, text in enumerate(texts)]
            for base in (0.0, 0.6, 1.3, 2.0, -1.1, 30.0)
            for step in (1, 3)
            for texts in (("a", "xy", "b", "ab", "", "xyz"), ("c", "c", "zz", "あ", "a"), ("ab ab",))
        ),
    },
    teaching=(
        ("add_keyword", (["a", 2.0, 1.0],)),
        ("add_documents", ([[1.0, "xy"], [1.1, "b"], [1.6, "c"], [1.7, "a"], [1.8, "ab"]],)),
    ),
    forgetful=frozenset({"remove_keyword", "remove_all_keywords"}),
    settle=settle,
    diff=diff_of,
    alike=lambda config, row: False,
    emptied=False,
    versioned=False,
)
