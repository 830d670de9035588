"""The client of nearest_neighbor."""

from jubatus.common.client import ClientBase
from jubatus.nearest_neighbor import SERVICE
from jubatus.nearest_neighbor.types import *  # noqa: F403


class NearestNeighbor(ClientBase, service=SERVICE):
    """Calls the methods of a nearest_neighbor server or of the keepers before its cluster."""


nearest_neighbor = NearestNeighbor
