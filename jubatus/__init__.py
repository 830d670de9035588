"""Jubatus: online machine learning on streams, distributed.

The clients are found here (``jubatus.Classifier``), the same learners without a server in ``jubatus.embedded``.
Importing the package costs nothing: everything is loaded when it is first asked for.
"""

SERVICES = (
    "anomaly",
    "bandit",
    "burst",
    "classifier",
    "clustering",
    "graph",
    "nearest_neighbor",
    "recommender",
    "regression",
    "stat",
    "weight",
)

COMPATIBLE = "1.1.1"
"""The version of Jubatus whose clients, configurations, model files and servers are understood."""

__all__ = list(SERVICES)


def class_name(service: str) -> str:
    """Return the name of the classes of a service: that of ``nearest_neighbor`` is ``NearestNeighbor``."""
    return "".join(part.capitalize() for part in service.split("_"))


TYPE_CHECKING = False  # as in typing, which is not imported for this
if TYPE_CHECKING:
    from jubatus._clients import *  # noqa: F403 - a stub that the build writes (jubatus.stubs)

    __version__: str
else:

    def __getattr__(name: str) -> object:
        """Load a client class, a service's package, ``common``, ``embedded`` or the version."""
        from importlib import import_module

        if name == "__version__":
            from importlib.metadata import version

            return version("jubatus")
        if name in SERVICES or name in ("common", "embedded"):
            return import_module(f"jubatus.{name}")
        for service in SERVICES:
            if name == class_name(service):
                return getattr(import_module(f"jubatus.{service}.client"), name)
        raise AttributeError(f"module 'jubatus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "__version__", "common", "embedded", *SERVICES, *map(class_name, SERVICES)])
