"""Declaration of stat: sums, extremes, deviations and moments of the last numbers of each key."""

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DOUBLE, INT, STRING

_KEY = Argument("key", STRING)


def _query(name: str, doc: str, *more: Argument) -> Method:
    """Declare a method that returns a number and changes nothing."""
    return Method(name, (_KEY, *more), DOUBLE, Route.CHT, Lock.ANALYSIS, Join.PASS, doc, replicas=1)


def _of_key(name: str, first: str, returns: str) -> Method:
    """Declare the query of one number of a key."""
    return _query(
        name,
        f"""{first}

        Args:
            key: the key.

        Returns:
            {returns}

        Raises:
            JubatusError: the window has no number of the key.
        """,
    )


SERVICE = Service(
    name="stat",
    model="jubatus._core.services.stat:Stat",
    common=COMMON,
    messages=(),
    uses_cht=True,
    methods=(
        Method(
            "push",
            (_KEY, Argument("value", DOUBLE)),
            BOOL,
            Route.CHT,
            Lock.UPDATE,
            Join.ALL_AND,
            """Put a number into the window; the oldest number of all keys leaves a full one.

            Args:
                key: to which the number belongs.
                value: the number; NaN and infinities are taken as well.

            Returns:
                True.
            """,
            counts=True,
            replicas=1,
        ),
        _of_key("sum", "Return the sum of a key's numbers.", "the running sum, with the rounding of what has left."),
        _of_key(
            "stddev",
            "Return the standard deviation of a key's numbers.",
            "that of the population; NaN where rounding makes the variance negative.",
        ),
        _of_key("max", "Return the largest number of a key.", "the number."),
        _of_key("min", "Return the smallest number of a key.", "the number."),
        _query(
            "entropy",
            """Return the entropy of how the numbers in the window are spread over the keys.

            Args:
                key: chooses the server of a cluster; it does not matter otherwise.

            Returns:
                Shannon's entropy in nats, in a cluster that of all servers at the last MIX.
            """,
        ),
        _query(
            "moment",
            """Return a moment of a key's numbers: the mean of ``(number - center) ** degree``.

            Args:
                key: the key.
                degree: the power.
                center: what is subtracted from each number.

            Returns:
                the moment; -1 for a negative degree.

            Raises:
                JubatusError: the window has no number of the key, and the degree is not negative.
            """,
            Argument("degree", INT),
            Argument("center", DOUBLE),
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
