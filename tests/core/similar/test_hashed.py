"""The order in which the method euclid_lsh lists its rows."""

import pytest

from jubatus._core.services.recommender import Recommender
from tests.core.calls import call
from tests.reference.tr1 import Map, set_of
from tests.services.recommender import config_of


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 40, 41, 97])
def test_rows_are_listed_as_a_set_that_a_map_was_put_into(count: int) -> None:
    model = Recommender(config_of("euclid_lsh"))
    names = [f"r{number}".encode() for number in range(count)]
    for name in names:
        call(model, "update_row", name, [[], [["k", 1.0]], []])
    assert call(model, "get_all_rows") == set_of(Map((name, None) for name in names))


def test_more_rows_than_the_list_of_sizes_has() -> None:
    model = Recommender(config_of("euclid_lsh", hash_num=1, table_num=1))
    names = {f"{number}".encode() for number in range(8000)}
    for name in names:
        call(model, "update_row", name, [[], [["k", 1.0]], []])
    assert set(call(model, "get_all_rows")) == names
