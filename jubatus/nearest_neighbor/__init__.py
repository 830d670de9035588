"""Declaration of nearest_neighbor: the rows whose data are nearest to a row or to a datum, by hashes of the data."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DATUM, DOUBLE, STRING, UINT, Message, TList, TUserDef


class IdWithScore(Message):
    """The id of a row, and its distance or similarity."""

    id: Annotated[str, STRING]
    score: Annotated[float, DOUBLE]


_ID = Argument("id", STRING)
_QUERY = Argument("query", DATUM)
_DISTANCE = "distance: for lsh and minhash the share of hash bits that differ, for euclid_lsh a Euclidean distance"
_SIMILARITY = "similarity: for lsh and minhash the share of hash bits that agree, for euclid_lsh minus the distance"


def _search(name: str, key: Argument, count: str, first: str, what: str, score: str) -> Method:
    """Declare a search for the nearest rows."""
    return Method(
        name,
        (key, Argument(count, UINT)),
        TList(TUserDef(IdWithScore)),
        Route.RANDOM,
        Lock.ANALYSIS,
        Join.PASS,
        f"""{first}

        Args:
            {key.name}: {what}
            {count}: how many rows are returned at most.

        Returns:
            list of IdWithScore, the nearest first; its score is the {score}.
            Of rows that are equally near the one that was added first comes first.
        """,
    )


_ROW = "id of the row; without such a row the result is empty. The row itself is among the results."
_DATUM = "the datum, converted with the weights of the data so far."

SERVICE = Service(
    name="nearest_neighbor",
    model="jubatus._core.services.nearest_neighbor:NearestNeighbor",
    common=COMMON,
    messages=(IdWithScore,),
    uses_cht=True,
    methods=(
        Method(
            "set_row",
            (_ID, Argument("d", DATUM)),
            BOOL,
            Route.CHT,
            Lock.UPDATE,
            Join.PASS,
            """Add a row, or replace it by another datum; only the hash of the datum is kept.

            Args:
                id: of the row.
                d: the datum.

            Returns:
                True.

            Raises:
                JubatusError: a number of the datum is NaN or infinite; or a rule took a value whose key has a ``$``.
            """,
            counts=True,
            replicas=1,
        ),
        _search("neighbor_row_from_id", _ID, "size", "Return the rows nearest to a row.", _ROW, _DISTANCE),
        _search("neighbor_row_from_datum", _QUERY, "size", "Return the rows nearest to a datum.", _DATUM, _DISTANCE),
        _search("similar_row_from_id", _ID, "ret_num", "Return the rows most similar to a row.", _ROW, _SIMILARITY),
        _search(
            "similar_row_from_datum", _QUERY, "ret_num", "Return the rows most similar to a datum.", _DATUM, _SIMILARITY
        ),
        Method(
            "get_all_rows",
            (),
            TList(STRING),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the ids of all rows that the server has.

            Returns:
                list of ids; in a cluster those of other servers come with a MIX.
            """,
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
