"""The methods of finding similar rows, by the names that configurations have for them."""

from jubatus._core.similar.inverted cimport InvertedIndexRows

from jubatus._core.context import ALONE
from jubatus._core.schema import ANY, BOOL, STRING, optional, read, structure
from jubatus._core.unlearn import make_unlearner
from jubatus.errors import ConfigError, UnsupportedMethod

UNLEARNER = {"unlearner": optional(STRING), "unlearner_parameter": optional(ANY)}
INVERTED_INDEX = structure(UNLEARNER)
INVERTED_INDEX_EUCLID = structure({"ignore_orthogonal": optional(BOOL, False), **UNLEARNER})


def make_similar_rows(name, parameter, path, context=ALONE):
    """Return the method that a configuration names.

    Args:
        name: a key of METHODS.
        parameter: its parameter, as parsed JSON.
        path: where that stands in the configuration.
        context: where the model runs.

    Raises:
        ConfigError: for a parameter that cannot be used.
        UnsupportedMethod: for another name.
    """
    if name not in METHODS:
        raise UnsupportedMethod(name, *METHODS)
    return METHODS[name](parameter, path, context)


def make_unlearner_of(members, path):
    """Return the unlearner that the parameter of a method names, or None."""
    if members["unlearner"] is None and members["unlearner_parameter"] is not None:
        raise ConfigError("unlearner_parameter is set but unlearner is not found")
    return make_unlearner(members["unlearner"], members["unlearner_parameter"], f"{path}.unlearner_parameter")


def make_inverted_index(parameter, path, context):
    """Make the method ``inverted_index``."""
    members = read({} if parameter is None else parameter, INVERTED_INDEX, path)
    return InvertedIndexRows(make_unlearner_of(members, path))


def make_inverted_index_euclid(parameter, path, context):
    """Make the method ``inverted_index_euclid``."""
    members = read({} if parameter is None else parameter, INVERTED_INDEX_EUCLID, path)
    return InvertedIndexRows(
        make_unlearner_of(members, path), by_distance=True, met_only=members["ignore_orthogonal"]
    )


METHODS = {
    "inverted_index": make_inverted_index,
    "inverted_index_euclid": make_inverted_index_euclid,
}
