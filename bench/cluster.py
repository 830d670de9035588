"""A cluster to measure: a ZooKeeper, servers in distributed mode, a keeper."""

import json
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.process import BIN, HOST, Caller, answers, free_port
from bench.workloads import request

NAME = "bench"
ZOOKEEPER = """
tickTime=500
dataDir={folder}
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
"""


@contextmanager
def zookeeper() -> Iterator[str]:
    """Run a ZooKeeper and yield its location."""
    with tempfile.TemporaryDirectory(prefix="juba-bench-") as folder:
        port = free_port()
        config = Path(folder, "zoo.cfg")
        config.write_text(ZOOKEEPER.format(folder=folder, port=port))
        command = [
            "java", "-Xmx128m", "-cp", "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar",
            f"-Dzookeeper.log.dir={folder}", "-Dzookeeper.root.logger=ERROR,CONSOLE",
            "org.apache.zookeeper.server.quorum.QuorumPeerMain", config,
        ]  # fmt: skip
        with open(Path(folder, "log"), "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(port, process)
            yield f"{HOST}:{port}"
        finally:
            process.kill()
            process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a process listens; on a busy machine a Java runtime takes longer than the commands would wait."""
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
        time.sleep(0.05)


class Cluster:
    """Servers and keepers of one cluster.

    Args:
        zookeeper: location of ZooKeeper.
        folder: for logs.
        config: of the servers.
        service: of the cluster.
    """

    def __init__(self, zookeeper: str, folder: Path, config: dict[str, Any], service: str) -> None:
        self.zookeeper = zookeeper
        self.folder = folder
        self.service = service
        self.processes: list[subprocess.Popen[bytes]] = []
        self.servers: list[int] = []
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        words = ["-c", "write", "-t", service, "-n", NAME, "-z", zookeeper, "-f", path]
        subprocess.run([BIN / "jubaconfig", *words], check=True)

    def start(self, program: str, *options: str) -> int:
        """Start a program, wait until it answers, return its port."""
        port = free_port()
        with open(self.folder / f"log{port}", "wb") as log:
            command = [BIN / program, "-z", self.zookeeper, "-b", HOST, "-p", str(port), *options]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.processes.append(process)
        if not answers(port, process, "get_proxy_status" if "keeper" in program else "get_status"):
            raise RuntimeError(f"{program} did not start: {(self.folder / f'log{port}').read_text()}")
        return port

    def server(self, *options: str) -> int:
        """Start a server that mixes only when told, wait until it is up to date, return its port."""
        port = self.start(f"juba{self.service}", "-n", NAME, "-s", "0", "-i", "0", "-d", str(self.folder), *options)
        with Caller(port) as caller:
            while caller.call(request("get_status"))[f"{HOST}_{port}"]["linear_mixer.is_obsolete"] == "1":
                time.sleep(0.02)
        self.servers.append(port)
        return port

    def keeper(self) -> int:
        """Start a keeper, return its port."""
        return self.start(f"juba{self.service}_keeper")

    def mix(self) -> tuple[float, int]:
        """Mix on the first server; return seconds and the bytes that were put."""
        port = self.servers[0]
        with Caller(port) as caller:
            start = time.perf_counter()
            if caller.call(request("do_mix")) is not True:
                raise RuntimeError("the mix failed")
            seconds = time.perf_counter() - start
        text = (self.folder / f"log{port}").read_text()
        return seconds, int(re.findall(r"secs, (\d+) bytes", text)[-1])

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(30)


@contextmanager
def cluster(zookeeper: str, config: dict[str, Any], servers: int, service: str = "classifier") -> Iterator[Cluster]:
    """Run a cluster until it is left."""
    with tempfile.TemporaryDirectory(prefix="juba-bench-") as folder:
        made = Cluster(zookeeper, Path(folder), config, service)
        try:
            for _ in range(servers):
                made.server()
            yield made
        finally:
            made.stop()
