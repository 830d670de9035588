"""What one call of graph takes in process, by the number of nodes: python -m bench.graph. Edges: three a node."""

import time
from collections.abc import Callable
from random import Random

from bench.report import environment, table
from bench.services.graph import ALL, CONFIG, EDGES
from bench.workloads import SEED
from jubatus import embedded

SIZES = (1_000, 10_000, 100_000)


def timed(work: Callable[[int], object], count: int) -> float:
    """Return the microseconds that one call takes."""
    start = time.perf_counter()
    for number in range(count):
        work(number)
    return (time.perf_counter() - start) / count * 1e6


def measure(nodes: int) -> list[float]:
    """Return the microseconds of each row."""
    random = Random(SEED)
    graph = embedded.Graph(CONFIG)
    graph.add_centrality_query(ALL)
    graph.add_shortest_path_query(ALL)
    names = [str(random.randrange(nodes)) for _ in range(EDGES * nodes)]
    create_node = timed(lambda _: graph.create_node(), nodes)
    create_edge = timed(lambda i: graph.create_edge(str(i % nodes), ({}, str(i % nodes), names[i])), EDGES * nodes)
    get_node = timed(lambda i: graph.get_node(names[i % len(names)]), 10_000)
    update_index = timed(lambda _: graph.update_index(), 3)
    path = timed(lambda i: graph.get_shortest_path((names[i], names[-i - 1], 1000, ALL)), 2_000)
    return [create_node, create_edge, get_node, update_index, path]


def main() -> None:
    """Print the table."""
    print(environment())
    rows = [[f"{nodes:,}", *(f"{value:,.1f}" for value in measure(nodes))] for nodes in SIZES]
    names = ("create_node", "create_edge", "get_node", "update_index", "get_shortest_path")
    table("graph in process, microseconds a call", ["nodes", *names], rows)


if __name__ == "__main__":
    main()
