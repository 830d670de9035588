"""The client of weight."""

from jubatus.common.client import ClientBase
from jubatus.weight import SERVICE
from jubatus.weight.types import *  # noqa: F403


class Weight(ClientBase, service=SERVICE):
    """Calls the methods of a weight server or of the keepers before its cluster."""


weight = Weight
