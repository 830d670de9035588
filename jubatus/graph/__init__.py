"""Declaration of graph: nodes and edges with properties, how central nodes are, and short paths between them."""

from typing import Annotated

from jubatus._lazy import submodules
from jubatus.idl import Argument, Join, Lock, Method, Route, Service
from jubatus.methods import COMMON, clear
from jubatus.types import BOOL, DOUBLE, INT, STRING, UINT, ULONG, Message, TList, TMap, TUserDef, Type

_PROPERTIES = TMap(STRING, STRING)


class Node(Message):
    """A node: its properties, and the ids of the edges that end and that start there."""

    property: Annotated[dict[str, str], _PROPERTIES]
    in_edges: Annotated[list[int], TList(ULONG)]
    out_edges: Annotated[list[int], TList(ULONG)]


class Query(Message):
    """A property that is wanted: its key and its value."""

    from_id: Annotated[str, STRING]
    to_id: Annotated[str, STRING]


class PresetQuery(Message):
    """Chooses the edges and the nodes that have all the wanted properties; empty lists choose all."""

    edge_query: Annotated[list[Query], TList(TUserDef(Query))]
    node_query: Annotated[list[Query], TList(TUserDef(Query))]


class Edge(Message):
    """An edge: its properties, and the ids of the nodes where it starts and ends."""

    property: Annotated[dict[str, str], _PROPERTIES]
    source: Annotated[str, STRING]
    target: Annotated[str, STRING]


class ShortestPathQuery(Message):
    """Between which nodes a path is wanted, with how many nodes at most, and the query that chooses edges and nodes."""

    source: Annotated[str, STRING]
    target: Annotated[str, STRING]
    max_hop: Annotated[int, UINT]
    query: Annotated[PresetQuery, TUserDef(PresetQuery)]


_NODE = Argument("node_id", STRING)
_EDGE = Argument("edge_id", ULONG)
_EDGE_DATA = Argument("edge", TUserDef(Edge))
_QUERY = Argument("query", TUserDef(PresetQuery))


def _change(name: str, doc: str, *args: Argument) -> Method:
    """Declare an update of a node or an edge on the servers that have it."""
    return Method(name, args, BOOL, Route.CHT, Lock.UPDATE, Join.ALL_AND, doc, counts=True)


def _preset(name: str, doc: str) -> Method:
    """Declare an update of the preset queries on all servers."""
    return Method(name, (_QUERY,), BOOL, Route.BROADCAST, Lock.UPDATE, Join.ALL_AND, doc, counts=True)


def _get(name: str, returns: Type, doc: str, *args: Argument) -> Method:
    """Declare a read of a node or an edge."""
    return Method(name, args, returns, Route.CHT, Lock.ANALYSIS, Join.PASS, doc)


def _query(name: str, returns: Type, doc: str, *args: Argument, long: bool = False) -> Method:
    """Declare a question that any server answers."""
    return Method(name, args, returns, Route.RANDOM, Lock.ANALYSIS, Join.PASS, doc, long=long)


def _between(name: str, doc: str, *args: Argument) -> Method:
    """Declare an update that servers of a cluster send to each other."""
    return Method(name, args, BOOL, Route.INTERNAL, Lock.UPDATE, Join.PASS, doc, counts=True)


SERVICE = Service(
    name="graph",
    model="jubatus._core.services.graph:Graph",
    common=COMMON,
    messages=(Node, Query, PresetQuery, Edge, ShortestPathQuery),
    uses_cht=True,
    methods=(
        Method(
            "create_node",
            (),
            STRING,
            Route.RANDOM,
            Lock.NOLOCK,
            Join.PASS,
            """Create a node without properties and edges.

            Returns:
                its id, a decimal number; no node and no edge had it before.

            Raises:
                JubatusError: in a cluster: there is no id, or the node's first server did not create it.
            """,
            changes=True,
        ),
        Method(
            "remove_node",
            (_NODE,),
            BOOL,
            Route.CHT,
            Lock.NOLOCK,
            Join.PASS,
            """Remove a node.

            Args:
                node_id: its id.

            Returns:
                True.

            Raises:
                JubatusError: there is no such node, or it has edges.
            """,
            changes=True,
            counts=True,
        ),
        _change(
            "update_node",
            """Replace the properties of a node.

            Args:
                node_id: its id.
                property: all its properties from now on.

            Returns:
                True.

            Raises:
                JubatusError: there is no such node.
            """,
            _NODE,
            Argument("property", _PROPERTIES),
        ),
        Method(
            "create_edge",
            (_NODE, _EDGE_DATA),
            ULONG,
            Route.CHT,
            Lock.NOLOCK,
            Join.PASS,
            """Create an edge. There may be several between two nodes, and one from a node to itself.

            Args:
                node_id: id of the source; in a cluster it chooses the server.
                edge: properties, source and target.

            Returns:
                its id; no node and no edge had it before.

            Raises:
                JubatusError: the server has neither source nor target; in a cluster also: there is no id.
            """,
            changes=True,
            replicas=1,
        ),
        _change(
            "update_edge",
            """Replace the properties of an edge; source and target stay.

            Args:
                node_id: id of the source; in a cluster it chooses the servers.
                edge_id: id of the edge.
                edge: all its properties from now on; source and target do not matter.

            Returns:
                True.

            Raises:
                JubatusError: there is no such edge.
            """,
            _NODE,
            _EDGE,
            _EDGE_DATA,
        ),
        _change(
            "remove_edge",
            """Remove an edge.

            Args:
                node_id: id of the source; in a cluster it chooses the servers.
                edge_id: id of the edge.

            Returns:
                True.

            Raises:
                JubatusError: there is no such edge.
            """,
            _NODE,
            _EDGE,
        ),
        _query(
            "get_centrality",
            DOUBLE,
            """Return how central a node was at the last update of the index.

            Args:
                node_id: its id.
                centrality_type: 0, which is PageRank; there is no other.
                query: a query that was added by add_centrality_query.

            Returns:
                its PageRank; the mean of all nodes is 1.

            Raises:
                JubatusError: another type, a query that was not added, or a node that had no rank then.
            """,
            _NODE,
            Argument("centrality_type", INT),
            _QUERY,
        ),
        _preset(
            "add_centrality_query",
            """Compute centralities for a query, from the next update of the index on.

            Args:
                query: chooses edges and nodes.

            Returns:
                True, also if the query was added before.
            """,
        ),
        _preset(
            "add_shortest_path_query",
            """Compute paths for a query; only nodes created or updated from now on become landmarks of its paths.

            Args:
                query: chooses edges and nodes.

            Returns:
                True, also if the query was added before.
            """,
        ),
        _preset(
            "remove_centrality_query",
            """Forget the centralities of a query.

            Args:
                query: as it was added.

            Returns:
                True, also if there is no such query.
            """,
        ),
        _preset(
            "remove_shortest_path_query",
            """Forget the paths of a query.

            Args:
                query: as it was added.

            Returns:
                True, also if there is no such query.
            """,
        ),
        _query(
            "get_shortest_path",
            TList(STRING),
            """Return a short path between two nodes, as it was at the last update of the index.

            The path goes through a landmark, so there may be a shorter one.

            Args:
                query: source, target, how many nodes the path has at most, and a query that was added by
                    add_shortest_path_query.

            Returns:
                the ids of the nodes on the way; the head of the path if it has more nodes than allowed; nothing if
                no path is known.

            Raises:
                JubatusError: the server does not know a node, or the query was not added.
            """,
            Argument("query", TUserDef(ShortestPathQuery)),
            long=True,
        ),
        Method(
            "update_index",
            (),
            BOOL,
            Route.BROADCAST,
            Lock.UPDATE,
            Join.ALL_AND,
            """Do one step of all centralities and paths.

            Returns:
                True.

            Raises:
                JubatusError: the server is one of a cluster, where a MIX does this.
            """,
            counts=True,
            long=True,
        ),
        clear(),
        _get(
            "get_node",
            TUserDef(Node),
            """Return a node.

            Args:
                node_id: its id.

            Returns:
                a Node.

            Raises:
                JubatusError: there is no such node.
            """,
            _NODE,
        ),
        _get(
            "get_edge",
            TUserDef(Edge),
            """Return an edge.

            Args:
                node_id: id of the source; in a cluster it chooses the server.
                edge_id: id of the edge.

            Returns:
                an Edge.

            Raises:
                JubatusError: there is no such edge.
            """,
            _NODE,
            _EDGE,
        ),
        _between(
            "create_node_here",
            """Create a node with a given id on this server.

            Args:
                node_id: its id.

            Returns:
                True, also if there is such a node.
            """,
            _NODE,
        ),
        _between(
            "remove_global_node",
            """Forget that a node exists, because another server removed it.

            Args:
                node_id: its id.

            Returns:
                True.

            Raises:
                JubatusError: the server did not know of it.
            """,
            _NODE,
        ),
        _between(
            "create_edge_here",
            """Create an edge with a given id on this server.

            Args:
                edge_id: its id.
                edge: properties, source and target.

            Returns:
                True.

            Raises:
                JubatusError: the server has neither source nor target, or there is such an edge.
            """,
            _EDGE,
            _EDGE_DATA,
        ),
    ),
)

__getattr__ = submodules(__name__, "client", "types")
