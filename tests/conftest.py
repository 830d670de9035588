"""Server processes and raw connections for all tests; what goes wrong unseen fails the test."""

import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgpack
import pytest
from hypothesis import HealthCheck, settings

from tests.ports import free_port
from tests.zookeeper import _three_servers, ensemble, zookeeper  # noqa: F401

# Property tests are bounded and repeatable.
settings.register_profile(
    "jubatus", max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("jubatus")

BIN = Path(sys.executable).parent
PATIENCE = 20.0
"""Seconds after which a test gives up waiting."""


class Peer:
    """A raw connection to a server, which sends what an old client sends."""

    def __init__(self, port: int, address: str = "127.0.0.1", source: str = "") -> None:
        self.socket = socket.create_connection((address, port), PATIENCE, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=1 << 30)
        self._msgid = 0

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> list[Any]:
        """Return the next reply; raise ConnectionError if the server closes the connection instead."""
        while True:
            for message in self._unpacker:
                return list(message)
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed by the server")
            self._unpacker.feed(data)

    def call(self, method: str, *args: Any, name: str = "") -> tuple[Any, Any]:
        """Call a method of a cluster and return error and result."""
        return self._call(method, [name, *args])

    def _call(self, method: str, params: list[Any]) -> tuple[Any, Any]:
        self._msgid += 1
        self.send(packed([0, self._msgid, method, params]))
        kind, msgid, error, result = self.reply()
        assert (kind, msgid) == (1, self._msgid)
        return error, result

    def call_plain(self, method: str, *args: Any) -> tuple[Any, Any]:
        """Call a method that takes no cluster's name and return error and result."""
        return self._call(method, list(args))

    def plain(self, method: str, *args: Any) -> Any:
        """Call a method that takes no cluster's name and must succeed; return its result."""
        error, result = self.call_plain(method, *args)
        assert error is None, error
        return result

    def result(self, method: str, *args: Any) -> Any:
        """Call a method that must succeed and return its result."""
        error, result = self.call(method, *args)
        assert error is None, error
        return result

    def status(self) -> dict[str, str]:
        """Return the status of the one server, as text."""
        (status,) = self.result("get_status").values()
        return {key.decode(): value.decode() for key, value in status.items()}

    def at_end(self) -> bool:
        """Wait until the server closes the connection; False if it sends something."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def packed(value: Any) -> bytes:
    return bytes(msgpack.packb(value, use_bin_type=False))


class Running:
    """A process that serves.

    Attributes:
        port: where it listens.
        address: the same.
        proc: the process.
        folder: its data folder.
        config: path of its configuration, if it has one.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, port: int, address: str = "127.0.0.1") -> None:
        self.folder = folder
        self.config = folder / "config.json"
        self.port = port
        self.address = address
        self._log = folder / "output"
        with self._log.open("ab") as log:
            self.proc = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(self._listens)
        except BaseException:
            self.proc.kill()
            self.proc.wait()
            raise

    def _listens(self) -> bool:
        assert self.proc.poll() is None, self.output()
        with suppress(OSError), socket.create_connection((self.address, self.port), 1):
            return True
        return False

    def peer(self) -> Peer:
        return Peer(self.port, self.address)

    def output(self) -> str:
        """Return what it wrote so far to standard output and standard error."""
        return self._log.read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        if self.proc.poll() is None:
            self.proc.send_signal(number)
        try:
            return self.proc.wait(PATIENCE)
        finally:
            self.proc.kill()
            self.proc.wait()


class Start(Protocol):
    def __call__(self, service: str, config: Any, *options: str) -> Running: ...


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start servers; at the end each must stop in order and have no trace of an unexpected error in its output."""
    started: list[Running] = []

    def start(service: str, config: Any, *options: str) -> Running:
        folder = tmp_path_factory.mktemp(service)
        path = folder / "config.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        port = free_port()
        command: list[str | Path] = [BIN / f"juba{service}", "-p", str(port), "-b", "127.0.0.1", "-d", folder]
        if "-m" not in options:
            command += ["-f", path]
        started.append(Running([*command, *options], folder, port))
        return started[-1]

    yield start
    end_in_order(started)


def end_in_order(processes: Iterable[Running]) -> None:
    """Stop all processes; those that still run must end in order, and none may have met an unexpected error."""
    outcomes = [(running.proc.poll(), running.stop(), running.output()) for running in processes]
    for before, after, output in outcomes:
        assert before is not None or after == 0, output
        assert "Traceback" not in output, output
        assert "unhandled" not in output, output


def command(service: str, *options: str, program: str = "") -> subprocess.CompletedProcess[str]:
    """Run a server program that ends by itself."""
    path = program or str(BIN / f"juba{service}")
    return subprocess.run([path, *options], capture_output=True, text=True, timeout=PATIENCE, check=False)


def wait_for(condition: Any) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{condition} does not become true"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def _nothing_unseen() -> Iterator[None]:
    """Fail a test during which an event loop met an error that nobody handled."""
    seen: list[str] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(logging.Formatter().format(record))

    handler = Seen(logging.ERROR)
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    assert seen == []
