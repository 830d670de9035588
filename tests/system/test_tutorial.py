"""The tutorial of a cluster, on one machine and on many, which are distinct loopback addresses here."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import BIN, Running, end_in_order, wait_for
from tests.system.cluster import tool
from tests.zookeeper import ZooKeeper

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "examples/tutorial/config.json"
PROGRAM = ROOT / "examples/tutorial/tutorial.py"
TYPE = ("--server=jubaclassifier", "--type=classifier", "--name=tutorial")

STATUS = """\
active jubaclassifier_keeper members:
 127.0.0.101_9199
 127.0.0.102_9199
 127.0.0.103_9199
active jubavisor members:
 127.0.0.11_9198
 127.0.0.12_9198
 127.0.0.13_9198
active tutorial members:
 127.0.0.11_9199
 127.0.0.12_9199
 127.0.0.13_9199
"""


@pytest.fixture
def processes() -> Iterator[list[Running]]:
    started: list[Running] = []
    yield started
    end_in_order(started)


def start(folder: Path, program: str, address: str, port: int, *options: str | Path) -> Running:
    own = folder / f"{program}_{address}_{port}"
    own.mkdir()
    return Running([BIN / program, "-b", address, *options], own, port, address)


def tutorial(*options: str) -> list[str]:
    """Run the tutorial's program and return its lines."""
    done = subprocess.run(
        [sys.executable, PROGRAM, *options], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def check(lines: list[str], servers: int) -> None:
    """Check what the tutorial's program printed."""
    text = "\n".join(lines)
    assert json.loads(text[: text.index("\n{'")]) == json.loads(CONFIG.read_text())
    assert len(re.findall(r"'is_standalone': '0'", text)) == 2 * servers
    verdicts = [line for line in lines if re.fullmatch(r"(OK|NG),(ham|spam), (ham|spam), -?[\d.e-]+", line)]
    right = sum(line.startswith("OK") for line in verdicts)
    assert len(verdicts) == 500
    assert right > 450
    assert lines[-1] == f"OK: {right}, NG: {500 - right}, accuracy: {right / 5:.1f} %"


def knows_three_servers(keeper: Running) -> bool:
    """Whether the servers are all active, which comes a moment after their registration, and the keeper knows it."""
    with keeper.peer() as peer:
        error, status = peer.call("get_status", name="tutorial")
    return error is None and len(status) == 3


def test_one_machine(zookeeper: ZooKeeper, tmp_path: Path, processes: list[Running]) -> None:
    zookeeper.clear()
    where = f"--zookeeper={zookeeper.hosts}"
    done = tool(
        "jubaconfig", "--cmd", "write", where, "--file", CONFIG, "--name", "tutorial", "--type", "classifier"
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    processes.append(start(tmp_path, "jubaclassifier_keeper", "127.0.0.1", 9198, where, "--rpc-port=9198"))
    for port in (9180, 9181, 9182):
        options = [f"--rpc-port={port}", "--name=tutorial", where, f"--datadir={tmp_path}"]
        processes.append(start(tmp_path, "jubaclassifier", "127.0.0.1", port, *options))
    client = zookeeper.client()
    try:
        actors = "/jubatus/actors/classifier/tutorial"
        three = [f"127.0.0.1_{port}" for port in (9180, 9181, 9182)]
        wait_for(
            lambda: client.exists(f"{actors}/actives") and sorted(client.get_children(f"{actors}/actives")) == three
        )
        assert sorted(client.get_children(f"{actors}/nodes")) == three
    finally:
        client.stop()
        client.close()
    wait_for(lambda: knows_three_servers(processes[0]))
    check(tutorial("--server_port=9198", "--name=tutorial"), 3)


def test_many_machines(ensemble: ZooKeeper, tmp_path: Path, processes: list[Running]) -> None:
    where = f"--zookeeper={ensemble.hosts}"
    environment = {**os.environ, "ZK": ensemble.hosts}
    done = tool("jubaconfig", "-c", "write", "-f", CONFIG, "-n", "tutorial", "-t", "classifier", env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for number in (1, 2, 3):
        processes.append(start(tmp_path, "jubaclassifier_keeper", f"127.0.0.10{number}", 9199, where))
    for number in (1, 2, 3):
        processes.append(start(tmp_path, "jubavisor", f"127.0.0.1{number}", 9198, where))
    done = tool("jubactl", "-c", "start", *TYPE, where, "-D", tmp_path)
    sent = "".join(f"sending start / jubaclassifier/tutorial to 127.0.0.1{n}_9198...ok.\n" for n in (1, 2, 3))
    assert (done.returncode, done.stdout, done.stderr) == (0, sent, "")
    wait_for(lambda: tool("jubactl", "-c", "status", *TYPE, where).stdout == STATUS)
    keepers = [running for running in processes if running.port == 9199]
    wait_for(lambda: all(map(knows_three_servers, keepers)))
    for line in ("127.0.0.101:9199", "127.0.0.102:9199"):
        check(tutorial("--name=tutorial", "--server_ip", line), 3)
    for command, answer in (("save", "ok."), ("load", "ok.")):
        done = tool("jubactl", "-c", command, *TYPE, where)
        lines = "".join(f"sending {command} / tutorial to 127.0.0.1{n}_9199...{answer}\n" for n in (1, 2, 3))
        assert (done.returncode, done.stdout, done.stderr) == (0, lines, "")
    done = tool("jubactl", "-c", "stop", *TYPE, where)
    assert (done.returncode, done.stdout, done.stderr) == (0, sent.replace("start", "stop"), "")
    gone = STATUS[: STATUS.index(" 127.0.0.11_9199")]
    wait_for(lambda: tool("jubactl", "-c", "status", *TYPE, where).stdout == gone)
