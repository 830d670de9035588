"""The methods that keep records, by the names that configurations have for them."""

from jubatus._core.near.neighbours import make_neighbours
from jubatus._core.records.store import HashedRecords, IndexedRecords, RecordTable
from jubatus._core.schema import ANY, INTEGER, STRING, Field, collect, optional, structure
from jubatus._core.unlearn import make_unlearner

HASHED = ("NN", "nearest_neighbor")
INDEXED = ("cosine", "euclidean")
METHODS = (*HASHED, *INDEXED)
PATH = ".parameter"

_NUMBER = {"nearest_neighbor_num": Field(INTEGER)}
_HASHED = {
    "method": Field(STRING), "parameter": Field(ANY), "unlearner": optional(STRING), "unlearner_parameter": optional(ANY),
}


def keeps_records(config):
    """Return whether a configuration names a method that keeps records."""
    return isinstance(config, dict) and config.get("method") in METHODS


def read_parameter(method, parameter, fields, errors):
    """Read the parameter of a method; None if it cannot be read.

    Args:
        method: one of METHODS.
        parameter: as parsed JSON.
        fields: the members that the service has besides ``nearest_neighbor_num`` and those of the method.
        errors: gets what is wrong with it.
    """
    if parameter is None:
        errors.append("parameter block is not specified in config")
        return None
    before = len(errors)
    of_method = _HASHED if method in HASHED else {}
    members = structure({**_NUMBER, **fields, **of_method})(parameter, PATH, errors)
    return members if len(errors) == before else None


def make_records(method, members, beside, context, distributed, errors):
    """Return the records of a method; None if it cannot be used.

    Args:
        method: one of METHODS.
        members: what read_parameter returned. A negative ``nearest_neighbor_num`` stands for 2**32 more, as in 1.1.
        beside: what the service keeps beside the records.
        context: where the model runs.
        distributed: whether it takes part in MIX.
        errors: gets what is wrong with the parameter.
    """
    most = members["nearest_neighbor_num"] % 2**32
    if method in INDEXED:
        return IndexedRecords(method == "euclidean", most, beside)
    before = len(errors)
    neighbours = collect(
        errors, make_neighbours,
        members["method"], members["parameter"], f"{PATH}.parameter", context, distributed, RecordTable,
    )
    unlearner = collect(
        errors, make_unlearner, members["unlearner"], members["unlearner_parameter"], f"{PATH}.unlearner_parameter"
    )
    return HashedRecords(neighbours, unlearner, most, beside) if len(errors) == before else None
