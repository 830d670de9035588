"""Servers of many machines, which are distinct loopback addresses here, started and stopped by visors."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kazoo.client import KazooClient

from tests.conftest import BIN, Peer, Running, end_in_order, wait_for
from tests.system.cluster import Cluster, tool
from tests.system.test_faults import CONFIG
from tests.zookeeper import ZooKeeper

NUMBERS = (1, 2, 3)


class Machines:
    """Visors, and the servers that they run.

    Args:
        zookeeper: where they are registered.
        tree: looks into it.
        folder: for the files of all processes.
    """

    def __init__(self, zookeeper: ZooKeeper, tree: KazooClient, folder: Path) -> None:
        self.cluster = Cluster(zookeeper.hosts, folder, "classifier", CONFIG)
        self.started: list[Running] = []
        self._tree = tree
        self._servers: dict[str, int] = {}

    def visor(self, number: int, port: int = 9198) -> Running:
        """Start the visor of a machine."""
        address = f"127.0.0.6{number}"
        folder = self.cluster.folder / f"{address}_{len(self.started)}"
        folder.mkdir()
        command = [BIN / "jubavisor", "-z", self.cluster.zookeeper, "-b", address, "-p", str(port), "-l", folder]
        self.started.append(Running(command, folder, port, address))
        return self.started[-1]

    def visors(self) -> list[Running]:
        """Start one visor on each machine."""
        visors = [self.visor(number) for number in NUMBERS]
        wait_for(lambda: len(self._tree.get_children("/jubatus/supervisors")) == len(visors))
        return visors

    def ctl(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run jubactl."""
        where = ("-z", self.cluster.zookeeper, "-s", "jubaclassifier", "-t", "classifier", "-n", self.cluster.name)
        if command == "start":
            where = (*where, "-D", str(self.cluster.folder), "-Z", "2")
        return tool("jubactl", "-c", command, *where, *options)

    def done(self, command: str, *options: str) -> None:
        """Run jubactl, which must succeed at all visors."""
        finished = self.ctl(command, *options)
        assert (finished.returncode, finished.stderr) == (0, "")
        assert finished.stdout == self.lines(command, "ok.", "ok.", "ok.")

    def lines(self, command: str, *results: str) -> str:
        """Return what jubactl prints."""
        sending = f"sending {command} / jubaclassifier/{self.cluster.name} to"
        numbered = zip(NUMBERS, results, strict=True)
        return "".join(f"{sending} 127.0.0.6{number}_9198...{result}\n" for number, result in numbered)

    def servers(self, folder: str = "nodes") -> list[str]:
        """Return the servers of the cluster, without the common part of their addresses."""
        path = f"/jubatus/actors/classifier/{self.cluster.name}/{folder}"
        if not self._tree.exists(path):
            return []
        return sorted(name.removeprefix("127.0.0.6") for name in self._tree.get_children(path))

    def run(self, *names: str) -> bool:
        """Return whether just these servers are active; note their process numbers."""
        if self.servers("actives") != sorted(names):
            return False
        for name in names:
            host, _, port = name.partition("_")
            with Peer(int(port), f"127.0.0.6{host}") as peer:
                self._servers[name] = int(peer.status()["pid"])
        return True

    def kill(self, name: str) -> int:
        """Kill a server and return its process number."""
        pid = self._servers.pop(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def end(self, *names: str) -> None:
        """End servers that have no visor."""
        for name in names:
            os.kill(self._servers[name], signal.SIGTERM)


@pytest.fixture
def machines(zookeeper: ZooKeeper, tree: KazooClient, tmp_path: Path) -> Iterator[Machines]:
    zookeeper.clear()
    made = Machines(zookeeper, tree, tmp_path)
    yield made
    end_in_order(made.started)
    for output in tmp_path.glob("**/*.out"):
        assert "Traceback" not in output.read_text()


def test_servers_are_spread_over_visors(machines: Machines) -> None:
    for command in ("start", "stop", "save", "load"):
        done = machines.ctl(command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"no server to {command} ")
        assert done.stderr.count("\n") == 1
    visors = machines.visors()
    machines.done("start", "-N", "5")
    five = ["1_9199", "1_9200", "2_9199", "2_9200", "3_9199"]
    wait_for(lambda: machines.run(*five))
    machines.done("start", "-N", "5")  # they are there
    machines.done("start", "-N", "7")
    seven = [*five, "1_9201", "3_9200"]
    wait_for(lambda: machines.run(*seven))
    for number, reason in (("4", "already running at this machine"), ("70", "cannot spawn more than 16 processes")):
        done = machines.ctl("start", "-N", number)
        assert (done.returncode, done.stdout) == (1, machines.lines("start", *["failed."] * 3))
        assert done.stderr.count("\n") == 3
        assert all(reason in visor.output() for visor in visors)
    assert machines.servers() == sorted(seven)

    assert all(machines.ctl(command, "-i", "file").returncode == 0 for command in ("save", "load"))
    assert len(list(machines.cluster.folder.glob("*_classifier_file.jubatus"))) == 7
    status = machines.ctl("status").stdout.splitlines()
    members = [f" 127.0.0.6{name}" for name in sorted(seven)]
    assert status[-8:] == [f"active {machines.cluster.name} members:", *members]
    machines.done("stop")
    assert machines.servers() == machines.servers("actives") == []  # at once
    machines.done("stop")


def test_a_server_is_killed_under_a_visor(machines: Machines) -> None:
    visor = machines.visor(1, 65532)  # above it are three ports only
    wait_for(lambda: machines.ctl("start", "-N", "2").returncode == 0)
    wait_for(lambda: machines.run("1_65533", "1_65534"))
    pid = machines.kill("1_65533")
    wait_for(lambda: f"exited pid: {pid}, signal 9" in visor.output())
    assert machines.servers() == ["1_65533", "1_65534"]  # until its session ends
    assert machines.ctl("start", "-N", "2").returncode == 0  # what is missing, on the port that was not used yet
    wait_for(lambda: machines.run("1_65534", "1_65535"))
    assert machines.ctl("start", "-N", "3").returncode == 0  # the port of the first one is free again
    wait_for(lambda: machines.run("1_65533", "1_65534", "1_65535"))
    assert machines.ctl("stop").returncode == 0
    assert machines.servers() == []


def test_a_visor_is_killed(machines: Machines) -> None:
    visors = machines.visors()
    machines.done("start")
    three = ["1_9199", "2_9199", "3_9199"]
    wait_for(lambda: machines.run(*three))
    visors[1].proc.kill()
    visors[1].proc.wait()
    assert machines.run(*three)  # servers outlive it
    for command in ("start", "stop"):
        done = machines.ctl(command)
        assert (done.returncode, done.stdout) == (1, machines.lines(command, "ok.", "failed.", "ok."))
        assert done.stderr.count("\n") == 1
        assert f"'{command} jubaclassifier/{machines.cluster.name}' in 127.0.0.62 9198" in done.stderr
    assert machines.run("2_9199")
    again = machines.visor(2)  # its name is still there
    machines.done("start")
    wait_for(lambda: machines.run("1_9200", "2_9199", "2_9200", "3_9200"))
    assert "port 9199 is passed over" in again.output()
    machines.done("stop")
    assert machines.servers() == ["2_9199"]
    machines.end("2_9199")
    wait_for(lambda: machines.servers() == [])
