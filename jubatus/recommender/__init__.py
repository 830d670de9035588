"""Declaration of recommender: finds rows that are similar to others, and fills in what a row lacks."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DATUM, DOUBLE, FLOAT, STRING, UINT, Message, TList, TUserDef, Type

_ID, _ROW = Argument("id", STRING), Argument("row", DATUM)
_SIZE, _SCORE, _RATE = Argument("size", UINT), Argument("score", DOUBLE), Argument("rate", FLOAT)


class IdWithScore(Message):
    """A row and how similar it is."""

    id: Annotated[str, STRING]
    score: Annotated[float, DOUBLE]


_FOUND = TList(TUserDef(IdWithScore))


def _update(name: str, doc: str, *args: Argument) -> Method:
    """Declare an update of a row on the servers to which it belongs."""
    return Method(name, args, BOOL, Route.CHT, Lock.UPDATE, Join.ALL_AND, doc, counts=True)


def _of_row(name: str, returns: Type, doc: str, *args: Argument) -> Method:
    """Declare a question about a row, which a server answers to which it belongs."""
    return Method(name, (_ID, *args), returns, Route.CHT, Lock.ANALYSIS, Join.PASS, doc)


def _ask(name: str, returns: Type, doc: str, *args: Argument) -> Method:
    """Declare a question that any server answers."""
    return Method(name, args, returns, Route.RANDOM, Lock.ANALYSIS, Join.PASS, doc)


SERVICE = Service(
    name="recommender",
    model="jubatus._core.services.recommender:Recommender",
    common=COMMON,
    messages=(IdWithScore,),
    uses_cht=True,
    methods=(
        _update(
            "clear_row",
            """Remove a row.

            Args:
                id: of the row.

            Returns:
                True, also if there is no such row.
            """,
            _ID,
        ),
        _update(
            "update_row",
            """Give a row the values of a datum; what else it has stays.

            Args:
                id: of the row, which may be new.
                row: the datum.

            Returns:
                True.

            Raises:
                JubatusError: the datum is refused, or the unlearner has no room for the row.
            """,
            _ID,
            _ROW,
        ),
        clear(),
        _of_row(
            "complete_row_from_id",
            DATUM,
            """Return the mean of the 128 rows that are most similar to a row, itself among them.

            Args:
                id: of the row.

            Returns:
                a datum of what can be told of the mean: its numbers and whole strings.
            """,
        ),
        _ask(
            "complete_row_from_datum",
            DATUM,
            """Return the mean of the 128 rows that are most similar to a datum.

            Args:
                row: the datum.

            Returns:
                a datum of what can be told of the mean: its numbers and whole strings.
            """,
            _ROW,
        ),
        _of_row(
            "similar_row_from_id",
            _FOUND,
            """Return the rows that are most similar to a row, itself among them.

            Args:
                id: of the row.
                size: how many at most.

            Returns:
                rows and their similarity, the most similar one first.
            """,
            _SIZE,
        ),
        _of_row(
            "similar_row_from_id_and_score",
            _FOUND,
            """Return all rows that are at least so similar to a row.

            Args:
                id: of the row.
                score: the least similarity.

            Returns:
                rows and their similarity, the most similar one first.
            """,
            _SCORE,
        ),
        _of_row(
            "similar_row_from_id_and_rate",
            _FOUND,
            """Return a part of all rows: those that are most similar to a row.

            Args:
                id: of the row.
                rate: which part, above 0 and up to 1.

            Returns:
                rows and their similarity, the most similar one first.

            Raises:
                JubatusError: there is no such part.
            """,
            _RATE,
        ),
        _ask(
            "similar_row_from_datum",
            _FOUND,
            """Return the rows that are most similar to a datum.

            Args:
                row: the datum.
                size: how many at most.

            Returns:
                rows and their similarity, the most similar one first.
            """,
            _ROW,
            _SIZE,
        ),
        _ask(
            "similar_row_from_datum_and_score",
            _FOUND,
            """Return all rows that are at least so similar to a datum.

            Args:
                row: the datum.
                score: the least similarity.

            Returns:
                rows and their similarity, the most similar one first.
            """,
            _ROW,
            _SCORE,
        ),
        _ask(
            "similar_row_from_datum_and_rate",
            _FOUND,
            """Return a part of all rows: those that are most similar to a datum.

            Args:
                row: the datum.
                rate: which part, above 0 and up to 1.

            Returns:
                rows and their similarity, the most similar one first.

            Raises:
                JubatusError: there is no such part.
            """,
            _ROW,
            _RATE,
        ),
        _of_row(
            "decode_row",
            DATUM,
            """Return what a row was given.

            Args:
                id: of the row.

            Returns:
                a datum of its numbers and whole strings; an empty one for a row that is not there.
            """,
        ),
        _ask(
            "get_all_rows",
            TList(STRING),
            """Return the rows that can be found.

            Returns:
                their ids, in no particular order.
            """,
        ),
        _ask(
            "calc_similarity",
            DOUBLE,
            """Return the cosine of two datums, whatever the method.

            Args:
                lhs: one datum.
                rhs: the other one.

            Returns:
                the cosine; 0 if one of them has no features.
            """,
            Argument("lhs", DATUM),
            Argument("rhs", DATUM),
        ),
        _ask(
            "calc_l2norm",
            DOUBLE,
            """Return the length of a datum.

            Args:
                row: the datum.

            Returns:
                the root of the sum of its squared features.
            """,
            _ROW,
        ),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
