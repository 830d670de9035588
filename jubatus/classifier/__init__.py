"""Declaration of the classifier: learns to give labels to data."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DATUM, DOUBLE, INT, STRING, ULONG, Datum, Message, TList, TMap, TUserDef


class EstimateResult(Message):
    """A label and how well it fits: the higher the score, the better."""

    label: Annotated[str, STRING]
    score: Annotated[float, DOUBLE]


class LabeledDatum(Message):
    """A datum and the label that it has."""

    label: Annotated[str, STRING]
    data: Annotated[Datum, DATUM]


SERVICE = Service(
    name="classifier",
    model="jubatus._core.services.classifier_neighbours:make_classifier",
    common=COMMON,
    messages=(EstimateResult, LabeledDatum),
    methods=(
        Method(
            "train",
            (Argument("data", TList(TUserDef(LabeledDatum))),),
            INT,
            Route.RANDOM,
            Lock.UPDATE,
            Join.PASS,
            """Learn from labelled data, in their order.

            Args:
                data: list of LabeledDatum or of (label, datum).

            Returns:
                how many were learned.

            Raises:
                JubatusError: a label is new, the unlearner is full and all its labels are sticky (set with set_label);
                    or a rule took a value whose key has a ``$``.
            """,
            counts=True,
        ),
        Method(
            "classify",
            (Argument("data", TList(DATUM)),),
            TList(TList(TUserDef(EstimateResult))),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Score every known label for each datum.

            Args:
                data: list of datums.

            Returns:
                for each datum a list of EstimateResult, empty while no label is known.

            Raises:
                JubatusError: a rule took a value whose key has a ``$``.
            """,
        ),
        Method(
            "get_labels",
            (),
            TMap(STRING, ULONG),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the known labels.

            Returns:
                how many data were learned, by label.
            """,
        ),
        Method(
            "set_label",
            (Argument("new_label", STRING),),
            BOOL,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.ALL_AND,
            """Make a label known before any datum with it, and safe from the unlearner.

            Args:
                new_label: the label.

            Returns:
                whether it was new.

            Raises:
                JubatusError: the unlearner is full and all its labels are sticky.
            """,
            counts=True,
        ),
        Method(
            "delete_label",
            (Argument("target_label", STRING),),
            BOOL,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.ALL_OR,
            """Forget a label and what was learned for it.

            Args:
                target_label: the label.

            Returns:
                whether it was known.
            """,
            counts=True,
            long=True,
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
