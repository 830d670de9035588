"""A server process: it answers alone or in a cluster, or says only whether it could."""

import sys
from collections.abc import Callable

from jubatus.daemon import life
from jubatus.errors import JubatusError
from jubatus.idl import Service
from jubatus.server import standalone
from jubatus.server.settings import Settings


def run(service: Service, settings: Settings) -> int:
    """Be a server of the service until a signal ends it; return the exit status."""
    if settings.config_test:
        return check(service, settings)
    mode = "standalone mode" if settings.cluster is None else "multinode mode"
    return life.run(settings, program(service, settings), mode)


def program(service: Service, settings: Settings) -> Callable[[str], life.Program]:
    """Return what makes the program for an address; a standalone server does not load what it does not use."""
    if settings.cluster is None:
        return lambda address: standalone.Alone(service, settings, address)
    from jubatus.server.clustered import Clustered

    return lambda address: Clustered(service, settings, address)


def check(service: Service, settings: Settings) -> int:
    """Say on standard error whether a server could start; return the exit status."""
    life.quit_by_signals()
    try:
        _, address = life.addresses(settings.listen_addr, settings.listen_if)
        life.start_logs(settings, address)
        program(service, settings)(address).close()
    except JubatusError as error:
        line = str(error).replace("\n", " ")
        print(f"Configuration error: {line}", file=sys.stderr)
        return 1
    print("Configuration OK", file=sys.stderr)
    return 0
