"""Worked examples of the hashes, and rows ranked by many threads."""

from random import Random
from typing import Any

import pytest

from jubatus._core.context import Context
from jubatus._core.services.nearest_neighbor import NearestNeighbor
from jubatus._core.wire import unpack
from jubatus.errors import ConfigError, UnsupportedMethod
from tests.core.calls import call, exact
from tests.reference import near

NUM = {"num_rules": [{"key": "*", "type": "num"}]}


def made(method: str, bits: int, context: Context | None = None, **more: Any) -> NearestNeighbor:
    config = {"method": method, "parameter": {"hash_num": bits, **more}, "converter": NUM}
    return NearestNeighbor(config, **({"context": context} if context else {}))


def datum(*numbers: float) -> list[Any]:
    return [[], [[key, x] for key, x in zip("xyzuvw", numbers, strict=False)], []]


def words(model: NearestNeighbor) -> list[int]:
    return unpack(model.pack())[0][3][0][1]  # type: ignore[no-any-return]


def test_words_and_normal_numbers_of_a_seed() -> None:
    assert near.sfmt607(1, 5) == [274098068, 3192361240, 3037283361, 3376134804, 4085586643]
    assert near.fnv1(b"x@num") == 0xBA11CD050E2CE00F
    bits = [near.bits_of(x) for x in near.gaussians(near.fnv1(b"x@num") & 0xFFFFFFFF, 8)]
    assert bits == [0xBEA73CBB, 0x3FD37ED6, 0xBF93BEE2, 0x3F86C64F, 0xBE0472E2, 0x3E65DCBE, 0xBFA2084D, 0x3F50D1B8]


def test_hashes_of_the_worked_example() -> None:
    model = made("lsh", 64)
    for name, numbers in (("r1", (1, -2)), ("r2", (2, -4)), ("r3", (1, 1)), ("r4", ())):
        call(model, "set_row", name, datum(*numbers))
    assert words(model) == [0xFA1BD68DD7B29414, 0xFA1BD68DD7B29414, 0x4DD23476EF504FAB, 0]
    assert call(model, "neighbor_row_from_id", "r1", 4) == [
        [b"r1", 0.0], [b"r2", 0.0], [b"r4", 0.53125], [b"r3", 0.640625],
    ]  # fmt: skip
    assert call(model, "similar_row_from_id", "r1", 2) == [[b"r1", 1.0], [b"r2", 1.0]]


def test_distances_of_the_worked_example() -> None:
    model = made("euclid_lsh", 64)
    for name, numbers in (("r1", (1, -2)), ("r2", (2, -4)), ("r3", (1, 1)), ("r4", ())):
        call(model, "set_row", name, datum(*numbers))
    found = call(model, "neighbor_row_from_id", "r1", 9)
    assert [name for name, _ in found] == [b"r1", b"r2", b"r4", b"r3"]
    assert [x for _, x in found] == [
        0.0,
        2.23606797749979,
        2.23606797749979,
        pytest.approx(3.1151397787084245, rel=1e-15),
    ]
    assert exact(call(model, "similar_row_from_id", "r1", 1)) == [[b"r1", "-0.0"]]


def test_bits_of_minhash_of_the_worked_example() -> None:
    model = made("minhash", 8)
    call(model, "set_row", "r", datum(1, 2))
    assert words(model) == [0b11010101]


@pytest.mark.parametrize("method", ["lsh", "euclid_lsh", "minhash"])
def test_the_number_of_threads_does_not_show(method: str) -> None:
    """Vectors of 1,048,576 bits make few rows a large table. Many rows are equally near."""
    random = Random(5)
    models = [made(method, 1 << 20, Context("here", threads)) for threads in (1, 2, 3, 8)]
    for number in range(24):
        row = datum(*(random.choice((1.0, -1.0)) for _ in range(2)))
        for model in models:
            call(model, "set_row", f"r{number}", row)
    for most in (1, 2, 5, 24, 100):
        answers = [call(model, "neighbor_row_from_datum", datum(1.0, 0.5), most) for model in models]
        assert all(answer == answers[0] for answer in answers)
        assert len(answers[0]) == min(most, 24)


def test_a_large_table_makes_searches_long() -> None:
    model = made("lsh", 1 << 20)
    for number in range(4):
        assert not model.neighbor_row_from_id.long
        call(model, "set_row", f"r{number}", datum(number))
    assert model.neighbor_row_from_id.long and model.get_all_rows.long
    assert not model.set_row.long


def test_a_row_of_infinite_norm_is_far() -> None:
    model = made("euclid_lsh", 8)
    call(model, "set_row", "far", datum(1e200, 1e200))
    call(model, "set_row", "near", datum(1.0))
    assert [name for name, _ in call(model, "neighbor_row_from_datum", datum(1.0), 2)] == [b"near", b"far"]


def test_parameters_that_cannot_be_used() -> None:
    for bits in (0, -1, (1 << 20) + 1):
        with pytest.raises(ConfigError, match=r"expected: 1 <= hash_num <= 1048576\) \(\.parameter\)$"):
            made("lsh", bits)
    with pytest.raises(ConfigError, match="expected: 0 <= cache_size"):
        made("euclid_lsh", 8, cache_size=-1)
    with pytest.raises(ConfigError, match='"cache_size" is not used'):
        made("minhash", 8, cache_size=1)
    with pytest.raises(UnsupportedMethod):
        made("hnsw", 8)
    with pytest.raises(ConfigError, match="Object is expected, but Null is given"):
        NearestNeighbor({"method": "lsh", "converter": NUM})
