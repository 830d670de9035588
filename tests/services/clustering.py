"""How the service ``clustering`` is tested."""

import math
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.core.generate import CONVERTER
from tests.reference.clustering import Clustering
from tests.services import Config, Facts

NUMBERS = {"num_rules": [{"key": "*", "type": "num"}]}
WORDS = {
    "string_rules": [
        {"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf1"},
        {"key": "*", "type": "str", "sample_weight": "bin", "global_weight": "bin"},
    ],
    "num_rules": [{"key": "*", "type": "num"}],
}
SIMPLE = {"compressor_method": "simple", "compressor_parameter": {"bucket_size": 3}}


def compressive(size: int, kept: int, base: int, length: int, factor: float = 0.1, threshold: float = 0.5) -> Config:
    """Return the members of a configuration that compresses."""
    return {
        "compressor_method": "compressive",
        "compressor_parameter": {
            "bucket_size": size,
            "compressed_bucket_size": kept,
            "bicriteria_base_size": base,
            "bucket_length": length,
            "forgetting_factor": factor,
            "forgetting_threshold": threshold,
            "seed": 7,
        },
    }


def config(method: str, compressor: Config, converter: Config = CONVERTER, **others: Any) -> Config:
    """Return a configuration."""
    numbers = {"eps": 1.25, "min_core_point": 2} if method == "dbscan" else {"k": 2, "seed": 11}
    return {"method": method, "parameter": numbers, **compressor, "converter": converter, **others}


def points(seed: int) -> tuple[list[Any], ...]:
    """Return lists of points around three places, some of them equal, with words or without."""
    random = Random(seed)
    lists = []
    for size in (1, 1, 2, 3, 5, 8, 13):
        given: list[Any] = []
        for number in range(size):
            place = random.choice((-4.0, 0.5, 3.0))
            values = [
                [key, round(place + random.uniform(-1, 1), 1)] for key in random.sample("abcd", random.randrange(1, 4))
            ]
            text = [["s", random.choice(("x", "y z", "x あ"))]] if random.random() < 0.3 else []
            given.append([f"p{number}", [text, values, []]])
        lists.append(given)
    return (*lists, lists[2] * 2, [])


def settle(row: str, reply: Any) -> None:
    """Nothing is the same on two servers: each counts its runs, and seeks the clusters when it has got enough points."""


def diff_of(diff: Any) -> Any:
    """Sort the points of each server."""
    return [[[name, sorted(map(exact, points), key=repr)] for name, points in diff[0]], exact(diff[1])]


@st.composite
def any_config(draw: st.DrawFn) -> Config:
    """Make configurations of any method and compressor."""
    method = draw(st.sampled_from(["kmeans", "kmeans", "dbscan", "gmm"]))
    simple = st.sampled_from([2, 3, 5]).map(
        lambda size: {"compressor_method": "simple", "compressor_parameter": {"bucket_size": size}}
    )
    compressing = st.builds(
        compressive,
        st.sampled_from([6, 9]),
        st.sampled_from([4, 6]),
        st.sampled_from([1, 2, 4]),
        st.sampled_from([2, 3]),
        st.sampled_from([0.0, 0.1, 1.0]),
        st.sampled_from([0.0, 0.5, 1.0]),
    )
    compressor = draw(simple if method == "dbscan" else simple | compressing)
    return config(
        method,
        compressor,
        draw(st.sampled_from([NUMBERS, WORDS])),
        distance=draw(st.sampled_from(["euclidean", "cosine"])),
    )


BAD: list[Any] = [["good", [[["s", "x"]], [["a", 1.0]], []]], ["bad", [[], [["a", math.nan]], []]]]

FACTS = Facts(
    configs=(
        config("kmeans", SIMPLE),
        config("kmeans", compressive(6, 4, 2, 2), distance="cosine"),
        config("gmm", SIMPLE),
        config("gmm", compressive(6, 4, 2, 2), NUMBERS),
        config("dbscan", SIMPLE),
        config("dbscan", SIMPLE, distance="cosine"),
    ),
    twin=Clustering,
    any_config=any_config(),
    recordings=frozenset({"calls", "models"}),
    values={
        "points": (*points(1), *points(2), BAD),
        "point": (*(point[1] for given in points(3) for point in given), [[], [], []]),
    },
    teaching=(("push", (points(1)[5],)), ("push", (points(1)[6],))),
    settle=settle,
    diff=diff_of,
    whole=lambda config: False,
    alike=lambda config, row: False,
    emptied=False,
)
