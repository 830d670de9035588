"""How the service ``graph`` is tested."""

from typing import Any

from hypothesis import strategies as st

from tests.core.calls import exact
from tests.reference.graph import Graph
from tests.services import Facts

ALL: list[Any] = [[], []]
EVEN: list[Any] = [[], [["kind", "even"]]]
ROADS: list[Any] = [[["w", "1"]], []]
BOTH: list[Any] = [[["w", "1"]], [["kind", "even"]]]
QUERIES = (ALL, EVEN, ROADS, BOTH, [[["w", "1"], ["c", "x"]], []])
PROPERTIES = ({"kind": "even"}, {}, {"kind": "odd"}, {"kind": "even", "n": "1"})
NODES = ("12", "10", "11", "1", "2", "13", " 23", "+34", "12x", "-1", "abc")


def config(damping: float, landmarks: int) -> dict[str, Any]:
    return {"method": "graph_wo_index", "parameter": {"damping_factor": damping, "landmark_num": landmarks}}


def diff(value: list[Any]) -> Any:
    """Bring a diff into a form without order: of trees with the same landmark the last one is mixed."""
    ranks, paths = value[0]
    return exact([ranks, {query: {tree[0]: tree[1:] for tree in trees} for query, trees in paths.items()}])


def apart(row: str, args: list[Any]) -> bool:
    """In process a removed edge gives None, and an edge must start at the node that is named with it."""
    edge = {"create_edge": 1, "update_edge": 2}.get(row)
    return row == "remove_edge" or (edge is not None and args[0] != args[edge][1])


FACTS = Facts(
    configs=(config(0.9, 5), config(0.5, 1), config(0.99, 0)),
    twin=Graph,
    any_config=st.builds(config, st.sampled_from([0.9, 0.5, 0.01]), st.sampled_from([1, 2, 5, 0])),
    values={
        "node_id": NODES,
        "edge_id": (1000, 1001, 1002, 12, 1, 2**64 - 1),
        "edge": (
            [{"w": "1"}, "12", "12"], [{}, "10", "11"], [{"w": "1", "c": "x"}, "11", "12"], [{}, "1", "2"],
            [{"w": "1"}, "12", "10"], [{}, "2", "1"], [{}, "12", "900"], [{"w": "1"}, "900", "10"], [{}, "x", "12"],
        ),
        "property": PROPERTIES,
        "centrality_type": (0, 0, 0, 1, -1),
        "query": QUERIES,
        "get_shortest_path.query": tuple(
            [source, target, most, query]
            for query in (ALL, BOTH, EVEN)
            for source, target in (("10", "11"), ("12", "10"), ("10", "12"), ("11", "10"), ("1", "2"))
            for most in (5, 1, 2, 2**32 - 1)
        ),
    },
    teaching=(
        ("add_centrality_query", (ALL,)), ("add_shortest_path_query", (ALL,)),
        ("create_node_here", ("10",)), ("create_node_here", ("11",)), ("create_node_here", ("12",)),
        ("create_edge_here", (1000, [{}, "10", "11"])),
    ),
    item_by_item=frozenset({"remove_node"}),  # it goes also if it is known that others removed it
    settle=lambda row, reply: None if row in ("create_node", "create_edge") else reply,
    diff=diff,
    whole=lambda config: False,  # the order of its maps decides which node becomes a landmark, and the last bits
    alike=lambda config, row: row == "get_centrality",
    emptied=False,
    versioned=False,
    order_free=lambda config: False,
    mix_alone="update_index",
    apart=apart,
    placed=("1", "2", "3", "4", "5", "6"),
)  # fmt: skip
