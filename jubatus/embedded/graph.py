"""The graph in process."""

from typing import Any

from jubatus.embedded.base import Embedded
from jubatus.graph import SERVICE, Edge


class Graph(Embedded, service=SERVICE):
    """The methods of graph, in process.

    As in the class of 1.1, an edge must start at the node that is named with it (ValueError), and removing an edge
    returns None.
    """


_declared: Any = Graph
_create_edge, _update_edge, _remove_edge = _declared.create_edge, _declared.update_edge, _declared.remove_edge


def _create(graph: Graph, node_id: str, edge: Any) -> Any:
    _check(node_id, edge)
    return _create_edge(graph, node_id, edge)


def _update(graph: Graph, node_id: str, edge_id: int, edge: Any) -> Any:
    _check(node_id, edge)
    return _update_edge(graph, node_id, edge_id, edge)


def _remove(graph: Graph, node_id: str, edge_id: int) -> None:
    _remove_edge(graph, node_id, edge_id)


for _before, _run in ((_create_edge, _create), (_update_edge, _update), (_remove_edge, _remove)):
    _row = SERVICE.method(_before.__name__)
    setattr(Graph, _row.name, _row.function(Graph, _run))


def _check(node_id: str, edge: Any) -> None:
    """Raise ValueError if an edge does not start at the node. What is no edge is left to the types."""
    whole = isinstance(edge, (list, tuple)) and len(edge) > 1
    source = edge.source if isinstance(edge, Edge) else edge[1] if whole else node_id
    if source != node_id:
        raise ValueError(f"the edge starts at {source!r}, but the node is {node_id!r}")
