"""What a call of graph and of burst takes in process, by the size of the model."""

import time
from collections.abc import Callable
from random import Random

from bench.report import table
from bench.services import burst, graph
from bench.workloads import SEED
from jubatus import embedded

NODES = (1_000, 10_000, 100_000)
KEYWORDS = (100, 1_000, 10_000)
DOCUMENTS = (1_000, 10_000, 100_000)
WORDS = (10, 100, 1_000)
"""Words of a document, of ten letters each."""

AT_ONCE = 100
"""Documents of a call."""


def timed(work: Callable[[int], object], count: int) -> float:
    """Return the microseconds that one call takes."""
    start = time.perf_counter()
    for number in range(count):
        work(number)
    return (time.perf_counter() - start) / count * 1e6


def measure_graph(nodes: int) -> list[float]:
    """Return the microseconds of each row of graph, with three edges a node."""
    random = Random(SEED)
    model = embedded.Graph(graph.CONFIG)
    model.add_centrality_query(graph.ALL)
    model.add_shortest_path_query(graph.ALL)
    names = [str(random.randrange(nodes)) for _ in range(graph.EDGES * nodes)]
    return [
        timed(lambda _: model.create_node(), nodes),
        timed(lambda i: model.create_edge(str(i % nodes), ({}, str(i % nodes), names[i])), len(names)),
        timed(lambda i: model.get_node(names[i % len(names)]), 10_000),
        timed(lambda _: model.update_index(), 3),
        timed(lambda i: model.get_shortest_path((names[i], names[-i - 1], 1_000, graph.ALL)), 300),
    ]


def measure_burst(keywords: int, documents: int, words: int) -> list[float]:
    """Return the microseconds that a document takes, in calls of 100; one word in ten is a keyword."""
    random = Random(SEED)
    model = embedded.Burst(burst.CONFIG)
    known = burst.words(random, keywords)
    for word in known:
        model.add_keyword((word, 2.0, 1.0))
    others = burst.words(random, 1_000)
    texts = [
        " ".join(random.choices(others, k=words - words // 10) + random.choices(known, k=words // 10))
        for _ in range(AT_ONCE)
    ]
    calls = [[(float(at), text) for at, text in enumerate(texts, start)] for start in range(0, documents, AT_ONCE)]
    return [timed(lambda i: model.add_documents(calls[i]), len(calls)) / AT_ONCE]


def main(repeat: int, scale: float) -> None:
    """Print the tables: the smallest of the repetitions."""

    def row(measure: Callable[..., list[float]], *sizes: int) -> list[str]:
        sizes = tuple(max(int(size * scale), 10) for size in sizes)
        runs = [measure(*sizes) for _ in range(repeat)]
        return [f"{size:,}" for size in sizes] + [f"{min(values):,.1f}" for values in zip(*runs, strict=True)]

    names = ("create_node", "create_edge", "get_node", "update_index", "get_shortest_path")
    rows = [row(measure_graph, nodes) for nodes in NODES]
    table("graph in process, microseconds a call, by the number of nodes", ["nodes", *names], rows)
    cases = [(keywords, DOCUMENTS[0], WORDS[0]) for keywords in KEYWORDS]
    cases += [(KEYWORDS[0], documents, WORDS[0]) for documents in DOCUMENTS[1:]]
    cases += [(KEYWORDS[0], DOCUMENTS[0], words) for words in WORDS[1:]]
    rows = [row(measure_burst, *case) for case in cases]
    table(
        "burst in process, microseconds a document", ["keywords", "documents", "words of each", "add_documents"], rows
    )
