"""Rank the pages of a small web by the links between them, and find a way from one page to another.

The web is made up, with a seed: 60 pages, each of which links to some that came before it, rather to those that many
link to. Works in process; with --server it asks a running jubagraph, which has the same methods. With
--picture it draws the web, if matplotlib is there (pip install jubatus[examples]).
"""

import argparse
import math
import sys
from pathlib import Path
from random import Random

from jubatus import Graph, embedded
from jubatus.graph.types import Edge, PresetQuery, ShortestPathQuery

HERE = Path(__file__).parent
PAGES, LINKS, STEPS = 60, 3, 30
ALL = PresetQuery([], [])


def make_links() -> list[tuple[int, int]]:
    """Return the links of a web that grows: pairs of numbers of pages."""
    random, links, linked = Random(1), [], [0]
    for page in range(1, PAGES):
        for target in sorted({random.choice(linked) for _ in range(LINKS)}):
            links.append((page, target))
            linked.append(target)
        linked.append(page)
        links.append((random.randrange(page), page))  # from a page that lists what is new
    return links


def draw(links: list[tuple[int, int]], ranks: list[float], path: str) -> bool:
    """Draw the pages on a circle, the larger the higher they rank; return False if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    angles = [2 * math.pi * page / PAGES for page in range(PAGES)]
    places = [(math.cos(angle), math.sin(angle)) for angle in angles]
    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.subplots()
    for source, target in links:
        axes.plot(*zip(places[source], places[target], strict=True), color="0.8", linewidth=0.6, zorder=1)
    axes.scatter(*zip(*places, strict=True), s=[80 * rank for rank in ranks], zorder=2)
    axes.set_axis_off()
    figure.savefig(path)
    return True


def main() -> None:
    """Build the graph, rank its pages, and print the best and a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubagraph; without it, in process")
    parser.add_argument("-p", "--picture", metavar="FILE", help="where to draw the web; this needs matplotlib")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        graph: Graph | embedded.Graph = Graph(host, int(port), "pages", 10)
    else:
        graph = embedded.Graph(HERE / "config.json")
    links = make_links()
    with graph:
        graph.add_centrality_query(ALL)
        graph.add_shortest_path_query(ALL)
        ids = [graph.create_node() for _ in range(PAGES)]
        for page, id in enumerate(ids):
            graph.update_node(id, {"url": f"/page/{page}"})
        for source, target in links:
            graph.create_edge(ids[source], Edge({}, ids[source], ids[target]))
        for _ in range(STEPS):
            graph.update_index()
        ranks = [graph.get_centrality(id, 0, ALL) for id in ids]
        print(f"{PAGES} pages, {len(links)} links; the pages that rank highest:")
        for rank, page in sorted(zip(ranks, range(PAGES), strict=True), reverse=True)[:5]:
            node = graph.get_node(ids[page])
            print(f"{rank:7.3f}  {node.property['url']:9} {len(node.in_edges):3} links to it")
        path = graph.get_shortest_path(ShortestPathQuery(ids[-1], ids[PAGES // 2], 20, ALL))
        print("a way:", " -> ".join(graph.get_node(id).property["url"] for id in path))
    if options.picture and not draw(links, ranks, options.picture):
        sys.exit("no picture: matplotlib is missing (pip install jubatus[examples])")


if __name__ == "__main__":
    main()
