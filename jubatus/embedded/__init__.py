"""The services in process: the methods and results of the clients, without a server.

There is a class for each declared service. It is made of the declaration when it is first asked for; where a class has
further methods, it stands in the module ``jubatus.embedded.<service>``.
"""

from importlib import import_module
from importlib.util import find_spec

from jubatus import SERVICES, class_name
from jubatus.embedded.base import Embedded, InvalidConfig

__all__ = ["Embedded", "InvalidConfig"]
__all__ += map(class_name, SERVICES)


def __getattr__(name: str) -> type[Embedded]:
    """Return the class of a service."""
    for service in SERVICES:
        if name == class_name(service):
            found = globals()[name] = _class_of(service)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _class_of(service: str) -> type[Embedded]:
    """Return the class that a service's own module has, else one with the methods of its declaration."""
    name = class_name(service)
    if find_spec(f"{__name__}.{service}") is not None:
        own: type[Embedded] = getattr(import_module(f"{__name__}.{service}"), name)
        return own
    declared = import_module(f"jubatus.{service}").SERVICE
    body = {"__module__": __name__, "__doc__": f"The methods of {service}, in process."}
    return type(Embedded)(name, (Embedded,), body, service=declared)
