"""Tests of jubatus._core.services.burst: numbers and bytes that the original gives, and who processes which keyword.

tests/services plays any sequence of calls with the slow model.
"""

import math
import sys
from random import Random
from typing import Any

import pytest

from jubatus._core.context import Context
from jubatus._core.services.burst import Burst
from jubatus._core.wire import pack, unpack
from jubatus.errors import BadArguments, ConfigError, ModelError
from tests.core.calls import call, exact, mix_of
from tests.reference import burst as slow
from tests.services.burst import config

INF = math.inf
SAMPLE = config(5, 10, 5, 5, -1)
ONE_KEYWORD = (
    "93 95 05 cb 40 24 00 00 00 00 00 00 05 05 cb 7f ef ff ff ff ff ff ff 81 a1 6b 92 92 cb 40 00 00 00 00 00 00 00 "
    "cb 3f f0 00 00 00 00 00 00 93 90 05 cb 7f ef ff ff ff ff ff ff 81 a1 6b 94 90 05 cb 40 24 00 00 00 00 00 00 05"
)


class Some(Context):
    """Holds the keys of a set."""

    def __init__(self, *keys: bytes) -> None:
        super().__init__()
        self.keys = set(keys)

    def holds(self, key: bytes) -> bool:
        return key in self.keys


def documents(position: float, all: int, relevant: int) -> list[Any]:
    """Return documents of which some have the keyword k."""
    return [[position, "k" if number < relevant else "-"] for number in range(all)]


def made(config: Any = SAMPLE, *keywords: Any, context: Context | None = None) -> Burst:
    model = Burst(config, distributed=True, context=context or Context())
    for keyword in keywords or (["k", 2.0, 1.0],):
        assert call(model, "add_keyword", keyword) is True
    return model


def weights(counts: list[tuple[int, int]], reused: list[float], scaling: float, gamma: float) -> list[float]:
    """Have a model find bursts once more document came: it is made of a model file that has the window, and one before."""
    n = len(counts)
    before = [
        [[0, 0, 0.0]] * (n - len(reused)) + [[0, 0, weight] for weight in reused],
        -10.0 * (n - len(reused)),
        10.0,
    ]
    packed = [
        [n, 10.0, 5, n, sys.float_info.max],
        {b"k": [[scaling, gamma], [[before] if reused else [], 5, sys.float_info.max]]},
        {b"k": [[[[list(count) for count in counts], 0.0, 10.0]], n, 10.0, 5]},
    ]
    model = Burst(config(n, 10, 5, n, -1))
    model.unpack(pack(packed))
    assert call(model, "add_documents", [[10.0 * n - 5, "k"]]) == 1
    return [weight for _, _, weight in call(model, "get_result", "k")[1]]


# --- worked examples


@pytest.mark.parametrize(
    ("counts", "reused", "scaling", "gamma", "want"),
    [
        ([(10, r) for r in (10, 0, 0, 0, 10)], [], 2, 1, [6.931471805599452, 0, 0, 0, 6.931471805599452]),
        ([(10, r) for r in (10, 0, 0, 0, 10)], [0.0, 0.0], 2, 1, [0, 0, 0, 0, 6.931471805599452]),
        ([(10, r) for r in (1, 2, 1, 8, 9)], [], 2, 1, [0, 0, 0, 2.969468867866286, 4.950470336732869]),
        ([(10, r) for r in (1, 2, 1, 8, 9)], [], 3, 1, [INF] * 5),
        ([(5, r) for r in (0, 1, 0, 3, 4)], [], 2, 1, [0, 0, 0, 0.8074640082398428, 2.1365999555197845]),
        ([(5, r) for r in (0, 1, 0, 3, 4)], [], 2, 3, [0] * 5),
    ],
)
def test_bursts_of_a_window(
    counts: list[tuple[int, int]], reused: list[float], scaling: float, gamma: float, want: list[float]
) -> None:
    assert slow.find_bursts(counts, reused, scaling, gamma, sys.float_info.max) == want
    less = [*counts[:-1], (counts[-1][0] - 1, counts[-1][1] - 1)]
    assert weights(less, reused, scaling, gamma) == want


def test_windows_that_follow_each_other() -> None:
    model = made()
    for position, relevant in ((103, 1), (112, 1), (125, 6)):
        assert call(model, "add_documents", documents(position, 10, relevant)) == 10
    first = [[0, 0, 0.0], [0, 0, 0.0], [10, 1, 0.0], [10, 1, 0.0], [10, 6, 2.350942588387442]]
    assert call(model, "get_result", "k") == [80.0, first]
    assert call(model, "get_all_bursted_results") == {b"k": [80.0, first]}
    call(model, "add_documents", documents(131, 10, 1))
    second = [[10, 1, 0.0], [10, 6, 2.350942588387442], [10, 1, 0.0], [0, 0, 0.0], [0, 0, 0.0]]
    assert call(model, "get_result", "k") == [110.0, second]
    assert call(model, "get_all_bursted_results") == {}
    call(model, "add_documents", documents(141, 10, 1))
    third = [[10, 1, 0.0], [10, 6, 2.7871040788523507], [10, 1, 0.0], [10, 1, 0.0], [0, 0, 0.0]]
    assert call(model, "get_result", "k") == [110.0, third]
    assert call(model, "get_result_at", "k", 105) == [80.0, first]
    assert call(model, "get_result_at", "k", 115) == [110.0, third]
    assert call(model, "get_result_at", "k", 79) == [-1.0, []]
    assert call(model, "get_all_bursted_results_at", 121) == {b"k": [110.0, third]}
    assert call(model, "get_all_bursted_results_at", 115) == {}
    assert call(model, "add_documents", [[79, "k"], [105, "k"]]) == 0
    assert call(model, "add_documents", [[121, "k"]]) == 1
    for position, at in ((105, 4), (115, 1)):
        assert call(model, "get_result_at", "k", position)[1][at][:2] == [11, 7]


def test_bytes_of_a_model_file() -> None:
    data = bytes.fromhex(ONE_KEYWORD)
    model = made()
    assert model.pack() == data
    again = Burst(SAMPLE)
    again.unpack(data)
    assert again.pack() == data


def test_keywords_are_in_the_order_of_the_original() -> None:
    model = made(SAMPLE, *([name, 2.0, 1.0] for name in ("scala", "ocaml", "haskell")))
    assert [name for name, _, _ in call(model, "get_all_keywords")] == [b"haskell", b"ocaml", b"scala"]
    assert model.status() == {"all_keywords": "haskell,ocaml,scala", "processed_keywords": "haskell,ocaml,scala"}
    assert call(model, "remove_keyword", "ocaml") is True
    assert call(model, "remove_keyword", "ocaml") is False
    assert model.status()["all_keywords"] == "haskell,scala"
    assert Burst(SAMPLE).status() == {"all_keywords": "", "processed_keywords": ""}


# --- refusals


@pytest.mark.parametrize("scaling", [1.0, 0.5, -INF, math.nan])
def test_parameters_of_a_keyword(scaling: float) -> None:
    model = Burst(SAMPLE)
    with pytest.raises(ModelError, match=r"^invalid parameter \(expected: scaling_param must be > 1\.\)$"):
        call(model, "add_keyword", ["a", scaling, 0.0])
    with pytest.raises(ModelError, match=r"^invalid parameter \(expected: gamma must be > 0\.\)$"):
        call(model, "add_keyword", ["a", 2.0, scaling if scaling < 0 or scaling != scaling else 0.0])
    assert call(model, "get_all_keywords") == []


@pytest.mark.parametrize("position", [INF, -INF, math.nan])
def test_a_position_that_is_not_finite_is_refused_with_all_documents(position: float) -> None:
    model = made()
    before = model.pack()
    with pytest.raises(ModelError, match=r"^the position of document 1 is not finite$"):
        call(model, "add_documents", [[1.0, "k"], [position, "k"], [2.0, "k"]])
    assert model.pack() == before


def test_a_document_may_lack_its_text_but_not_its_position() -> None:
    model = made()
    assert call(model, "add_documents", [[1.0]]) == 1
    for document in ([], ["1.0", "k"], [1.0, 2.0]):
        with pytest.raises(BadArguments):
            call(model, "add_documents", [document])
    assert call(model, "get_result", "k")[1][2][:2] == [1, 0]


def test_windows_that_memory_does_not_hold_are_refused() -> None:
    model = made(config(2**31 - 1, 1, 5, 0, -1))
    with pytest.raises(ModelError, match="at most 16777216 batches are allowed"):
        call(model, "add_documents", [[1.0, "k"]])


def test_wrong_parameters_of_the_configuration_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Burst(config(0, 0.0, 0, -1, 0))
    assert caught.value.messages == (
        "invalid parameter (expected: window_batch_size should > 0) (.parameter.window_batch_size)",
        "invalid parameter (expected: batch_interval should > 0) (.parameter.batch_interval)",
        "invalid parameter (expected: result_window_rotate_size should > 0) (.parameter.result_window_rotate_size)",
        "invalid parameter (expected: max_reuse_batch_num should >= 0) (.parameter.max_reuse_batch_num)",
    )


def test_a_gap_between_documents_may_be_of_any_length() -> None:
    model = made(config(5, 1, 5, 5, -1))
    for position in (0.0, 1.7e12, 1.7e12 + 1):
        assert call(model, "add_documents", [[position, "k"]]) == 1
    assert call(model, "get_result", "k")[0] == 1.7e12 - 2


# --- who processes which keyword


def test_a_model_processes_the_keywords_that_its_server_holds() -> None:
    context = Some(b"k")
    model = made(SAMPLE, ["k", 2.0, 1.0], ["l", 2.0, 1.0], context=context)
    assert call(model, "add_documents", [[1.0, "k l"]]) == 1
    assert model.status()["processed_keywords"] == "k"
    assert call(model, "get_result", "l") == [-1.0, []]
    context.keys = {b"l"}
    model.reassign()
    assert sorted(model.status()["processed_keywords"].split(",")) == ["k", "l"]
    assert call(model, "add_documents", [[2.0, "k l"]]) == 1
    for left in range(5):
        assert "k" in model.status()["processed_keywords"].split(","), left
        model.reassign()
        mixed, _ = mix_of([model])
        assert model.put_diff(mixed)
    assert model.status()["processed_keywords"] == "l"
    assert call(model, "get_result", "k")[1][2][:2] == [2, 2]
    assert call(model, "get_result", "l")[1][2][:2] == [1, 1]
    context.keys = {b"k", b"l"}
    model.reassign()
    assert sorted(model.status()["processed_keywords"].split(",")) == ["k", "l"]


def test_who_takes_a_keyword_over_goes_on_from_the_last_mix() -> None:
    context = Some()
    one, two = made(context=Some(b"k")), made(context=context)
    for position in (1.0, 11.0, 31.0):
        call(one, "add_documents", documents(position, 4, 2))
        mixed, _ = mix_of([one, two])
        for model in (one, two):
            assert model.put_diff(mixed)
    context.keys = {b"k"}
    two.reassign()
    for position in (32.0, 12.0, 50.0):
        for model in (one, two):
            assert call(model, "add_documents", documents(position, 3, 3)) == 3
        assert call(two, "get_result", "k") == call(one, "get_result", "k")
    start, batches = call(two, "get_result_at", "k", 20.0)
    assert (start, [batch[0] for batch in batches]) == (10.0, [7, 0, 7, 0, 3])


def test_a_keyword_that_comes_back_in_time_keeps_its_windows() -> None:
    context = Some(b"k")
    model = made(context=context)
    call(model, "add_documents", [[1.0, "k"]])
    for keys in (set(), {b"k"}):
        context.keys = keys
        model.reassign()
        model.put_diff(mix_of([model])[0])
    for _ in range(9):
        model.put_diff(mix_of([model])[0])
    call(model, "add_documents", [[1.0, "k"]])
    assert call(model, "get_result", "k")[1][2][:2] == [2, 2]


def test_who_becomes_another_server_processes_its_own_keywords() -> None:
    peer, model = made(context=Some(b"k")), made(context=Some(b"l"))
    call(peer, "add_keyword", ["l", 2.0, 1.0])
    call(peer, "add_documents", [[1.0, "k l"]])
    fresh = model.fresh()
    fresh.unpack(peer.pack())
    assert fresh.status()["processed_keywords"] == "l"
    model.catch_up(fresh)
    assert model.status() == {"all_keywords": peer.status()["all_keywords"], "processed_keywords": "l"}
    assert call(model, "get_result", "k") == call(peer, "get_result", "k")


def test_a_mix_brings_keywords_and_the_results_with_more_documents() -> None:
    one, two = made(context=Some(b"k")), Burst(SAMPLE, distributed=True, context=Some())
    call(one, "add_documents", documents(1.0, 4, 2))
    mixed, _ = mix_of([one, two])
    for model in (one, two):
        assert model.put_diff(mixed)
    assert call(two, "get_all_keywords") == [[b"k", 2.0, 1.0]]
    assert two.status()["processed_keywords"] == ""
    assert call(two, "get_result", "k") == call(one, "get_result", "k")
    assert unpack(one.get_diff()) == [[{b"k": [[2.0, 1.0], []]}]]
    other = made()
    call(other, "add_documents", documents(1.0, 3, 3))
    smaller = other.get_diff()
    before = call(two, "get_result", "k")
    assert two.put_diff(smaller)
    assert call(two, "get_result", "k") == before
    call(other, "add_documents", documents(1.0, 2, 0))
    assert two.put_diff(other.get_diff())
    assert call(two, "get_result", "k") == call(other, "get_result", "k")


# --- many keywords


def test_many_keywords_are_found_as_few_are() -> None:
    """From some number of keywords on, a text is looked through before."""
    random = Random(1)
    texts = ["".join(random.choices("abあ ", k=random.randrange(9))) for _ in range(40)]
    words = sorted({"".join(random.choices("abあ ", k=random.randrange(5))) for _ in range(60)})
    data = [[1.0, text] for text in texts]
    many = made(SAMPLE, *([word, 1.5, 0.1] for word in words))
    assert call(many, "add_documents", data) == len(texts)
    for word in words:
        few = made(SAMPLE, [word, 1.5, 0.1])
        call(few, "add_documents", data)
        assert exact(call(many, "get_result", word)) == exact(call(few, "get_result", word))
        assert call(few, "get_result", word)[1][2][:2] == [len(texts), sum(word in text for text in texts)]
