"""Tests of jubatus._core.services.graph: numbers and bytes that the original gives.

tests/services plays any sequence of calls with the slow model.
"""

from typing import Any

import pytest

from jubatus import embedded
from jubatus._core.services.graph import Graph
from jubatus._core.wire import pack, unpack
from jubatus.errors import ConfigError, ModelFileError
from tests.core.calls import call, give
from tests.services.graph import ALL, config


def made(nodes: int, edges: list[tuple[int, int]], damping: float = 0.9, landmarks: int = 5) -> Graph:
    """Return a graph whose queries were added before its nodes."""
    graph = Graph(config(damping, landmarks))
    call(graph, "add_centrality_query", ALL)
    call(graph, "add_shortest_path_query", ALL)
    for node in range(nodes):
        assert call(graph, "create_node") == b"%d" % node
    for source, target in edges:
        call(graph, "create_edge", str(source), [{}, str(source), str(target)])
    return graph


def ranks(graph: Graph, nodes: int) -> list[float]:
    assert call(graph, "update_index") is True
    return [call(graph, "get_centrality", str(node), 0, ALL) for node in range(nodes)]


def path(graph: Graph, source: int, target: int, most: int) -> list[int]:
    return [int(id) for id in call(graph, "get_shortest_path", [str(source), str(target), most, ALL])]


def test_ranks_of_a_chain() -> None:
    graph = made(3, [(0, 1), (1, 2)])
    assert [ranks(graph, 3) for _ in range(4)] == [
        [1, 1, 1],
        [0.4000000000000001, 1.3, 1.3],
        [0.49, 0.8500000000000001, 1.6600000000000001],
        [0.598, 1.0390000000000001, 1.363],
    ]
    graph = made(4, [(0, 1), (1, 2), (2, 3)], 0.75)
    assert [ranks(graph, 4) for _ in range(3)][1:] == [
        [7 / 16, 19 / 16, 19 / 16, 19 / 16],
        [121 / 256, 205 / 256, 349 / 256, 349 / 256],
    ]


def test_paths_of_a_chain() -> None:
    graph = made(5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    assert path(graph, 0, 4, 9) == []
    call(graph, "update_index")
    assert [path(graph, 0, 4, most) for most in range(7)] == [[0]] * 5 + [[0, 1, 2, 3, 4]] * 2
    assert [path(graph, 1, 3, most) for most in range(5)] == [[1]] * 3 + [[1, 2, 3]] * 2


def test_paths_through_one_landmark_of_a_circle() -> None:
    graph = made(4, [(0, 1), (1, 2), (2, 3), (3, 0)], landmarks=1)
    call(graph, "update_index")
    assert path(graph, 1, 3, 9) == []
    call(graph, "update_index")
    assert path(graph, 1, 3, 9) == [1, 2, 3]
    assert [path(graph, 2, 1, most) for most in range(5)] == [[], [2], [2, 3, 0], [2, 3, 0], [2, 3, 0, 1]]
    assert [path(graph, 0, 0, most) for most in (0, 1, 9)] == [[0]] * 3
    assert call(graph, "remove_edge", "0", 4) is True
    call(graph, "update_index")
    assert path(graph, 0, 1, 9) == [0, 1]


def test_bytes_of_a_model() -> None:
    graph = made(1, [])
    wanted = "95 81 00 93 80 90 90 80 81 00 00 81 92 90 90 80 81 92 90 90 91 93 00 80 80"
    assert graph.pack() == bytes.fromhex(wanted)


def test_ids_go_on_behind_those_of_a_file() -> None:
    graph, again = made(2, [(0, 1)]), Graph(config(0.9, 5))
    again.unpack(graph.pack())
    assert call(again, "create_node") == b"3"
    call(graph, "clear")
    assert call(graph, "create_node") == b"3"


def test_a_path_that_leads_in_a_circle_is_empty() -> None:
    packed = unpack(made(3, []).pack())
    packed[4] = {((), ()): [[2, {1: [1, 2]}, {0: [1, 1], 1: [1, 0]}]]}
    graph = Graph(config(0.9, 5))
    graph.unpack(pack(packed))
    assert path(graph, 0, 1, 2**32 - 1) == [0, 1]
    assert path(graph, 1, 2, 2**32 - 1) == []


@pytest.mark.parametrize(
    "nodes",
    [
        {0: [{}, [], [7]]},  # no such edge
        {0: [{}, [5], []], 1: [{}, [5], []]},  # it does not end there
        {0: [{}, [], [5, 5]]},  # twice
    ],
)
def test_a_file_whose_edges_are_not_those_of_its_nodes_is_refused(nodes: Any) -> None:
    with pytest.raises(ModelFileError):
        Graph(config(0.9, 5)).unpack(pack([nodes, {5: [{}, 0, 1]}, {}, {}, {}]))


def test_queries_that_change_during_a_mix() -> None:
    graph = Graph(config(0.9, 5), distributed=True)
    call(graph, "add_centrality_query", ALL)
    diff, snapshot = give(graph)
    call(graph, "remove_centrality_query", ALL)
    call(graph, "add_centrality_query", [[["a", "b"]], []])
    graph.put_diff(diff, snapshot)
    assert list(unpack(graph.pack())[3]) == [(((b"a", b"b"),), ())]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"method": "x", "parameter": {"damping_factor": 0.5, "landmark_num": 1}}, "unknown method name: x"),
        (config(1.0, 1), r"expected: 0.0 < damping_factor < 1.0"),
        (config(0.5, -1), r"expected: 0 <= landmark_num"),
    ],
)
def test_configurations_that_cannot_be_used(wrong: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Graph(wrong)


def test_in_process_an_edge_must_start_at_its_node() -> None:
    graph = embedded.Graph(config(0.9, 5))
    a, b = graph.create_node(), graph.create_node()
    edge = graph.create_edge(a, ({}, a, b))
    for refused in (lambda: graph.create_edge(b, ({}, a, b)), lambda: graph.update_edge(b, edge, ({}, a, b))):
        with pytest.raises(ValueError, match="the edge starts at '0', but the node is '1'"):
            refused()
    assert graph.update_edge(a, edge, ({"k": "v"}, a, b)) is True
    assert graph.remove_edge(a, edge) is None
