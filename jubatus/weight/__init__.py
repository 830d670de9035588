"""Declaration of weight: shows the features that the converter makes of a datum, and their weights."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import DATUM, DOUBLE, STRING, Message, TList, TUserDef


class Feature(Message):
    """A feature of a datum and its weight."""

    key: Annotated[str, STRING]
    value: Annotated[float, DOUBLE]


SERVICE = Service(
    name="weight",
    model="jubatus._core.services.weight:Weight",
    common=COMMON,
    messages=(Feature,),
    methods=(
        Method(
            "update",
            (Argument("d", DATUM),),
            TList(TUserDef(Feature)),
            Route.RANDOM,
            Lock.UPDATE,
            Join.PASS,
            """Count a datum in the global weights and return its features.

            Args:
                d: the datum.

            Returns:
                list of Feature, weighted with the counts that include the datum.

            Raises:
                JubatusError: a rule took a value whose key has a ``$``.
            """,
        ),
        Method(
            "calc_weight",
            (Argument("d", DATUM),),
            TList(TUserDef(Feature)),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the features of a datum and count nothing.

            Args:
                d: the datum.

            Returns:
                list of Feature.

            Raises:
                JubatusError: a rule took a value whose key has a ``$``.
            """,
        ),
        clear(counts=False),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
