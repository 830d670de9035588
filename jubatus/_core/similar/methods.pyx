"""The methods of finding similar rows, by the names that configurations have for them."""

from jubatus._core.similar.hashed cimport EuclidLshRows, MinHashRows, ProjectedRows
from jubatus._core.similar.inverted cimport InvertedIndexRows
from jubatus._core.similar.nearest cimport NearestRows

from jubatus._core.context import ALONE
from jubatus._core.near.neighbours import MOST_BITS, make_neighbours
from jubatus._core.schema import ANY, BOOL, FLOAT, INTEGER, LONG, STRING, Field, optional, read, require, structure
from jubatus._core.unlearn import make_unlearner
from jubatus.errors import ConfigError, UnsupportedMethod

UNLEARNER = {"unlearner": optional(STRING), "unlearner_parameter": optional(ANY)}
INVERTED_INDEX = structure(UNLEARNER)
INVERTED_INDEX_EUCLID = structure({"ignore_orthogonal": optional(BOOL, False), **UNLEARNER})
MINHASH = structure({"hash_num": Field(LONG), **UNLEARNER})
_PROJECTED = {"hash_num": Field(LONG), "threads": optional(INTEGER, 0), "cache_size": optional(INTEGER, 0)}
LSH = structure({**_PROJECTED, **UNLEARNER})
EUCLID_LSH = structure({
    "table_num": Field(LONG), "bin_width": Field(FLOAT), "probe_num": Field(INTEGER), "seed": Field(INTEGER),
    **_PROJECTED, **UNLEARNER,
})

NEAREST = structure({"method": Field(STRING), "parameter": Field(ANY), **UNLEARNER})


def make_similar_rows(name, parameter, path, context=ALONE, distributed=False):
    """Return the method that a configuration names.

    Args:
        name: a key of METHODS.
        parameter: its parameter, as parsed JSON.
        path: where that stands in the configuration.
        context: where the model runs.
        distributed: whether it takes part in MIX.

    Raises:
        ConfigError: for a parameter that cannot be used.
        UnsupportedMethod: for another name.
    """
    if name not in METHODS:
        raise UnsupportedMethod(name, *METHODS)
    return METHODS[name](parameter, path, context, distributed)


def make_unlearner_of(members, path):
    """Return the unlearner that the parameter of a method names, or None."""
    if members["unlearner"] is None and members["unlearner_parameter"] is not None:
        raise ConfigError("unlearner_parameter is set but unlearner is not found")
    return make_unlearner(members["unlearner"], members["unlearner_parameter"], f"{path}.unlearner_parameter")


def make_inverted_index(parameter, path, context, distributed):
    """Make the method ``inverted_index``."""
    members = read({} if parameter is None else parameter, INVERTED_INDEX, path)
    return InvertedIndexRows(make_unlearner_of(members, path))


def make_inverted_index_euclid(parameter, path, context, distributed):
    """Make the method ``inverted_index_euclid``."""
    members = read({} if parameter is None else parameter, INVERTED_INDEX_EUCLID, path)
    return InvertedIndexRows(
        make_unlearner_of(members, path), by_distance=True, met_only=members["ignore_orthogonal"]
    )


def make_lsh(parameter, path, context, distributed):
    """Make the method ``lsh``."""
    members = read(parameter, LSH, path)
    require(
        path,
        (1 <= members["hash_num"] <= MOST_BITS, f"1 <= hash_num <= {MOST_BITS}"),
        (0 <= members["cache_size"], "0 <= cache_size"),
    )
    return ProjectedRows(members["hash_num"], members["threads"], make_unlearner_of(members, path))


def make_minhash(parameter, path, context, distributed):
    """Make the method ``minhash``."""
    members = read(parameter, MINHASH, path)
    require(path, (1 <= members["hash_num"] <= MOST_BITS, f"1 <= hash_num <= {MOST_BITS}"))
    return MinHashRows(members["hash_num"], 0, make_unlearner_of(members, path))


def make_euclid_lsh(parameter, path, context, distributed):
    """Make the method ``euclid_lsh``."""
    members = read(parameter, EUCLID_LSH, path)
    bits, tables = members["hash_num"], members["table_num"]
    require(
        path,
        (1 <= bits, "1 <= hash_num"),
        (1 <= tables, "1 <= table_num"),
        (bits * tables <= MOST_BITS, f"hash_num * table_num <= {MOST_BITS}"),
        (0.0 < members["bin_width"], "0.0 < bin_width"),
        (0 <= members["probe_num"], "0 <= probe_num"),
        (0 <= members["seed"], "0 <= seed"),
        (0 <= members["cache_size"], "0 <= cache_size"),
    )
    return EuclidLshRows(
        bits, tables, members["bin_width"], members["probe_num"], members["seed"], members["threads"],
        make_unlearner_of(members, path),
    )


def make_nearest(parameter, path, context, distributed):
    """Make the method ``nearest_neighbor_recommender``."""
    members = read(parameter, NEAREST, path)
    neighbours = make_neighbours(members["method"], members["parameter"], f"{path}.parameter", context, distributed)
    parameter = members["unlearner_parameter"]
    return NearestRows(neighbours, make_unlearner(members["unlearner"], parameter, f"{path}.unlearner_parameter"))


METHODS = {
    "inverted_index": make_inverted_index,
    "inverted_index_euclid": make_inverted_index_euclid,
    "lsh": make_lsh,
    "minhash": make_minhash,
    "euclid_lsh": make_euclid_lsh,
    "nearest_neighbor_recommender": make_nearest,
}
