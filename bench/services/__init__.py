"""What is measured of each service.

A module a service holds ``CONFIG``, a plain configuration, and the loads ``RPC`` and ``KEEPER`` of the topics of these
names. A service without a module is not measured.
"""

import importlib
import importlib.util
from collections.abc import Iterable, Iterator
from types import ModuleType

from jubatus import SERVICES


def modules(names: Iterable[str] = SERVICES) -> Iterator[tuple[str, ModuleType]]:
    """Yield name and module of these services, as far as there are modules."""
    for name in names:
        if importlib.util.find_spec(f"{__name__}.{name}") is not None:
            yield name, importlib.import_module(f"{__name__}.{name}")
