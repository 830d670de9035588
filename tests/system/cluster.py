"""Clusters of real processes on a real ZooKeeper, for the tests of whole systems."""

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import BIN, PATIENCE, Peer, Running, end_in_order, wait_for
from tests.ports import free_port
from tests.services import facts_of

_names = itertools.count()


class Cluster:
    """Servers and keepers of one cluster.

    Args:
        zookeeper: locations of the ZooKeeper.
        folder: for the files of all processes.
        service: of the cluster.
        config: its configuration.

    Attributes:
        name: of the cluster.
    """

    def __init__(self, zookeeper: str, folder: Path, service: str, config: Any) -> None:
        self.zookeeper = zookeeper
        self.folder = folder
        self.service = service
        self.name = f"test{os.getpid()}x{next(_names)}"
        self.started: list[Running] = []
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        done = tool("jubaconfig", "-c", "write", "-f", path, "-t", service, "-n", self.name, "-z", zookeeper)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def server(self, *options: str, port: int = 0, active: bool = True) -> Running:
        """Start a server; options come last and so win. Wait until it is active unless told not to."""
        running = self._start(f"juba{self.service}", port, "-n", self.name, "-Z", "2", "-I", "2", *options)
        if active:
            wait_for(lambda: self.is_active(running))
        return running

    def keeper(self, *options: str, port: int = 0) -> Running:
        """Start a keeper."""
        return self._start(f"juba{self.service}_keeper", port, "-Z", "2", "-I", "2", *options)

    def _start(self, program: str, port: int, *options: str) -> Running:
        port = port or free_port()
        folder = self.folder / f"{program}_{port}_{len(self.started)}"
        folder.mkdir()
        command: list[str | Path] = [BIN / program, "-z", self.zookeeper, "-p", str(port), "-b", "127.0.0.1"]
        if not program.endswith("_keeper"):
            command += ["-d", folder]
        self.started.append(Running([*command, *options], folder, port))
        return self.started[-1]

    def is_active(self, server: Running) -> bool:
        """Whether a server is up to date by its own word, and has mixed for the first time if its model counts that."""
        with server.peer() as peer:
            status = peer.status()
        linear = status["mixer"] == "linear_mixer"
        if not linear:
            return True
        mixed = status["linear_mixer.version"] != "0" or not facts_of(self.service).versioned
        return status["linear_mixer.is_obsolete"] == "0" and mixed

    def mix(self, server: Running) -> None:
        """Mix now."""
        with server.peer() as peer:
            assert peer.result("do_mix") is True

    def servers(self) -> list[Running]:
        """Return all servers that were started."""
        return [running for running in self.started if "_keeper_" not in running.folder.name]

    def models(self) -> list[bytes]:
        """Return the packed model of each server that lives."""
        found = []
        for running in self.servers():
            if running.proc.poll() is None:
                with running.peer() as peer:
                    found.append(peer.plain("get_model", 0)[1])
        return found


def tool(program: str, *options: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [BIN / program, *options],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env=env,
    )  # fmt: skip


@contextmanager
def cluster(zookeeper: str, folder: Path, service: str, config: Any) -> Iterator[Cluster]:
    """Make a cluster; at the end what still runs must stop in order."""
    made = Cluster(zookeeper, folder, service, config)
    try:
        yield made
    finally:
        end_in_order(made.started)


def train(peer: Peer, label: str, text: str, name: str = "") -> tuple[Any, Any]:
    """Train one message; return error and result."""
    return peer.call("train", [[label, [[["message", text]], [], []]]], name=name)


def classify(peer: Peer, text: str, name: str = "") -> tuple[Any, Any]:
    """Classify one message; return error and result."""
    return peer.call("classify", [[[["message", text]], [], []]], name=name)
