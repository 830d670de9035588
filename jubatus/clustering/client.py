"""The client of clustering."""

from jubatus.clustering import SERVICE
from jubatus.clustering.types import *  # noqa: F403
from jubatus.common.client import ClientBase


class Clustering(ClientBase, service=SERVICE):
    """Calls the methods of a clustering server or of the keepers before its cluster."""


clustering = Clustering
