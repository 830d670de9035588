"""The example of clustering; a cluster: points on one server each, and what a MIX tells the others; a run that takes long."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.conftest import Start
from tests.contract.programs import NEVER
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/clustering"
PAGE = Path(__file__).parent.parent.parent / "docs/services/clustering.md"
CONFIG = json.loads((EXAMPLE / "config.json").read_text())
NUMBERS = {"num_rules": [{"key": "*", "type": "num"}]}


def kmeans(size: int, k: int = 2) -> dict[str, Any]:
    return {
        "method": "kmeans",
        "parameter": {"k": k, "seed": 0},
        "compressor_method": "simple",
        "compressor_parameter": {"bucket_size": size},
        "converter": NUMBERS,
    }


def digits(*options: str | Path) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "digits.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start, tmp_path: Path) -> None:
    printed = digits("--picture", tmp_path / "digits.png")
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert printed in PAGE.read_text()
    running = server("clustering", CONFIG)
    assert digits("--server", f"127.0.0.1:{running.port}") == printed
    with running.peer() as peer:
        assert peer.status()["update_count"] == str(1 + 18)


def points(name: str, values: list[float]) -> list[Any]:
    return [[f"{name}{i}", [[], [["x", x]], []]] for i, x in enumerate(values)]


def test_after_a_mix_each_server_clusters_the_points_of_all(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "clustering", kmeans(4)) as made:
        servers = [made.server(*NEVER) for _ in range(2)]
        keeper = made.keeper()
        with keeper.peer() as peer, servers[0].peer() as one, servers[1].peer() as two:
            for each, own, place in ((one, "a", 0.0), (two, "b", 10.0)):
                assert each.result("push", points(own, [place, place + 1, place + 2, place + 3]))
                assert each.result("get_revision") >= 1  # the MIX with which a server starts counts too
                groups = each.result("get_core_members_light")
                assert {name[:1] for group in groups for _, name in group} >= {own.encode()}
            before = [each.result("get_revision") for each in (one, two)]
            assert one.result("do_mix") is True
            assert [each.result("get_revision") for each in (one, two)] > before
            for each in (one, two):
                assert sorted(center[1][0][1] for center in each.result("get_k_center")) == [1.5, 11.5]
                groups = each.result("get_core_members_light")
                assert sorted(sorted(name for _, name in group) for group in groups) == [
                    [b"a%d" % i for i in range(4)],
                    [b"b%d" % i for i in range(4)],
                ]
            # Each server goes on with the points of the other one, and gives all its own again.
            assert two.result("push", points("c", [11.0, 12.0]))
            assert two.result("do_mix") is True
            for each in (one, two):
                names = [name for group in each.result("get_core_members_light") for _, name in group]
                assert len(names) == len(set(names)) == 10
            error, center = peer.call("get_nearest_center", [[], [["x", 0.0]], []], name=made.name)
            assert (error, center[1][0][1]) == (None, 1.5)
            assert peer.call("clear", name=made.name) == (None, True)
            assert [each.result("get_revision") for each in (one, two)] == [0, 0]
            error, _ = peer.call("get_k_center", name=made.name)
            assert error == b'rpc_server error: "clustering is not performed yet"'


def test_others_are_answered_while_clusters_are_sought(server: Start) -> None:
    many = points("p", [float(i * i % 9973) for i in range(20_000)])
    running = server("clustering", kmeans(len(many), k=40))
    done = threading.Event()

    def push() -> None:
        with running.peer() as peer:
            assert peer.result("push", many)
            done.set()

    thread = threading.Thread(target=push)
    thread.start()
    answers = 0
    with running.peer() as peer:
        while not done.is_set():
            assert peer.status()["pid"]
            answers += 1
        assert peer.result("get_revision") == 1
    thread.join()
    assert answers > 3
