"""Declaration of anomaly: how far points lie out, by the local outlier factor."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DATUM, DOUBLE, STRING, Message, TList, TUserDef


class IdWithScore(Message):
    """The id of a row, and its score."""

    id: Annotated[str, STRING]
    score: Annotated[float, DOUBLE]


_ID = Argument("id", STRING)
_ROW = Argument("row", DATUM)
_SCORE = "the local outlier factor: about 1 inside a cluster, higher for an outlier, infinity without neighbours."
_BAD = "a number of the datum is NaN or infinite; a rule took a value whose key has a ``$``; there is no room for a row"


def _change(name: str, doc: str) -> Method:
    """Declare an update of a row on the servers that have it."""
    args = (_ID, _ROW)
    return Method(name, args, DOUBLE, Route.CHT, Lock.UPDATE, Join.PASS, doc, counts=True)


SERVICE = Service(
    name="anomaly",
    model="jubatus._core.services.anomaly:Anomaly",
    common=COMMON,
    messages=(IdWithScore,),
    uses_cht=True,
    methods=(
        Method(
            "clear_row",
            (_ID,),
            BOOL,
            Route.CHT,
            Lock.UPDATE,
            Join.ALL_AND,
            """Remove a row. The scores of others stay as they are until something is stored near them.

            Args:
                id: of the row.

            Returns:
                True, also if there is no such row.

            Raises:
                JubatusError: the method is ``light_lof``.
            """,
            counts=True,
        ),
        Method(
            "add",
            (_ROW,),
            TUserDef(IdWithScore),
            Route.RANDOM,
            Lock.NOLOCK,
            Join.PASS,
            f"""Store a datum as a new row.

            Args:
                row: the datum.

            Returns:
                its id, a decimal number, and its score, {_SCORE}

            Raises:
                JubatusError: {_BAD};
                    in a cluster also: there is no id, or the row's first server did not store it.
            """,
            changes=True,
        ),
        Method(
            "add_bulk",
            (Argument("data", TList(DATUM)),),
            TList(STRING),
            Route.RANDOM,
            Lock.NOLOCK,
            Join.PASS,
            f"""Store several datums as new rows, in a cluster on the server that is called only.

            Args:
                data: the datums.

            Returns:
                ids of the rows that were stored.

            Raises:
                JubatusError: {_BAD}; in a cluster also: there is no id.
            """,
            changes=True,
            counts=True,
        ),
        _change(
            "update",
            f"""Give a row, which may be new, the values of a datum; its other values stay.

            Args:
                id: of the row.
                row: the datum.

            Returns:
                its score, {_SCORE}

            Raises:
                JubatusError: {_BAD}; or the method is ``light_lof``.
            """,
        ),
        _change(
            "overwrite",
            f"""Replace a row, which may be new, by a datum.

            Args:
                id: of the row.
                row: the datum.

            Returns:
                its score, {_SCORE}

            Raises:
                JubatusError: {_BAD}.
            """,
        ),
        clear(),
        Method(
            "calc_score",
            (_ROW,),
            DOUBLE,
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            f"""Say how far a datum lies out; nothing is stored.

            Args:
                row: the datum.

            Returns:
                its score, {_SCORE}

            Raises:
                JubatusError: nothing is known of a row near it.
            """,
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
    ),
)

__getattr__ = submodules(__name__, "client", "types")
