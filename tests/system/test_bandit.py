"""The example of bandit; a cluster: arms on all servers, players on one each, and what a MIX tells the others."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import Start
from tests.contract.programs import NEVER
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/bandit"
PAGE = Path(__file__).parent.parent.parent / "docs/services/bandit.md"
CONFIG = json.loads((EXAMPLE / "config.json").read_text())


def clicks(*options: str | Path) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "clicks.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start, tmp_path: Path) -> None:
    printed = clicks("--picture", tmp_path / "regret.png")
    assert (tmp_path / "regret.png").read_bytes().startswith(b"\x89PNG")
    assert printed in PAGE.read_text()
    running = server("bandit", CONFIG)
    asked = clicks("--server", f"127.0.0.1:{running.port}")
    assert asked.split()[2:] == printed.splitlines()[-1].split()[1:]
    with running.peer() as peer:
        assert peer.status()["update_count"] == str(5 + 1 + 2 * 10_000)


def test_a_cluster_knows_all_arms_and_after_a_mix_all_players(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "bandit", CONFIG) as made:
        servers = [made.server(*NEVER) for _ in range(2)]
        keeper = made.keeper()
        players = [f"player{number}" for number in range(10, 30)]
        known = {b"arm": [1, 1.0]}
        with keeper.peer() as peer, servers[0].peer() as one, servers[1].peer() as two:
            assert peer.call("register_arm", "arm", name=made.name) == (None, True)
            assert peer.call("register_arm", "arm", name=made.name) == (None, False)
            for player in players:
                assert peer.call("select_arm", player, name=made.name) == (None, b"arm")
                assert peer.call("register_reward", player, "arm", 1.0, name=made.name) == (None, True)
            assert [peer.call("get_arm_info", player, name=made.name)[1] for player in players] == [known] * 20
            there = [
                [player for player in players if each.result("get_arm_info", player) == known] for each in (one, two)
            ]
            assert sorted(there[0] + there[1]) == players
            assert all(there)
            assert one.result("do_mix") is True
            for each in (one, two):
                assert [each.result("get_arm_info", player) for player in players] == [known] * 20
            assert peer.call("reset", players[0], name=made.name) == (None, True)
            assert peer.call("reset", players[0], name=made.name) == (None, False)
            error, _ = peer.call("register_reward", players[0], "arm", 0.5, name=made.name)
            assert error == b'rpc_server error: "reward is not in {0,1}"'
