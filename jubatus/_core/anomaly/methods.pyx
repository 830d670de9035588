"""The methods of telling outliers, by the names that configurations have for them."""

from jubatus._core.anomaly.light import LightLof
from jubatus._core.anomaly.lof import Lof
from jubatus._core.near.neighbours import make_neighbours
from jubatus._core.schema import ANY, BOOL, INTEGER, STRING, Field, optional, read, require, structure
from jubatus._core.similar.methods import make_similar_rows
from jubatus._core.unlearn import make_unlearner
from jubatus.errors import UnsupportedMethod

PARAMETER = structure(
    {
        "nearest_neighbor_num": Field(INTEGER),
        "reverse_nearest_neighbor_num": Field(INTEGER),
        "ignore_kth_same_point": optional(BOOL, False),
        "method": Field(STRING),
        "parameter": Field(ANY),
        "unlearner": optional(STRING),
        "unlearner_parameter": optional(ANY),
    }
)


def make_detector(name, parameter, path, context, distributed):
    """Return the method that a configuration names.

    Args:
        name: ``lof`` or ``light_lof``.
        parameter: its parameter, as parsed JSON: ``nearest_neighbor_num`` and ``reverse_nearest_neighbor_num``,
            ``ignore_kth_same_point`` (no by default), ``method`` and ``parameter`` of the rows: for ``lof`` a method of
            the recommender (similar.methods), for ``light_lof`` one of nearest_neighbor (near.neighbours); ``unlearner``
            and ``unlearner_parameter``, which are optional.
        path: where that stands in the configuration.
        context: where the model runs.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a parameter that cannot be used.
        UnsupportedMethod: for another name.
    """
    if name not in METHODS:
        raise UnsupportedMethod(name, *METHODS)
    return METHODS[name](read(parameter, PARAMETER, path), path, context, distributed)


def check(members, path):
    """Raise ConfigError unless the numbers of neighbours fit."""
    k, reverse = members["nearest_neighbor_num"], members["reverse_nearest_neighbor_num"]
    require(
        path,
        (2 <= k, "2 <= nearest_neighbor_num"),
        (k <= reverse, "nearest_neighbor_num <= reverse_nearest_neighbor_num"),
    )


def make_lof(members, path, context, distributed):
    """Make the method ``lof``."""
    rows = make_similar_rows(members["method"], members["parameter"], f"{path}.parameter", context, distributed)
    unlearner = make_unlearner(members["unlearner"], members["unlearner_parameter"], f"{path}.unlearner_parameter")
    check(members, path)
    return Lof(*_numbers(members), rows, unlearner)


def make_light_lof(members, path, context, distributed):
    """Make the method ``light_lof``, which with an unlearner takes any numbers of neighbours, as in 1.1."""
    neighbours = make_neighbours(members["method"], members["parameter"], f"{path}.parameter", context, distributed)
    unlearner = make_unlearner(members["unlearner"], members["unlearner_parameter"], f"{path}.unlearner_parameter")
    if unlearner is None:
        check(members, path)
    return LightLof(*_numbers(members), neighbours, unlearner, context, distributed)


def _numbers(members):
    return (
        members["nearest_neighbor_num"],
        members["reverse_nearest_neighbor_num"],
        members["ignore_kth_same_point"],
    )


METHODS = {"lof": make_lof, "light_lof": make_light_lof}
