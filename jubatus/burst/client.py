"""The client of burst."""

from jubatus.burst import SERVICE
from jubatus.burst.types import *  # noqa: F403
from jubatus.common.client import ClientBase


class Burst(ClientBase, service=SERVICE):
    """Calls the methods of a burst server or of the keepers before its cluster."""


burst = Burst
