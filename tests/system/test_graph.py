"""The example of graph, and which server of a cluster has what when one of them dies and comes back."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.conftest import Peer, Start, wait_for
from tests.contract.programs import NEVER
from tests.golden.test_cluster import owners
from tests.services.graph import ALL, config
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/graph"
PAGE = Path(__file__).parent.parent.parent / "docs/services/graph.md"


def pages(*options: str) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "pages.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start, tmp_path: Path) -> None:
    picture = tmp_path / "pages.png"
    printed = pages("--picture", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert printed in PAGE.read_text()
    running = server("graph", (EXAMPLE / "config.json").read_text())
    assert pages("--server", f"127.0.0.1:{running.port}") == printed


def known(peer: Peer, ids: list[bytes]) -> set[bytes]:
    """Return which nodes a server has."""
    return {id for id in ids if peer.call("get_node", id)[0] is None}


def test_nodes_and_edges_of_a_cluster_whose_server_dies_and_comes_back(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "graph", config(0.9, 5)) as made:
        servers = [made.server(*NEVER) for _ in range(3)]
        keeper = made.keeper()
        peers = [running.peer() for running in servers]
        with keeper.peer() as front:

            def ask(method: str, *args: object) -> object:
                error, result = front.call(method, *args, name=made.name)
                assert error is None, (method, args, error)
                return result

            assert ask("add_centrality_query", ALL) is True
            ids: list[bytes] = [ask("create_node") for _ in range(24)]  # type: ignore[misc]
            edges = [ask("create_edge", a, [{}, a, b]) for a, b in pairwise(ids)]
            assert len({*map(int, ids), *edges}) == 47  # type: ignore[call-overload]
            held = [known(peer, ids) for peer in peers]
            assert set.union(*held) == set(ids)
            assert all(sum(id in each for each in held) <= 2 for id in ids)
            for edge, source in zip(edges, ids, strict=False):
                having = [peer.call("get_edge", source, edge)[0] is None for peer in peers]
                assert having == [source in each for each in held]
            made.mix(servers[0])
            assert all(peer.call("get_centrality", ids[0], 0, ALL)[0] is None for peer in peers)

            servers[2].proc.kill()
            servers[2].proc.wait()
            # A keeper asks the servers that the ring names now, and one of them that has no copy refuses.
            live = owners([running.port for running in servers[:2]], [id.decode() for id in ids])
            whole = [all(id in held[server] for server in named) for id, named in zip(ids, live, strict=True)]
            wait_for(lambda: [front.call("get_node", id, name=made.name)[0] is None for id in ids] == whole)
            assert [known(peer, ids) for peer in peers[:2]] == held[:2]

            back = made.server(*NEVER, port=servers[2].port)
            with back.peer() as again:
                assert known(again, ids) in held[:2]  # it starts with the model of another server
                wait_for(lambda: front.call("create_node", name=made.name)[0] is None)
                more: list[bytes] = [ask("create_node") for _ in range(12)]  # type: ignore[misc]
                assert not {*map(int, more)} & {*map(int, ids), *edges}
                assert known(again, more)
        for peer in peers:
            peer.close()


def test_a_node_that_is_removed_is_gone_everywhere(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "graph", config(0.9, 5)) as made:
        peers = [made.server(*NEVER).peer() for _ in range(2)]
        with made.keeper().peer() as front:
            ids = [front.call("create_node", name=made.name)[1] for _ in range(12)]
            for id in ids:
                assert front.call("remove_node", id, name=made.name) == (None, True)
        for peer in peers:
            status = peer.status()
            assert (status["local_node_num"], status["global_node_num"]) == ("0", "0")
            assert int(status["update_count"]) > 0
            assert peer.call("update_index") == (b"manual mix is available only in standalone mode.", None)
            peer.close()
