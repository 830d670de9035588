"""The client of graph."""

from jubatus.common.client import ClientBase
from jubatus.graph import SERVICE
from jubatus.graph.types import *  # noqa: F403


class Graph(ClientBase, service=SERVICE):
    """Calls the methods of a graph server or of the keepers before its cluster."""


graph = Graph
