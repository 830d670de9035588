"""Declaration of clustering: finds groups among the points that come."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DATUM, DOUBLE, STRING, UINT, Datum, Message, TList, TUserDef


class WeightedDatum(Message):
    """A point of a cluster: how many points it stands for, and its datum."""

    weight: Annotated[float, DOUBLE]
    point: Annotated[Datum, DATUM]


class IndexedPoint(Message):
    """A point to be clustered: a name, which need not be its alone, and its datum."""

    id: Annotated[str, STRING]
    point: Annotated[Datum, DATUM]


class WeightedIndex(Message):
    """A point of a cluster: how many points it stands for, and its name."""

    weight: Annotated[float, DOUBLE]
    id: Annotated[str, STRING]


_POINT = Argument("point", DATUM)

SERVICE = Service(
    name="clustering",
    model="jubatus._core.services.clustering:Clustering",
    common=COMMON,
    messages=(WeightedDatum, IndexedPoint, WeightedIndex),
    methods=(
        Method(
            "push",
            (Argument("points", TList(TUserDef(IndexedPoint))),),
            BOOL,
            Route.RANDOM,
            Lock.UPDATE,
            Join.PASS,
            """Give points to be clustered.

            Whenever ``bucket_size`` points came, the clusters of all points are sought.

            Args:
                points: list of IndexedPoint or of (id, datum).

            Returns:
                True.

            Raises:
                JubatusError: a number of a datum is NaN or infinite, or a rule took a value whose key has a ``$``; then
                    no point was taken.
            """,
            counts=True,
            long=True,
        ),
        Method(
            "get_revision",
            (),
            UINT,
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return how often the clusters were sought, because of enough points or of a MIX.

            Returns:
                the number, 0 after ``clear``.
            """,
        ),
        Method(
            "get_core_members",
            (),
            TList(TList(TUserDef(WeightedDatum))),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the points of each cluster.

            Returns:
                a list of WeightedDatum for each cluster.

            Raises:
                JubatusError: the clusters were not sought yet, or dbscan found none.
            """,
            long=True,
        ),
        Method(
            "get_core_members_light",
            (),
            TList(TList(TUserDef(WeightedIndex))),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the names of the points of each cluster.

            Returns:
                a list of WeightedIndex for each cluster.

            Raises:
                JubatusError: the clusters were not sought yet, or dbscan found none.
            """,
            long=True,
        ),
        Method(
            "get_k_center",
            (),
            TList(DATUM),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the centres of all clusters.

            Returns:
                a datum for each centre, of what the names of its features tell.

            Raises:
                JubatusError: the clusters were not sought yet, or the method is dbscan.
            """,
            long=True,
        ),
        Method(
            "get_nearest_center",
            (_POINT,),
            DATUM,
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the centre next to a datum.

            Args:
                point: the datum.

            Returns:
                the centre, of what the names of its features tell.

            Raises:
                JubatusError: the clusters were not sought yet, or the method is dbscan.
            """,
            long=True,
        ),
        Method(
            "get_nearest_members",
            (_POINT,),
            TList(TUserDef(WeightedDatum)),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the points of the cluster whose centre is next to a datum.

            Args:
                point: the datum.

            Returns:
                a WeightedDatum for each point.

            Raises:
                JubatusError: the clusters were not sought yet, or the method is dbscan.
            """,
            long=True,
        ),
        Method(
            "get_nearest_members_light",
            (_POINT,),
            TList(TUserDef(WeightedIndex)),
            Route.RANDOM,
            Lock.ANALYSIS,
            Join.PASS,
            """Return the names of the points of the cluster whose centre is next to a datum.

            Args:
                point: the datum.

            Returns:
                a WeightedIndex for each point.

            Raises:
                JubatusError: the clusters were not sought yet, or the method is dbscan.
            """,
            long=True,
        ),
        clear(),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
