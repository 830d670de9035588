"""Tests of jubatus._core.services.bandit: what the original chooses with a known seed, its bytes, and what a MIX keeps.

tests/services plays any sequence of calls with the slow model.
"""

import math
import sys
import threading
from typing import Any

import pytest

from jubatus._core.services.bandit import Bandit
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, ConfigError, ModelError, ModelFileError, UnsupportedMethod
from tests.core.calls import call, exact, give, mix_of
from tests.reference import bandit as slow
from tests.reference.random_numbers import MersenneTwister

ONE_REWARD = "93 91 a1 61 80 81 a1 70 92 01 81 a1 61 92 01 cb 3f f0 00 00 00 00 00 00"


def config_of(method: str, unrewarded: bool = False, **parameter: Any) -> dict[str, Any]:
    if method != "ucb1":
        parameter.setdefault("seed", 10)
    return {"method": method, "parameter": {"assume_unrewarded": unrewarded, **parameter}}


def bandit(config: dict[str, Any], arms: str = "abc", distributed: bool = False) -> Bandit:
    """Return a model with arms of one letter."""
    model = Bandit(config, distributed=distributed)
    for arm in arms:
        assert call(model, "register_arm", arm) is True
    return model


def choices(model: Bandit, count: int, player: str = "p") -> str:
    """Select arms of one letter, and return them."""
    return "".join(call(model, "select_arm", player).decode() for _ in range(count))


def reward(model: Bandit, *rewards: tuple[str, str, float]) -> None:
    for given in rewards:
        assert call(model, "register_reward", *given) is True


def info(model: Bandit, player: str = "p") -> dict[str, Any]:
    return {arm.decode(): known for arm, known in call(model, "get_arm_info", player).items()}


def tables(model: Bandit, *tables: dict[str, Any], arms: str = "abc") -> None:
    """Give a model what a file holds."""
    model.unpack(pack([list(arms), *tables]))


# --- random numbers


def test_random_numbers_of_the_slow_model_are_those_of_the_original() -> None:
    numbers = MersenneTwister(10)
    assert [numbers.next_word() for _ in range(4)] == [3312796937, 1283169405, 89128932, 2124247567]
    numbers = MersenneTwister(10)
    want = [0.771320643266746, 0.0207519493594015, 0.6336482349262754, 0.7488038825386119]
    assert [numbers.next_double() for _ in range(4)] == want
    numbers = MersenneTwister(10)
    assert [numbers.next_gaussian() for _ in range(2)] == [-0.22334819345438015, 1.7032276640464215]
    assert MersenneTwister(10).next_gamma(1.0) == 1.1621727579825425
    assert MersenneTwister(10).next_gamma(2.5) == 1.8542548245070012
    numbers = MersenneTwister(10)
    draws = [numbers.next_beta(1, 1) for _ in range(6)]
    assert draws[:3] == [0.6302215206206769, 0.5394255199825516, 0.00395149773011599]
    assert draws[3:] == [0.3112173970773487, 0.5511547598593205, 0.3887345995345877]


def test_the_stream_goes_on_whatever_happens_to_the_model() -> None:
    config = config_of("softmax", tau=1)
    want = choices(bandit(config), 30)
    model = bandit(config)
    chosen = choices(model, 10)
    call(model, "clear")
    model.unpack(bandit(config).pack())
    chosen += choices(model, 10, "q")
    call(model, "reset", "q")
    assert chosen + choices(model, 10) == want


def test_without_a_seed_it_is_the_time() -> None:
    config = {"method": "softmax", "parameter": {"assume_unrewarded": False, "tau": 1, "seed": None}}
    assert len({choices(bandit(config), 60) for _ in range(3)}) > 1


# --- choices


def test_epsilon_greedy() -> None:
    model, brings = bandit(config_of("epsilon_greedy", epsilon=0.5)), {"a": 0.0, "b": 1.0, "c": 0.5}
    chosen = ""
    for _ in range(10):
        chosen += choices(model, 1)
        reward(model, ("p", chosen[-1], brings[chosen[-1]]))
    assert chosen == "abbacabbbb"


def test_epsilon_decreasing_explores_less_and_less() -> None:
    model = bandit(config_of("epsilon_decreasing", decreasing_rate=0.5))
    assert choices(bandit(config_of("epsilon_decreasing", decreasing_rate=0.5, seed=1)), 20) == "a" * 20  # no trial yet
    counts = []
    for total in (10, 1_000, 100_000):
        tables(model, {"p": [total, {"b": [total, 1.0]}]}, {})
        chosen = choices(model, 600)
        counts.append(sum(chosen.count(arm) for arm in "ac"))
    assert counts[0] > counts[1] > counts[2]
    assert 360 < counts[0] < 440  # all explored
    assert 120 < counts[1] < 210  # 0.414 of them


def test_ucb1() -> None:
    model = bandit(config_of("ucb1"))
    chosen = ""
    for brings in (0.5, 0.0, 1.0):
        chosen += choices(model, 1)
        reward(model, ("p", chosen[-1], brings))
    assert chosen == "abc"
    tables(model, {"p": [6, {"a": [2, 1.0], "b": [1, 0.0], "c": [3, 3.0]}]}, {})
    assert choices(model, 2) == "cc"
    tables(model, {"p": [6, {"a": [2, 1.0], "b": [1, 0.0], "c": [3, 2.0]}]}, {})
    assert choices(model, 1) == "b"


def test_softmax() -> None:
    model = bandit(config_of("softmax", tau=0.05))
    reward(model, ("p", "a", 0.5), ("p", "b", 0.45), ("p", "c", 0.4))
    assert choices(model, 10) == "baabaaabaa"


def test_exp3() -> None:
    assert choices(bandit(config_of("exp3", gamma=0.1)), 10) == "cabcbaacaa"
    model = bandit(config_of("exp3", gamma=0.1))
    reward(model, ("p", "a", 1.0))
    assert info(model) == {"a": [1, 0.10000000000000002], "b": [0, 0.0], "c": [0, 0.0]}
    reward(model, ("p", "b", 1.0))
    assert info(model)["b"] == [1, 1.0 / 0.3231724512900842 * 0.1 / 3]


def test_ts() -> None:
    assert choices(bandit(config_of("ts")), 2) == "ab"
    model = bandit(config_of("ts"))
    tables(model, {"p": [9, {"a": [3, 2.0], "b": [1, 0.0], "c": [5, 5.0]}]}, {})
    assert choices(model, 1) == "c"


@pytest.mark.parametrize("unrewarded", [False, True])
def test_an_arm_is_tried_when_it_is_rewarded_or_when_it_is_selected(unrewarded: bool) -> None:
    model = bandit(config_of("ucb1", unrewarded), "ab")
    assert choices(model, 1) == "a"
    assert info(model)["a"] == [int(unrewarded), 0.0]
    reward(model, ("p", "b", 0.5))
    assert info(model)["b"] == [int(not unrewarded), 0.5]
    assert choices(model, 1) == ("b" if unrewarded else "a")
    assert info(model, "other") == {"a": [0, 0.0], "b": [0, 0.0]}


def test_scores_that_are_no_numbers() -> None:
    nan = {"p": [2, {"a": [1, math.nan], "b": [1, math.nan]}]}
    for config in (config_of("ucb1"), config_of("ts")):
        model = bandit(config, "ab")
        tables(model, nan, {}, arms="ab")
        assert call(model, "select_arm", "p") == b""
    model = bandit(config_of("ucb1", True), "ab")
    tables(model, nan, {}, arms="ab")
    with pytest.raises(ModelError, match=r"^arm_id is not registered: $"):
        call(model, "select_arm", "p")
    for config in (config_of("softmax", tau=1), config_of("exp3", gamma=0.5)):
        model = bandit(config, "ab")
        tables(model, nan, {}, arms="ab")
        assert choices(model, 5) == "b" * 5


def test_draws_of_distributions_that_there_are_not_come_to_an_end() -> None:
    model = bandit(config_of("ts"), "ab")
    tables(model, {"p": [0, {"a": [0, -1e300], "b": [5, 3.0]}]}, {}, arms="ab")
    assert choices(model, 1) == "b"


# --- arms and players


def test_refusals() -> None:
    for config in (config_of("ucb1"), config_of("epsilon_greedy", epsilon=0), config_of("ts")):
        with pytest.raises(ModelError, match=r"^arm is not registered$"):
            call(bandit(config, ""), "select_arm", "p")
    with pytest.raises(ModelError, match=r"^arm_id is not registered: x$"):
        call(bandit(config_of("softmax", tau=1)), "register_reward", "p", "x", 1.0)
    for config in (config_of("exp3", gamma=0.5), config_of("ts")):
        model = bandit(config)
        assert call(model, "register_reward", "p", "x", 1.0) is False
        assert call(model, "reset", "p") is False
    for wrong in (0.5, 2, -1, math.nan, math.inf):
        for arm in "ax":
            with pytest.raises(ModelError, match=r"^reward is not in \{0,1\}$"):
                call(model, "register_reward", "p", arm, wrong)


def test_an_arm_that_is_deleted_takes_its_trials_along() -> None:
    model = bandit(config_of("ucb1"))
    tables(model, {"p": [9, {"a": [4, 1.0], "b": [5, 2.0]}]}, {"p": [3, {"a": [1, 1.0], "b": [2, 0.0], "c": [0, 0.0]}]})
    assert call(model, "delete_arm", "a") is True
    assert call(model, "delete_arm", "a") is False
    assert unpack(model.pack()) == [
        [b"b", b"c"],
        {b"p": [5, {b"b": [5, 2.0]}]},
        {b"p": [2, {b"b": [2, 0.0], b"c": [0, 0.0]}]},
    ]
    assert call(model, "register_arm", "a") is True
    assert info(model) == {"a": [0, 0.0], "b": [7, 2.0], "c": [0, 0.0]}
    assert choices(model, 1) == "c"


def test_an_arm_that_only_a_table_knows_can_be_deleted() -> None:
    model = bandit(config_of("ucb1"), "")
    tables(model, {"p": [9, {"a": [4, 1.0], "b": [5, 2.0]}]}, {}, arms="b")
    assert info(model) == {"b": [5, 2.0]}
    assert call(model, "delete_arm", "a") is False
    assert unpack(model.pack())[1] == {b"p": [5, {b"b": [5, 2.0]}]}


def test_tables_are_packed_in_the_order_of_the_original() -> None:
    config = config_of("ucb1", True)
    fast, twin = Bandit(config), slow.Bandit(config)

    def both(row: str, *args: Any) -> None:
        assert call(fast, row, *args) == getattr(twin, row)(*(unpack(pack(value)) for value in args))

    def order(model: list[Any]) -> Any:
        return [model[0], *([(name, list(arms)) for name, (_, arms) in table.items()] for table in model[1:])]

    for number in range(60):
        both("register_arm", f"arm{number * number}é")
        both("select_arm", f"player{number}")
        if number % 7 == 0:
            both("delete_arm", f"arm{(number // 2) ** 2}é")
            both("reset", f"player{number // 3}")
        assert order(unpack(fast.pack())) == order(twin.pack())
    fast.unpack(fast.pack())
    twin.unpack(twin.pack())
    assert order(unpack(fast.pack())) == order(twin.pack())


def test_counts_have_32_bits_and_go_round() -> None:
    model = bandit(config_of("ucb1"), "a")
    tables(model, {"p": [2**31 - 1, {"a": [2**31 - 1, 0.0]}]}, {}, arms="a")
    reward(model, ("p", "a", 1.0))
    assert info(model) == {"a": [-(2**31), 1.0]}


def test_other_threads_run_while_an_arm_is_registered_for_many_players() -> None:
    model, may_run, has_run = bandit(config_of("ucb1"), ""), threading.Event(), threading.Event()
    tables(model, {}, {f"player{number}": [0, {}] for number in range(50_000)}, arms="")

    def run() -> None:
        may_run.wait()
        has_run.set()

    other = threading.Thread(target=run)
    other.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1_000)  # nobody is interrupted; who lets others run does so by itself
    try:
        may_run.set()
        for number in range(100):
            call(model, "register_arm", f"arm{number}")
            if has_run.is_set():
                break
        assert has_run.is_set()
    finally:
        sys.setswitchinterval(interval)
        other.join()


# --- files and MIX


def test_bytes_of_a_model_file_and_of_a_diff() -> None:
    model = bandit(config_of("ucb1"), "a", True)
    reward(model, ("p", "a", 1.0))
    assert model.pack() == bytes.fromhex(ONE_REWARD)
    assert model.get_diff() == b"\x91" + model.pack()[5:]
    other = bandit(config_of("ucb1"), "xyz")
    other.unpack(model.pack())
    assert other.pack() == model.pack()


@pytest.mark.parametrize(
    "model",
    [
        [["a", "a"], {}, {}],
        [["a"], {}],
        [["a"], {"p": [1]}, {}],
        [["a"], {"p": [1, {"a": [1]}]}, {}],
        [["a"], {"p": [1.0, {}]}, {}],
        [["a"], {"p": [2**31, {}]}, {}],
        [["a"], {"p": [0, {"a": [-(2**31) - 1, 0.0]}]}, {}],
        [[5], {}, {}],
        ["a", {}, {}],
    ],
)
def test_a_file_that_is_none_is_refused(model: Any) -> None:
    victim = bandit(config_of("ucb1"))
    reward(victim, ("p", "a", 1.0))
    before = victim.pack()
    with pytest.raises(ModelFileError):
        victim.unpack(pack(model))
    assert victim.pack() == before


def test_a_mix_tells_all_servers_what_each_has_learned() -> None:
    models = [bandit(config_of("ucb1"), "ab", True) for _ in range(3)]
    reward(models[0], ("p", "a", 1.0), ("q", "b", 0.5))
    reward(models[1], ("p", "a", 0.25), ("p", "b", 0.5))
    mixed, given = mix_of(models)
    for model, since in zip(models, given, strict=True):
        assert model.put_diff(mixed, since) is True
        assert info(model) == {"a": [2, 1.25], "b": [1, 0.5]}
        assert info(model, "q") == {"a": [0, 0.0], "b": [1, 0.5]}
        assert unpack(model.get_diff()) == [{}]
        assert unpack(model.pack())[1][b"p"][0] == 3


def changed_during_a_mix(*calls: tuple[Any, ...]) -> Bandit:
    """Return a model that was told something between the copy of its diff and the mixed diff."""
    model = bandit(config_of("ucb1"), "ab", True)
    reward(model, ("p", "a", 1.0), ("p", "b", 0.5))
    mixed, since = give(model)
    for row, *args in calls:
        call(model, row, *args)
    assert model.put_diff(mixed, since) is True
    return model


def test_what_is_learned_during_a_mix_stays_for_the_next_one() -> None:
    model = changed_during_a_mix(("register_reward", "p", "a", 0.25), ("register_reward", "q", "b", math.inf))
    assert info(model) == {"a": [2, 1.25], "b": [1, 0.5]}
    assert unpack(model.get_diff()) == [
        {b"p": [1, {b"a": [1, 0.25], b"b": [0, 0.0]}], b"q": [1, {b"a": [0, 0.0], b"b": [1, math.inf]}]}
    ]
    mixed, since = give(model)
    assert model.put_diff(mixed, since) is True
    assert unpack(model.get_diff()) == [{}]
    assert info(model) == {"a": [2, 1.25], "b": [1, 0.5]}


def test_what_was_thrown_away_during_a_mix_is_not_subtracted() -> None:
    model = changed_during_a_mix(("reset", "p"), ("register_reward", "p", "a", 0.25))
    assert unpack(model.get_diff()) == [{b"p": [1, {b"a": [1, 0.25], b"b": [0, 0.0]}]}]
    model = changed_during_a_mix(
        ("delete_arm", "a"),
        ("register_arm", "a"),
        ("register_reward", "p", "a", 0.25),
        ("register_reward", "p", "b", 1.0),
    )
    assert unpack(model.get_diff()) == [{b"p": [2, {b"a": [1, 0.25], b"b": [1, 1.0]}]}]
    model = changed_during_a_mix(("clear",), ("register_arm", "a"), ("register_reward", "p", "a", 0.25))
    assert unpack(model.get_diff()) == [{b"p": [1, {b"a": [1, 0.25]}]}]


def test_an_arm_of_other_servers_counts_in_the_total_only() -> None:
    model, other = bandit(config_of("ucb1"), "a", True), bandit(config_of("ucb1"), "b", True)
    reward(other, ("p", "b", 1.0))
    assert model.put_diff(other.get_diff()) is True
    assert info(model) == {"a": [0, 0.0]}
    assert unpack(model.pack())[1:] == [{b"p": [1, {b"b": [1, 1.0]}]}, {}]
    assert call(model, "register_arm", "b") is True
    assert info(model) == {"a": [0, 0.0], "b": [1, 1.0]}


def test_a_server_that_catches_up_keeps_its_own_diff_and_takes_the_arms() -> None:
    model, other = bandit(config_of("ucb1"), "a", True), bandit(config_of("ucb1"), "bc", True)
    reward(model, ("p", "a", 1.0))
    reward(other, ("p", "b", 1.0))
    fresh = model.fresh()
    fresh.unpack(other.pack())
    model.catch_up(fresh)
    arms, mixed, unmixed = unpack(model.pack())
    assert (arms, mixed) == ([b"b", b"c"], {})
    assert unmixed == {b"p": [1, {b"a": [1, 1.0], b"b": [0, 0.0], b"c": [0, 0.0]}]}


# --- arguments and configurations


def test_all_arguments_are_checked_before_the_answer() -> None:
    model = bandit(config_of("ts"))
    before = model.pack()
    for row, args in (
        ("register_arm", [5]),
        ("select_arm", [None]),
        ("register_reward", ["p", "a"]),
        ("register_reward", ["p", "x", "1"]),
        ("register_reward", ["p", 5, 2.0]),
    ):
        with pytest.raises(BadArguments):
            getattr(model, row)(Reader(b"".join(map(pack, args))))
    assert model.pack() == before


def test_rewards_may_be_integers() -> None:
    model = bandit(config_of("ts"), "a")
    reward(model, ("p", "a", 1), ("p", "a", 0))
    assert exact(info(model)) == {"a": [2, 1.0]}


SEED = "seed must be within unsigned 32 bit integer (.parameter.seed)"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"method": "ucb1"}, "parameter block is not specified in config"),
        ({"parameter": {}}, '"method" is not found ()'),
        (config_of("ucb1", seed=5), '"seed" is not used (.parameter)'),
        (config_of("epsilon_greedy"), '"epsilon" is not found (.parameter)'),
        (
            config_of("epsilon_greedy", epsilon=1.5),
            "invalid parameter (expected: 0 <= epsilon <= 1) (.parameter.epsilon)",
        ),
        (
            config_of("epsilon_decreasing", decreasing_rate=1),
            "invalid parameter (expected: 0 < d < 1) (.parameter.decreasing_rate)",
        ),
        (
            config_of("softmax", tau=0, seed=-1),
            f"invalid parameter (expected: 0 < tau) (.parameter.tau); {SEED}",
        ),
        (config_of("exp3", gamma=0), "invalid parameter (expected: 0 < gamma <= 1) (.parameter.gamma)"),
        (config_of("ts", seed=2**32), SEED),
    ],
)
def test_wrong_configurations(config: Any, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Bandit(config)
    assert "; ".join(refused.value.messages) == text


def test_an_unknown_method_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnsupportedMethod) as refused:
        Bandit(config_of("greedy"))
    assert str(refused.value).startswith("unsupported method (bandit(greedy))")
