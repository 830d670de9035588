"""Real ZooKeeper servers on loopback addresses, and lines to them that can be cut."""

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from kazoo.retry import KazooRetry

from tests.ports import free_ports

JARS = Path("/usr/share/java")
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
TICK = 500
START = 60.0
"""Seconds that a server may take to answer."""


class ZooKeeper:
    """One ZooKeeper server, or an ensemble of several.

    Args:
        folder: where data and logs are.
        servers: how many.
        options: further lines of the configuration.

    Attributes:
        ports: where each server listens for clients.
        hosts: all of them, as clients take it.
    """

    def __init__(self, folder: Path, servers: int = 1, options: Sequence[str] = ()) -> None:
        java = shutil.which("java")
        jars = [JARS / "zookeeper.jar", JARS / "zookeeper-jute.jar"]
        if options:  # those of TLS; the other parts of netty are named by the first archive
            jars.append(JARS / "netty-codec.jar")
        missing = [str(jar) for jar in jars if not jar.exists()]
        if java is None or missing:
            pytest.fail(f"apt-get install zookeeper default-jre-headless: {java=} {missing=}")
        self._java = java
        self._classes = ":".join(map(str, jars))
        self.ports = free_ports(servers)
        self.hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        self._folders = [folder / str(index + 1) for index in range(servers)]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * servers
        peers = free_ports(2 * servers)
        for index, own in enumerate(self._folders):
            (own / "data").mkdir(parents=True)
            (own / "data" / "myid").write_text(str(index + 1))
            lines = [
                f"tickTime={TICK}",
                "minSessionTimeout=1000",
                "maxSessionTimeout=60000",
                "initLimit=20",
                "syncLimit=10",
                "maxClientCnxns=0",
                "admin.enableServer=false",
                "4lw.commands.whitelist=*",
                f"dataDir={own / 'data'}",
                "clientPortAddress=127.0.0.1",
                f"clientPort={self.ports[index]}",
                *options,
            ]
            if servers > 1:
                lines += [f"server.{i + 1}=127.0.0.1:{peers[2 * i]}:{peers[2 * i + 1]}" for i in range(servers)]
            (own / "zoo.cfg").write_text("\n".join(lines) + "\n")

    def start(self, index: int | None = None) -> None:
        """Start a server, or all, and wait until those that run answer; what runs is left alone."""
        for number, process in enumerate(self._processes):
            if index in (None, number) and process is None:
                self._processes[number] = self._spawn(self._folders[number])
        end = time.monotonic() + START
        for number, process in enumerate(self._processes):
            while process is not None and not self.mode(number):
                output = (self._folders[number] / "log").read_text(errors="replace")[-4000:]
                assert process.poll() is None, f"ZooKeeper ended: {output}"
                assert time.monotonic() < end, f"ZooKeeper does not answer: {output}"
                time.sleep(0.02)

    def _spawn(self, folder: Path) -> subprocess.Popen[bytes]:
        options = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
        # A power cut is not tested; the logs of transactions are small.
        options += ["-Dzookeeper.forceSync=no", "-Dzookeeper.preAllocSize=512", "-Dzookeeper.jmx.log4j.disable=true"]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._java, *options, "-cp", self._classes, MAIN, str(folder / "zoo.cfg")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )

    def stop(self, index: int | None = None) -> None:
        """End a server, or all, in order."""
        self._end(signal.SIGTERM, index)

    def kill(self, index: int | None = None) -> None:
        """End a server, or all, at once; the data stays."""
        self._end(signal.SIGKILL, index)

    def _end(self, number: signal.Signals, index: int | None) -> None:
        ending = []
        for i, process in enumerate(self._processes):
            if process is not None and index in (None, i):
                process.send_signal(signal.SIGCONT)
                process.send_signal(number)
                ending.append(process)
                self._processes[i] = None
        for process in ending:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def pause(self, index: int | None = None) -> None:
        """Stop a server, or all, without closing connections."""
        self._signal(signal.SIGSTOP, index)

    def resume(self, index: int | None = None) -> None:
        """Let a server, or all, go on after `pause`."""
        self._signal(signal.SIGCONT, index)

    def _signal(self, number: signal.Signals, index: int | None) -> None:
        for i, process in enumerate(self._processes):
            if process is not None and index in (None, i):
                process.send_signal(number)

    def command(self, index: int, word: str) -> str:
        """Return a server's answer to a four-letter word, or nothing if there is none."""
        answer = b""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[index]), 2) as connection:
            connection.sendall(word.encode())
            while piece := connection.recv(1 << 16):
                answer += piece
        return answer.decode(errors="replace")

    def mode(self, index: int) -> str:
        """Return `standalone`, `leader` or `follower`, or nothing if a server does not serve."""
        for line in self.command(index, "srvr").splitlines():
            if line.startswith("Mode: "):
                return line.removeprefix("Mode: ")
        return ""

    def leader(self) -> int:
        """Return which server leads."""
        end = time.monotonic() + START
        while time.monotonic() < end:
            for index, process in enumerate(self._processes):
                if process is not None and self.mode(index) in {"leader", "standalone"}:
                    return index
            time.sleep(0.02)
        raise AssertionError("no ZooKeeper server leads")

    def client(self, hosts: str = "") -> KazooClient:
        """Return a started client; who asks for it stops and closes it."""
        client = KazooClient(hosts or self.hosts, 10, connection_retry=KazooRetry(-1, 0.05, max_delay=0.2))
        client.start(START)
        return client

    def clear(self) -> None:
        """Delete all nodes of a tree that programs may still change."""
        client = self.client()
        try:
            client.retry(client.delete, "/jubatus", recursive=True)
        except Exception as error:
            if type(error).__name__ != "NoNodeError":
                raise
        finally:
            client.stop()
            client.close()


class Line:
    """A line to a server that can be cut: clients connect to `port` instead of the server's.

    Args:
        to: port of the server on 127.0.0.1.

    Attributes:
        port: where clients connect.
        deaf: whether what the server says is dropped.
        dropped: how many of its messages were.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._whole = True
        self.deaf = False
        self.dropped = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def hosts(self) -> str:
        """The line, as clients of ZooKeeper take it."""
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break all connections and refuse new ones."""
        with self._lock:
            self._whole = False
            ends, self._open = self._open, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let new connections through again."""
        with self._lock:
            self._whole = True

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._to), 5)
                    far.settimeout(None)
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    whole = self._whole
                    if whole:
                        self._open |= {near, far}
                if not whole:
                    near.close()
                    far.close()
                    continue
                threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, back: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if back and self.deaf:
                    self.dropped += 1
                else:
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()


def _run(servers: int) -> Iterator[ZooKeeper]:
    with tempfile.TemporaryDirectory(prefix="zookeeper-") as folder:
        running = ZooKeeper(Path(folder), servers)
        try:
            running.start()
            yield running
        finally:
            running.kill()


@pytest.fixture(scope="session")
def zookeeper() -> Iterator[ZooKeeper]:
    """Give one ZooKeeper server; who stops it starts it again, `clear` empties it."""
    yield from _run(1)


@pytest.fixture(scope="session")
def _three_servers() -> Iterator[ZooKeeper]:
    yield from _run(3)


@pytest.fixture
def ensemble(_three_servers: ZooKeeper) -> Iterator[ZooKeeper]:
    """Give an empty ensemble of three; what a test stops runs again in the next one."""
    _three_servers.resume()
    _three_servers.start()
    _three_servers.leader()
    _three_servers.clear()
    yield _three_servers
