import math
import subprocess
import sys
from typing import Any

import pytest

from jubatus._core.context import Context
from jubatus._core.services.clustering import Clustering
from jubatus._core.wire import pack, unpack
from jubatus.errors import BadArguments, ConfigError, ModelError, UnsupportedMethod
from tests.core.calls import call, give, mix_of
from tests.reference.clustering import Clustering as Slow
from tests.services.clustering import NUMBERS, compressive, config, points

FIVE = [1.0, 2.0, 10.0, 11.0, 12.0]


def simple(size: int) -> dict[str, Any]:
    return {"compressor_method": "simple", "compressor_parameter": {"bucket_size": size}}


def at(*values: float, name: str = "p") -> list[Any]:
    """Make points of one number."""
    return [[f"{name}{i}", [[], [["x", x]], []]] for i, x in enumerate(values)]


def kmeans(k: int = 2, size: int = 6, **others: Any) -> dict[str, Any]:
    return config("kmeans", simple(size), NUMBERS, **others) | {"parameter": {"k": k, "seed": 0}}


def names(groups: list[Any]) -> list[list[bytes]]:
    return [[name for _, name in group] for group in groups]


def test_the_worked_example_of_k_means() -> None:
    model = Clustering(kmeans())
    call(model, "push", at(*FIVE))
    with pytest.raises(ModelError, match="clustering is not performed yet"):
        call(model, "get_k_center")
    assert call(model, "get_revision") == 0
    call(model, "push", at(100.0, name="last"))
    assert call(model, "get_revision") == 1
    assert call(model, "get_k_center") == [[[], [[b"x", 1.5]], []], [[], [[b"x", 11.0]], []]]
    # The point that started the run is a member now, but was not there when the centres were sought.
    assert names(call(model, "get_core_members_light")) == [[b"p0", b"p1"], [b"p2", b"p3", b"p4", b"last0"]]
    assert call(model, "get_nearest_center", [[], [["x", 6.0]], []]) == [[], [[b"x", 1.5]], []]
    assert call(model, "get_nearest_members", [[], [["x", -6.0]], []]) == [
        [1.0, [[], [[b"x", 1.0]], []]],
        [1.0, [[], [[b"x", 2.0]], []]],
    ]


def test_fewer_points_than_centres_change_nothing() -> None:
    model = Clustering(kmeans(k=9, size=2))
    call(model, "push", at(*FIVE))
    assert call(model, "get_revision") == 2
    with pytest.raises(ModelError, match="not performed"):
        call(model, "get_core_members")


def test_the_count_to_the_next_run_goes_on_over_clear_and_load() -> None:
    model = Clustering(kmeans(size=4))
    call(model, "push", at(1.0, 2.0, 3.0))
    call(model, "clear")
    call(model, "push", at(1.0))
    assert call(model, "get_revision") == 1
    model.unpack(Clustering(kmeans(size=4)).pack())
    call(model, "push", at(1.0, 2.0, 3.0))
    assert call(model, "get_revision") == 0
    call(model, "push", at(1.0))
    assert call(model, "get_revision") == 1


def test_the_original_datum_is_kept_whole() -> None:
    model = Clustering(config("dbscan", simple(2), NUMBERS) | {"parameter": {"eps": 1, "min_core_point": 1}})
    datum = [[["s", "あ"]], [["x", 1], ["y", 0]], [["b", b"\0\xff"]]]
    call(model, "push", [["a", datum], ["b"]])
    whole = [[[b"s", "あ".encode()]], [[b"x", 1.0], [b"y", 0.0]], [[b"b", b"\0\xff"]]]
    assert call(model, "get_core_members") == [[[1.0, whole]]]
    assert unpack(model.pack())[0][1] == [[b"a", 1.0, [[b"x@num", 1.0]], whole], [b"b", 1.0, [], [[], [], []]]]


@pytest.mark.parametrize("statistics", [False, True])
def test_a_point_that_is_refused_takes_the_others_with_it(statistics: bool) -> None:
    word = {"key": "*", "type": "space", "sample_weight": "bin", "global_weight": "idf" if statistics else "bin"}
    model = Clustering(config("kmeans", simple(2), {**NUMBERS, "string_rules": [word]}))
    before = model.pack()
    with pytest.raises(ModelError, match="not finite: x"):
        call(model, "push", [["good", [[["s", "a b"]], [], []]], *at(math.nan)])
    assert model.pack() == before
    for bad in (None, {}, [5], [["a", 5]], [[5, [[], [], []]]]):
        with pytest.raises(BadArguments):
            call(model, "push", bad)
    assert model.pack() == before


def test_points_that_bring_new_features_lose_some_for_a_mixture() -> None:
    model = Clustering(config("gmm", simple(3), NUMBERS) | {"parameter": {"k": 1, "seed": 0}})
    first = [
        ["p", [[], [["a", 1.0], ["b", 2.0], ["c", 3.0]], []]],
        ["q", [[], [["a", 6.0], ["b", 8.0], ["d", 7.0]], []]],
    ]
    call(model, "push", [*first, *at(0.0)])
    assert call(model, "get_k_center") == [[[], [[b"c", 1.5], [b"d", 3.5]], []]]


def test_dbscan_by_angle_is_euclidean_after_clear_and_load() -> None:
    parameter = {"eps": 0.1, "min_core_point": 2}
    model = Clustering(config("dbscan", simple(4), NUMBERS, distance="cosine") | {"parameter": parameter})
    given = at(1.0, 5.0, 9.0, 13.0)
    call(model, "push", given)
    assert names(call(model, "get_core_members_light")) == [[b"p0", b"p1", b"p2"]]
    model.unpack(model.pack())
    with pytest.raises(ModelError, match="not performed"):
        call(model, "get_core_members_light")
    call(model, "clear")
    call(model, "push", at(1.0, 1.05, 9.0, 13.0))
    assert names(call(model, "get_core_members_light")) == [[b"p0", b"p1"]]


def test_dbscan_has_no_centres() -> None:
    model = Clustering(config("dbscan", simple(2), NUMBERS))
    for row, args in (("get_k_center", []), ("get_nearest_center", [[[], [], []]])):
        with pytest.raises(ModelError, match=rf"^unsupported method \({row}\)$"):
            call(model, row, *args)
    for row in ("get_nearest_members", "get_nearest_members_light"):
        with pytest.raises(ModelError, match=r"^unsupported method \(get_nearest_center_index\)$"):
            call(model, row, [[], [], []])


def test_buckets_are_carried_like_digits() -> None:
    """With 2 buckets a digit: runs 1 to 4 leave points in buckets 1; 2; 1 and 2; 3."""
    model = Clustering(config("kmeans", compressive(4, 2, 1, 2, 0.0, 0.0), NUMBERS))
    filled = []
    for _ in range(4):
        call(model, "push", at(*FIVE[:4]))
        (_, buckets, _), _ = unpack(model.pack())
        filled.append([i for i, bucket in enumerate(buckets) if bucket])
        assert sum(weight for bucket in buckets for _, weight, _, _ in bucket) == pytest.approx(4 * len(filled))
    assert filled == [[1], [2], [1, 2], [3]]
    assert call(model, "get_revision") == 4


def test_old_points_are_forgotten() -> None:
    model = Clustering(config("kmeans", compressive(4, 4, 1, 3, 1.0, 0.9), NUMBERS))
    call(model, "push", at(*FIVE[:4]))
    (_, buckets, status), _ = unpack(model.pack())
    assert status == 1
    assert [weight for _, weight, _, _ in buckets[1]] == [math.exp(-1.0)] * 4
    call(model, "push", at(*FIVE[:4], name="new"))
    (_, buckets, _), _ = unpack(model.pack())
    assert [name for name, *_ in buckets[1]] == [b"new0", b"new1", b"new2", b"new3"]


def test_a_negative_number_of_centres_is_a_huge_one() -> None:
    never = Clustering(kmeans(k=-1, size=2))
    call(never, "push", at(*FIVE))
    assert call(never, "get_revision") == 2
    model = Clustering(config("gmm", simple(2), NUMBERS) | {"parameter": {"k": -1, "seed": 0}})
    with pytest.raises(ModelError, match=r"^cannot create std::vector larger than max_size\(\)$"):
        call(model, "push", at(*FIVE))
    assert call(model, "get_revision") == 1
    model.unpack(model.pack())
    other = Clustering(config("dbscan", simple(2), NUMBERS) | {"parameter": {"eps": 1.0, "min_core_point": -1}})
    call(other, "push", at(*FIVE))
    with pytest.raises(ModelError, match="not performed"):
        call(other, "get_core_members")


def cluster(count: int = 2) -> tuple[list[Any], list[Any]]:
    """Make models with names of their own, and their slow twins."""
    own = [b"10.0.0.%d_9199" % number for number in range(count)]
    fast = [Clustering(kmeans(size=4), distributed=True, context=Context(name.decode())) for name in own]
    return fast, [Slow(kmeans(size=4), True, name) for name in own]


def test_a_mix_brings_the_points_of_the_others() -> None:
    models, slow = cluster(3)
    for round_ in range(3):
        for i, (model, twin) in enumerate(zip(models, slow, strict=True)):
            for given in points(10 * round_ + i)[3:6]:
                call(model, "push", given)
                twin.push(unpack(pack(given)))
        mixed, snapshots = mix_of(models)
        (lists, _) = unpack(mixed)
        assert [name for name, _ in lists] == [twin.name for twin in slow]
        want = slow[0].get_diff()
        for twin in slow[1:]:
            want = twin.mix(twin.get_diff(), want)
        for model, twin, since in zip(models, slow, snapshots, strict=True):
            revision = call(model, "get_revision")
            assert model.put_diff(mixed, since)
            assert twin.put_diff(want, twin.given())
            assert call(model, "get_revision") == revision + 1
            assert unpack(model.pack()) == twin.pack()
            assert call(model, "get_core_members") == twin.get_core_members()
        assert models[0].version == round_ + 1
    everything = [sorted(name for group in names(call(m, "get_core_members_light")) for name in group) for m in models]
    assert everything[0] == everything[1] == everything[2]


def test_a_server_that_catches_up_keeps_its_own_points() -> None:
    models, slow = cluster(2)
    for model, twin, given in zip(models, slow, (at(*FIVE, name="a"), at(*FIVE[:3], name="b")), strict=True):
        call(model, "push", given)
        twin.push(unpack(pack(given)))
    mixed, snapshots = mix_of(models)
    models[0].put_diff(mixed, snapshots[0])
    slow[0].put_diff(unpack(mixed))
    new, _ = give(models[1])
    assert models[1].put_diff(models[0].get_diff()) is False
    fresh, slow_fresh = models[1].fresh(), Slow(kmeans(size=4), True, slow[1].name)
    fresh.unpack(models[0].pack())
    slow_fresh.unpack(slow[0].pack())
    models[1].catch_up(fresh)
    slow[1].catch_up(slow_fresh)
    assert unpack(models[1].get_diff())[0] == unpack(new)[0]
    assert models[1].version == models[0].version
    assert unpack(models[1].pack())[0] == slow[1].pack()[0]
    assert call(models[1], "get_core_members") == slow[1].get_core_members()


def test_errors_of_a_configuration_are_told_together() -> None:
    bad = kmeans(k=0) | {"compressor_parameter": {"bucket_size": 1, "seed": 1}, "distance": "manhattan"}
    with pytest.raises(ConfigError) as refused:
        Clustering(bad)
    assert refused.value.messages == (
        "invalid parameter (expected: 1 <= k) (.parameter)",
        "invalid parameter (expected: distance should be 'euclidean' or 'cosine') (.distance)",
        '"seed" is not used (.compressor_parameter)',
    )
    with pytest.raises(ConfigError) as refused:
        Clustering({**kmeans(), "parameter": None, "compressor_method": "nosuch"})
    assert refused.value.messages == (
        "Object is expected, but Null is given. (.parameter)",
        "unsupported method (nosuch): one of simple, compressive is expected",
    )
    for others in ({"method": "KMEANS"}, {"compressor_method": "nosuch"}):
        with pytest.raises(UnsupportedMethod):
            Clustering({**kmeans(), **others})
    with pytest.raises(UnsupportedMethod, match=r"^unsupported method \(compressive\)$"):
        Clustering(config("dbscan", compressive(4, 4, 1, 2), NUMBERS))


@pytest.mark.parametrize(
    ("member", "value", "wanted"),
    [
        ("bucket_size", 0, "1 <= bucket_size"),
        ("bucket_length", 1, "2 <= bucket_length"),
        ("bicriteria_base_size", 0, "1 <= bicriteria_base_size <= compressed_bucket_size"),
        ("bicriteria_base_size", 5, "1 <= bicriteria_base_size <= compressed_bucket_size"),
        ("compressed_bucket_size", 7, "compressed_bucket_size <= bucket_size"),
        ("forgetting_factor", -0.1, "0.0 <= forgetting_factor"),
        ("forgetting_threshold", 1.1, "0.0 <= forgetting_threshold <= 1.0"),
    ],
)
def test_a_compressor_has_limits(member: str, value: float, wanted: str) -> None:
    bad = config("kmeans", compressive(6, 4, 2, 2), NUMBERS)
    bad["compressor_parameter"][member] = value
    with pytest.raises(ConfigError) as refused:
        Clustering(bad)
    assert f"invalid parameter (expected: {wanted}) (.compressor_parameter)" in refused.value.messages


def test_a_server_starts_without_the_numerics() -> None:
    code = "import sys, jubatus._core.services.clustering; sys.exit(bool({'numba', 'numpy'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_warmed_up_compiles_nothing_for_its_first_calls() -> None:
    code = """
import sys
import numba
from jubatus._core.services.clustering import Clustering
from jubatus._core.wire import Reader, pack
models = [Clustering(config) for config in eval(sys.argv[1])]
for model in models:
    model.warm_up()
from jubatus._core import dense
kernels = [value for value in vars(dense).values() if hasattr(value, "signatures")]
before = [len(each.signatures) for each in kernels]
for model in models:
    args = Reader(pack(["", [[str(i), [[], [["a", float(i % 5)], ["b", float(i // 5)]], []]] for i in range(40)]]))
    args.arguments(1)
    model.push(args)
sys.exit(before != [len(each.signatures) for each in kernels] or not any(before))
"""
    configs = [
        kmeans(size=4),
        config("gmm", simple(4), NUMBERS),
        {**config("dbscan", simple(4), NUMBERS), "parameter": {"eps": 1.5, "min_core_point": 2}},
    ]
    assert subprocess.run([sys.executable, "-c", code, repr(configs)], timeout=120, check=False).returncode == 0
