"""The comparison of replies with recordings sees what differs, and nothing else."""

from typing import Any

import pytest

from tests.golden.compare import check


@pytest.mark.parametrize(
    ("mode", "want", "same", "other"),
    [
        ("exact", ["a", 1.0, "NaN"], [b"a", 1.0, float("nan")], [b"a", 1, float("nan")]),
        ("exact", {"a": [1, True]}, {b"a": [1, True]}, {b"a": [1, 1]}),
        ("exact", 1.0, 1.0 + 1e-7, 1.0 + 1e-5),
        ("set", ["a", "b"], [b"b", b"a"], [b"b", b"b"]),
        ("listset", [["a", "b"], []], [[b"b", b"a"], []], [[], [b"a", b"b"]]),
        ("datum", [[["k", "v"], ["k", "w"]], [], []], [[[b"k", b"w"], [b"k", b"v"]], [], []], [[[b"k", b"v"]], [], []]),
        ("scored", [["a", 2.0], ["b", 1.0], ["c", 1.0]], [[b"a", 2.0], [b"d", 1.0], [b"b", 1.0]], [[b"b", 2.0], [b"a", 1.0], [b"c", 1.0]]),
        ("scored", [["a", 2.0]], [[b"b", 2.0]], []),
        ("scored", [], [], [[b"a", 1.0]]),
        ("finite", 1.0, 7.5, float("inf")),
    ],
)  # fmt: skip
def test_modes(mode: str, want: Any, same: Any, other: Any) -> None:
    call = {"compare": mode, "result": want}
    assert check(call, same, 1e-6) is None
    assert check(call, other, 1e-6) is not None


def test_anything_goes_where_a_recording_says_so() -> None:
    assert check({"compare": "ignore", "result": "a"}, 5, 0.0) is None
