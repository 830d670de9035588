"""The example of anomaly, and which servers of a cluster have a point, also when one of them dies."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Start, wait_for
from tests.contract.programs import NEVER
from tests.golden.test_cluster import owners
from tests.services import Config
from tests.services.anomaly import light, lof
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/anomaly"
PAGE = Path(__file__).parent.parent.parent / "docs/services/anomaly.md"


def motor(*options: str) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "motor.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start, tmp_path: Path) -> None:
    picture = tmp_path / "motor.png"
    printed = motor("--picture", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert printed in PAGE.read_text()
    running = server("anomaly", (EXAMPLE / "config.json").read_text())
    assert motor("--server", f"127.0.0.1:{running.port}") == printed


def datum(number: float) -> list[object]:
    return [[], [["k", number], ["l", 1.0]], []]


@pytest.mark.parametrize("config", [lof("inverted_index_euclid"), light("euclid_lsh")], ids=["lof", "light_lof"])
def test_points_of_a_cluster_go_to_the_servers_of_their_ids(
    config: Config, zookeeper: ZooKeeper, tmp_path: Path
) -> None:
    with cluster(zookeeper.hosts, tmp_path, "anomaly", config) as made:
        servers = [made.server(*NEVER) for _ in range(3)]
        ports = [running.port for running in servers]
        peers = [running.peer() for running in servers]
        with made.keeper().peer() as front:

            def ask(method: str, *args: object) -> object:
                error, result = front.call(method, *args, name=made.name)
                assert error is None, (method, args, error)
                return result

            added: list[tuple[bytes, float]] = [ask("add", datum(number)) for number in range(20)]  # type: ignore[misc]
            ids = [id for id, _ in added]
            assert ids == [b"%d" % number for number in range(1, 21)]
            assert all(score > 0 for _, score in added)
            named = owners(ports, [id.decode() for id in ids])
            held = [set(peer.result("get_all_rows")) for peer in peers]
            assert [{server for server in range(3) if id in held[server]} for id in ids] == [
                set(each) for each in named
            ]
            assert ask("add_bulk", [datum(50), datum(51)]) == [b"21", b"22"]
            assert sum(b"21" in peer.result("get_all_rows") for peer in peers) == 1
            made.mix(servers[0])
            wait_for(lambda: all(len(peer.result("get_all_rows")) == 22 for peer in peers))
            assert all(peer.result("calc_score", datum(1000)) > 10 for peer in peers)

            servers[2].proc.kill()
            servers[2].proc.wait()
            wait_for(lambda: all(front.call("add", datum(3.5), name=made.name)[0] is None for _ in range(30)))
            id, score = ask("add", datum(4.5))  # type: ignore[misc]
            assert int(id) > 22 and not math.isnan(score)
            assert any(id in peer.result("get_all_rows") for peer in peers[:2])
        for peer in peers:
            peer.close()
