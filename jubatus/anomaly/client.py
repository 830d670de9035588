"""The client of anomaly."""

from jubatus.anomaly import SERVICE
from jubatus.anomaly.types import *  # noqa: F403
from jubatus.common.client import ClientBase


class Anomaly(ClientBase, service=SERVICE):
    """Calls the methods of an anomaly server or of the keepers before its cluster."""


anomaly = Anomaly
