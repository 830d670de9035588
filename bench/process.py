"""The processes of a measurement: a server of ours, the bare server, the load."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from bench.report import ROOT
from bench.workloads import request

BIN = Path(sys.executable).parent
HOST = "127.0.0.1"


@dataclass
class Server:
    """A server that has answered a request; seconds is how long that took from the start of its process."""

    port: int
    pid: int
    seconds: float


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def folder() -> Iterator[Path]:
    """Make a temporary folder and remove it."""
    with tempfile.TemporaryDirectory(prefix="juba-bench-") as name:
        yield Path(name)


@contextmanager
def server(
    config: dict[str, Any],
    datadir: Path,
    port: int = 0,
    service: str = "classifier",
    options: Sequence[str] = (),
) -> Iterator[Server]:
    """Run a standalone server until it is left, with default options but for those that are given."""
    port = port or free_port()
    file = datadir / "config.json"
    file.write_text(json.dumps(config))
    command = [BIN / f"juba{service}", "-b", HOST, "-p", str(port), "-d", datadir, "-f", file, *options]
    with open(datadir / "log", "ab") as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        if not answers(port, process):
            raise RuntimeError(f"the server did not start: {(datadir / 'log').read_text()}")
        yield Server(port, process.pid, time.perf_counter() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def answers(port: int, process: subprocess.Popen[bytes], method: str = "get_status") -> bool:
    """Return True when a request was answered, False if the process ends or takes no connection within 10 s."""
    for _ in range(5000):
        try:
            with Caller(port) as caller:
                caller.call(request(method))
            return True
        except ConnectionRefusedError:
            if process.poll() is not None:
                break
            time.sleep(0.002)
    return False


@contextmanager
def bare(length: int, reply: bytes) -> Iterator[int]:
    """Run the bare server and yield its port."""
    command = [sys.executable, ROOT / "bench/bare.py", str(length), reply.hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.kill()


def loader() -> Path:
    """Return the path of the load program, compiled."""
    program, source = ROOT / "build/load", ROOT / "bench/load.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    return program


def load(port: int, file: Path, connections: int, total: int) -> dict[str, float]:
    """Load the server with the requests of the file; return what load.c prints."""
    command = [loader(), HOST, str(port), file, str(connections), str(total)]
    result: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    if result["errors"]:
        raise RuntimeError(f"{result['errors']} of {total} requests were refused")
    return result


class Caller:
    """A client as small as can be: a blocking socket, one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), 60)
        self.unpacker = msgpack.Unpacker(raw=False)

    def call(self, packed: bytes) -> Any:
        """Send a packed request, return the result of the reply."""
        self.socket.sendall(packed)
        while True:
            for _, _, error, result in self.unpacker:
                if error is not None:
                    raise RuntimeError(error)
                return result
            self.unpacker.feed(self._receive())

    def reply(self, packed: bytes) -> bytes:
        """Send a packed request, return the bytes of the reply, which must come as one chunk."""
        self.socket.sendall(packed)
        return self._receive()

    def _receive(self) -> bytes:
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
