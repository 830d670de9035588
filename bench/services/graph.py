"""What is measured of graph: a graph of 10,000 nodes with three edges each, drawn at random."""

from collections.abc import Iterator
from random import Random

from bench.workloads import SEED, Load, request

NODES, EDGES = 10_000, 3
CALLS = 40_000
"""Calls that the requests are made of; a load starts again when it has sent all."""

CONFIG = {"method": "graph_wo_index", "parameter": {"damping_factor": 0.9, "landmark_num": 5}}
ALL: list[list[str]] = [[], []]


def graph() -> Iterator[bytes]:
    """Yield packed calls that make the graph, whose nodes have the ids from 0 on, and update its index."""
    random = Random(SEED)
    yield request("add_centrality_query", ALL)
    yield request("add_shortest_path_query", ALL)
    for _ in range(NODES):
        yield request("create_node")
    for source in range(NODES):
        for _ in range(EDGES):
            yield edge(source, random, "")
    for _ in range(3):
        yield request("update_index")


def edge(source: int, random: Random, name: str) -> bytes:
    """Return a packed call that creates an edge to a random node."""
    target = random.randrange(NODES)
    return request("create_edge", f"{source:05}", [{}, f"{source:05}", f"{target:05}"], name=name)


def calls(method: str, name: str) -> Iterator[bytes]:
    """Yield packed calls with random nodes."""
    random = Random(SEED + 1)
    for _ in range(CALLS):
        node, other = random.randrange(NODES), random.randrange(NODES)
        if method == "create_node":
            yield request(method, name=name)
        elif method == "create_edge":
            yield edge(node, random, name)
        elif method == "get_node":
            yield request(method, f"{node:05}", name=name)
        else:
            yield request(method, [f"{node:05}", f"{other:05}", 100, ALL], name=name)


def load(method: str, connections: int, total: int) -> Load:
    """Return a load of one method."""
    return Load(
        work=f"{method} graph, {NODES:,} nodes, c {connections}",
        config=CONFIG,
        requests=lambda name: calls(method, name),
        teaching=graph,
        size=1,
        connections=connections,
        total=total,
        fresh=method == "create_node",
    )


RPC = (
    load("create_node", 16, 200_000),
    load("create_edge", 16, 200_000),
    load("get_node", 16, 200_000),
    load("get_shortest_path", 16, 60_000),
)
KEEPER: tuple[Load, ...] = ()
