"""Tests of jubatus._core.services.stat: numbers and bytes that the original gives, and what must not cost much.

tests/services plays any sequence of calls with the slow model.
"""

import math
import struct
import subprocess
import sys
import time
from typing import Any

import pytest

from jubatus._core.services.stat import Stat
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, ConfigError, ModelError, ModelFileError
from tests.core.calls import call, exact, mix_of
from tests.reference import stat as slow

FOUR = [("a", 1.0), ("b", 2.0), ("a", 5.0), ("a", 3.0)]
ONE_ENTRY = (
    "95 03 91 92 ce 65 53 f1 00 92 a1 61 cb 3f f0 00 00 00 00 00 00 81 a1 61 95 01 cb 3f f0 00 00 00 00 00 00 "
    "cb 3f f0 00 00 00 00 00 00 cb 3f f0 00 00 00 00 00 00 cb 3f f0 00 00 00 00 00 00 "
    "cb 00 00 00 00 00 00 00 00 cb 00 00 00 00 00 00 00 00"
)


def taught(size: int, numbers: list[tuple[str, float]], distributed: bool = False) -> Stat:
    """Return a model that took these numbers."""
    model = Stat({"window_size": size}, distributed=distributed)
    for key, value in numbers:
        assert call(model, "push", key, value) is True
    return model


def of_key(model: Stat, key: str = "a") -> list[float]:
    return [call(model, row, key) for row in ("sum", "max", "min")]


# --- worked examples


def test_numbers_of_a_full_window() -> None:
    model = taught(3, FOUR)
    assert of_key(model) == [8.0, 5.0, 3.0]
    assert call(model, "stddev", "a") == 1.0
    assert call(model, "moment", "a", 3, 1.0) == 36.0
    assert call(model, "entropy", "any") == 0.6365141682948128
    assert unpack(model.pack())[2][b"a"] == [2, 8.0, 34.0, 5.0, 3.0]
    model = taught(3, [("a", 1.0), ("a", 5.0), ("a", 3.0)])
    assert call(model, "moment", "a", 2, 3.0) == 2.666666666666667
    assert call(model, "stddev", "a") == 1.632993161855452


def test_sums_keep_what_was_rounded_away_by_numbers_that_have_left() -> None:
    assert of_key(taught(2, [("a", 0.1), ("a", 0.2), ("a", 0.3)]))[0] == 0.5000000000000001 != 0.2 + 0.3
    assert of_key(taught(2, [("a", 1e16), ("a", 1.0), ("a", 1.0)]))[0] == 0.0
    model = taught(9, [("a", 10000000.1)] * 5)
    assert call(model, "moment", "a", 2, of_key(model)[0] / 5) == -0.03125
    assert math.isnan(call(model, "stddev", "a"))


def test_powers_are_those_of_repeated_squaring() -> None:
    assert call(taught(1, [("a", 0.2877)]), "moment", "a", 3, 0.0) == 0.023813300133000006 != math.pow(0.2877, 3)
    assert call(taught(1, [("a", -1.0)]), "moment", "a", 2**31 - 1, 0.0) == -1.0


def test_entropy_of_nothing_and_of_one_key_is_minus_zero() -> None:
    for model in (taught(3, []), taught(3, [("a", 1.0)])):
        assert struct.pack(">d", call(model, "entropy", "")) == b"\x80" + bytes(7)


def test_a_key_is_known_while_one_of_its_numbers_is_in_the_window() -> None:
    model = taught(2, [("a", 1.0), ("b", 2.0), ("b", 3.0)])
    for row in ("sum", "stddev", "max", "min"):
        with pytest.raises(ModelError, match=rf"^{row}: key a not found$"):
            call(model, row, "a")
    for degree in (0, 1, 2, 3):
        with pytest.raises(ModelError, match=r"^moment: key a not found$"):
            call(model, "moment", "a", degree, 0.0)
    assert call(model, "moment", "a", -1, 0.0) == -1.0
    call(model, "push", "a", 7.0)
    assert of_key(model) == [7.0, 7.0, 7.0]


def test_a_nan_is_an_extreme_only_as_the_oldest_number() -> None:
    assert exact(of_key(taught(9, [("a", math.nan), ("a", 1.0)]))) == ["nan", "nan", "nan"]
    assert exact(of_key(taught(9, [("a", 1.0), ("a", math.nan), ("a", 2.0)]))) == ["nan", 2.0, 1.0]
    numbers = [("a", 5.0), ("a", math.nan), ("a", 2.0), ("a", 3.0)]
    assert exact(of_key(taught(3, numbers))) == ["nan", "nan", 2.0]
    assert exact(of_key(taught(1, [("a", math.inf), ("a", 1.0)]))) == ["nan", 1.0, 1.0]


def test_of_zeros_the_oldest_is_the_extreme() -> None:
    for zeros in ([0.0, -0.0], [-0.0, 0.0]):
        model = taught(9, [("a", zero) for zero in zeros])
        assert exact(of_key(model)[1:]) == [str(zeros[0])] * 2
        model = taught(2, [("a", 0.0), *(("a", zero) for zero in zeros)])
        assert exact(of_key(model)[1:]) == [str(zeros[0])] * 2


def test_bytes_of_a_model_file_and_of_a_diff() -> None:
    data = bytes.fromhex(ONE_ENTRY)
    model = Stat({"window_size": 3})
    model.unpack(data)
    assert model.pack() == data
    before = int(time.time())
    entries = unpack(taught(3, [("a", 1.0)]).pack())[1]
    assert before <= entries[0][0] <= time.time()
    assert taught(3, FOUR, True).get_diff() == bytes.fromhex("91 92 cb 3f f6 2e 42 fe fa 39 ef 03")
    assert unpack(taught(-3, []).pack())[0] == 2**64 - 3


# --- MIX


def test_a_mix_gives_all_servers_the_entropy_of_all_until_the_next_one() -> None:
    models = [taught(3, FOUR, True), taught(9, [*[("c", 1.0)] * 3, ("d", 1.0)], True)]
    mixed, given = mix_of(models)
    assert unpack(mixed) == [[4.68213122712422, 7]]
    for model, snapshot in zip(models, given, strict=True):
        assert model.put_diff(mixed, snapshot) is True
        for _ in range(2):
            assert call(model, "entropy", "a") == 1.2770342594661388
            call(model, "push", "e", 1.0)
        call(model, "clear")
        assert call(model, "entropy", "a") == 1.2770342594661388
        again = model.fresh()
        again.unpack(model.pack())
        assert call(again, "entropy", "a") == 1.2770342594661388
        assert again.version == 0
    mixed, given = mix_of(models)
    assert unpack(mixed) == [[0.0, 0]]
    assert models[0].put_diff(mixed, given[0]) is True
    assert exact(call(models[0], "entropy", "a")) == "-0.0"


# --- order


def test_keys_are_packed_in_the_order_of_the_original_also_after_many_have_left() -> None:
    fast, twin = Stat({"window_size": 60}), slow.Stat({"window_size": 60})

    def push(key: str) -> None:
        call(fast, "push", key, 1.0)
        twin.push(key.encode(), 1.0)

    for number in range(400):
        push(f"key{number * number % 211}é")
        assert list(unpack(fast.pack())[2]) == list(twin.keys)
    call(fast, "clear")
    twin.clear()
    for number in range(40):
        push(f"other{number}")
    assert list(unpack(fast.pack())[2]) == list(twin.keys)
    assert exact(call(fast, "entropy", "")) == exact(twin.entropy(b""))


# --- files of others


def driver(window: list[Any], keys: dict[str, list[Any]], size: int = 3) -> bytes:
    return pack([size, window, keys, 0.0, 0.0])


def test_the_window_has_the_size_of_the_file() -> None:
    model = Stat({"window_size": 100})
    model.unpack(taught(2, FOUR[2:]).pack())
    call(model, "push", "b", 1.0)
    assert of_key(model) == [3.0, 3.0, 3.0]


def test_a_key_without_numbers_in_the_window_stays() -> None:
    """The original writes such files after it has loaded one on top of what it had."""
    model = Stat({"window_size": 3})
    model.unpack(driver([[1, ["a", 4.0]]], {"a": [3, 6.0, 18.0, 4.0, 1.0], "b": [1, 2.0, 4.0, 2.0, 2.0]}))
    assert of_key(model, "b") == [2.0, 2.0, 2.0]
    assert call(model, "moment", "b", 3, 0.0) == 0.0
    for _ in range(9):
        call(model, "push", "c", 1.0)
    assert of_key(model) == [2.0, 4.0, 1.0]
    assert of_key(model, "b") == [2.0, 2.0, 2.0]
    call(model, "push", "a", 9.0)
    for _ in range(9):
        call(model, "push", "c", 1.0)
    assert of_key(model)[0] == 2.0


@pytest.mark.parametrize(
    ("window", "keys"),
    [
        ([[1, ["a", 4.0]]], {}),
        ([[1, ["a", 4.0]]] * 2, {"a": [1, 4.0, 16.0, 4.0, 4.0]}),
        ([[1, ["a", 4.0], 5]], {"a": [1, 4.0, 16.0, 4.0, 4.0]}),
        ([[1, ["a"]]], {"a": [1, 4.0, 16.0, 4.0, 4.0]}),
        ([[-1, ["a", 4.0]]], {"a": [1, 4.0, 16.0, 4.0, 4.0]}),
        ([], {"a": [1, 4.0, 16.0, 4.0]}),
        ([], {"a": [1.0, 4.0, 16.0, 4.0, 4.0]}),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(window: list[Any], keys: dict[str, list[Any]]) -> None:
    model = taught(3, FOUR)
    before = model.pack()
    with pytest.raises(ModelFileError):
        model.unpack(driver(window, keys))
    assert model.pack() == before


# --- arguments and configurations


@pytest.mark.parametrize("degree", [2**31, -(2**31) - 1, 2**63, 2**64 - 1, 2**64 - 2**31, 2**32 + 3, 1.0, "1", None])
def test_a_degree_is_an_integer_of_32_bits(degree: Any) -> None:
    with pytest.raises(BadArguments):
        call(taught(3, FOUR), "moment", "a", degree, 0.0)


def test_all_arguments_are_checked_before_the_answer() -> None:
    model = taught(3, FOUR)
    before = model.pack()
    for row, args in (
        ("moment", ["a", -1]),
        ("moment", ["x", -1, "c"]),
        ("push", ["a"]),
        ("push", ["a", "1"]),
        ("sum", [5]),
    ):
        with pytest.raises(BadArguments):
            getattr(model, row)(Reader(b"".join(map(pack, args))))
    assert model.pack() == before


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"window_size": 0}, "invalid parameter (expected: 1 <= window_size) (.window_size)"),
        ({}, '"window_size" is not found ()'),
        ({"window_size": 5.0, "x": 1}, '"x" is not used (); Integer is expected, but Float is given. (.window_size)'),
    ],
)
def test_wrong_configurations(config: Any, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Stat(config)
    assert "; ".join(refused.value.messages) == text


# --- cost


GROWTH = """
import psutil
from jubatus._core.services.stat import Stat
from jubatus._core.wire import Reader, pack, unpack

def push(key, count=1):
    for _ in range(count):
        model.push(Reader(pack(key) + pack(1.0)))

def resident():
    return psutil.Process().memory_info().rss
"""
"""What a program of its own needs to say how much memory it has."""


def grown(program: str) -> list[int]:
    """Run a program that prints numbers in a process of its own, whose memory no other test has used."""
    done = subprocess.run([sys.executable, "-c", GROWTH + program], capture_output=True, text=True, check=True)
    return list(map(int, done.stdout.split()))


def test_keys_that_have_left_take_no_memory() -> None:
    keys, bytes_more = grown("""
model = Stat({"window_size": 1000})
for number in range(45_000):
    if number == 5_000:
        before = resident()
    push(f"{'key' * 30}{number}")
    push("one")
print(len(unpack(model.pack())[2]), resident() - before)
""")
    assert keys == 501
    assert bytes_more < 2 << 20  # the names alone are 4 MB


def test_a_key_with_few_numbers_left_takes_little_memory() -> None:
    (bytes_more,) = grown("""
model = Stat({"window_size": 20_000})
push("0", 20_000)
before = resident()
for key in range(1, 40):
    for other in range(key):
        push(str(other))
    push(str(key), 20_000 - key)
print(resident() - before)
""")
    assert bytes_more < 8 << 20  # 20 MB if each key kept what it once needed


@pytest.mark.parametrize("step", [-1.0, 1.0, 0.0])
def test_an_extreme_that_leaves_costs_no_look_through_the_window(step: float) -> None:
    def seconds(size: int) -> float:
        model = taught(size, [])
        push = model.push
        calls = [Reader(pack("a") + pack(step * number)) for number in range(3 * size)]
        begin = time.process_time()
        for args in calls:
            push(args)
        spent = time.process_time() - begin
        assert of_key(model)[1:] == sorted([step * 2 * size, step * (3 * size - 1)], reverse=True)
        return spent

    # With a look through the window for each number, four times the window takes 16 times as long.
    assert min(seconds(20_000) for _ in range(3)) < 8 * min(seconds(5_000) for _ in range(3))
