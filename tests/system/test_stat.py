"""The examples of stat, in process and through a keeper; what a key's server and the mixers make of it."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.contract.programs import NEVER
from tests.system.cluster import cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/stat"
PAGE = Path(__file__).parent.parent.parent / "docs/services/stat.md"
CONFIG = json.loads((EXAMPLE / "config.json").read_text())


def mails(*options: str) -> str:
    """Run the example of mails and return what it prints."""
    return example("mails.py", *options)


def example(name: str, *options: str) -> str:
    command = [sys.executable, EXAMPLE / name, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start) -> None:
    printed = mails()
    lines = printed.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "a label that no mail has: sum: key eggs not found"
    assert "\n".join(lines[:3]) in PAGE.read_text()
    running = server("stat", CONFIG)
    assert mails("--server", f"127.0.0.1:{running.port}") == printed
    with running.peer() as peer:
        assert peer.status()["storage"] == "stat"
        assert peer.status()["update_count"] == "1500"


def test_the_example_of_a_sensor_finds_what_is_unusual_and_draws_it(server: Start, tmp_path: Path) -> None:
    picture = tmp_path / "sensor.png"
    printed = example("sensor.py", "--picture", str(picture))
    lines = printed.splitlines()
    assert lines[0] == "2880 generated readings, window of 60"
    unusual = [line for line in lines if " is unusual: " in line]
    assert lines[-1] == f"{len(unusual)} unusual readings"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "\n".join(lines[1:5]) in PAGE.read_text()
    running = server("stat", {"window_size": 60})
    address = f"127.0.0.1:{running.port}"
    assert example("sensor.py", "--server", address) == printed


def test_a_cluster_answers_of_each_key_from_its_server(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "stat", {"window_size": -1}) as made:
        servers = [made.server(*NEVER) for _ in range(2)]
        keeper = made.keeper()
        keys = [f"key{number}" for number in range(10, 30)]
        with keeper.peer() as peer, servers[0].peer() as one, servers[1].peer() as two:
            for key in keys * 3:
                assert peer.call("push", key, 2.0, name=made.name) == (None, True)
            assert [peer.call("sum", key, name=made.name) for key in keys] == [(None, 6.0)] * 20
            known = [[key for key in keys if each.call("sum", key)[0] is None] for each in (one, two)]
            assert sorted(known[0] + known[1]) == keys
            assert all(known)
            assert one.result("do_mix") is True
            (mixed,) = {each.result("entropy", "") for each in (one, two)}
            assert mixed == pytest.approx(math.log(20))
            assert peer.call("clear", name=made.name) == (None, True)
            assert peer.call("entropy", "", name=made.name) == (None, mixed)
            error, _ = peer.call("sum", keys[0], name=made.name)
            assert error == b'rpc_server error: "sum: key key10 not found"'


def test_a_mixer_that_pushes_takes_the_name_push(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    """As in the original: its method of that name hides that of the service."""
    with cluster(zookeeper.hosts, tmp_path, "stat", CONFIG) as made:
        with made.server("-x", "random_mixer", *NEVER).peer() as peer:
            assert peer.call("push", "a", 1.0)[0] is not None
            assert peer.plain("push", b"\x90") == 0
            assert peer.call("sum", "a") == (b"sum: key a not found", None)
