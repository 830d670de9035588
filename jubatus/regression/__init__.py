"""Declaration of regression: learns to estimate a number from data."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import DATUM, DOUBLE, INT, Datum, Message, TList, TUserDef


class ScoredDatum(Message):
    """A datum and the number that belongs to it."""

    score: Annotated[float, DOUBLE]
    data: Annotated[Datum, DATUM]


SERVICE = Service(
    name="regression",
    model="jubatus._core.services.regression_neighbours:make_regression",
    common=COMMON,
    messages=(ScoredDatum,),
    methods=(
        Method(
            "train",
            (Argument("train_data", TList(TUserDef(ScoredDatum))),),
            INT,
            Route.RANDOM,
            Lock.UPDATE,
            Join.PASS,
            """Learn from data and the numbers that belong to them, in their order.

            Args:
                train_data: list of ScoredDatum or of (score, datum).

            Returns:
                how many were learned.

            Raises:
                JubatusError: a score, or a number of a datum, is NaN or infinite; or a rule took a value whose key has
                    a ``$``.
            """,
            counts=True,
        ),
        Method(
            "estimate",
            (Argument("estimate_data", TList(DATUM)),),
            TList(DOUBLE),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Estimate the number that belongs to each datum.

            Args:
                estimate_data: list of datums.

            Returns:
                a number for each datum, 0 while nothing was learned.

            Raises:
                JubatusError: a rule took a value whose key has a ``$``.
            """,
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
