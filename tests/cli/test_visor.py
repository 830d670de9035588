import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil
import pytest

from jubatus.cli.visor import OPTIONS
from jubatus.cluster.coordinator import Coordinator
from jubatus.cluster.zookeeper import connect
from tests.conftest import BIN, PATIENCE, Running, end_in_order, wait_for
from tests.ports import free_port, free_ports
from tests.zookeeper import ZooKeeper, zookeeper

__all__ = ["zookeeper"]

OF = ("-s", "jubafake", "-t", "fake", "-n", "tutorial")
PROGRAM = """\
#!{python}
import signal, sys, time
print("started", *sys.argv[1:], flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(60)
"""


@pytest.fixture
def zk(zookeeper: ZooKeeper) -> Iterator[Coordinator]:
    zookeeper.start()
    zookeeper.clear()
    made = connect(zookeeper.hosts, 10)
    yield made
    made.close()


class Machine(Running):
    """A visor on an address of its own."""

    def __init__(self, command: list[str | Path], folder: Path, port: int, address: str) -> None:
        self._address = address
        super().__init__(command, folder, port)

    def _listens(self) -> bool:
        assert self.proc.poll() is None, self.output()
        with suppress(OSError), socket.create_connection((self._address, self.port), 1):
            return True
        return False


class Visor(Protocol):
    def __call__(self, *options: str, address: str = "127.0.0.1") -> Running: ...


@pytest.fixture
def visor(
    zookeeper: ZooKeeper, zk: Coordinator, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Visor]:
    """Start visors that find a server's program by PATH."""
    programs = tmp_path_factory.mktemp("programs")
    path = programs / "jubafake"
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    started: list[Running] = []

    def start(*options: str, address: str = "127.0.0.1") -> Running:
        port = free_ports(5)[0]
        command: list[str | Path] = [BIN / "jubavisor", "-z", zookeeper.hosts, "-p", str(port), "-b", address, *options]
        folder = tmp_path_factory.mktemp("visor")
        running = Machine(command, folder, port, address)
        started.append(running)
        wait_for(lambda: zk.exists(f"/jubatus/supervisors/{address}_{port}"))
        return running

    yield start
    end_in_order(started)


def control(zookeeper: ZooKeeper, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "jubactl", "-z", zookeeper.hosts, *OF, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def children(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.proc.pid).children()


def test_servers_are_started_watched_and_stopped(zookeeper: ZooKeeper, visor: Visor, tmp_path: Path) -> None:
    running = visor("-l", str(tmp_path))
    member = f"127.0.0.1_{running.port}"
    done = control(zookeeper, "-c", "start", "-N", "2", "-X", "skip_mixer")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"sending start / jubafake/tutorial to {member}...ok.\n",
        "",
    )
    assert [process.net_connections() for process in children(running)] == [[], []]  # nothing open is passed on
    for port in (running.port + 1, running.port + 2):
        output = tmp_path / f"jubafake.127.0.0.1_{port}.out"
        wait_for(output.read_text)
        assert output.read_text().split(" ") == (
            f"started -z {zookeeper.hosts} -n tutorial -p {port} -B  -c 2 -t 10 -Z 10 -I 10 -d /tmp -l  -g  "
            "-s 16 -i 512 -x skip_mixer -b 127.0.0.1\n"
        ).split(" ")
    done = control(zookeeper, "-c", "start", "-N", "1")
    assert (done.returncode, done.stdout.endswith("...failed.\n")) == (1, True)
    assert (
        done.stderr
        == f"can't do 'start jubafake/tutorial' in 127.0.0.1 {running.port}: it answers -1; its log says why\n"
    )
    assert "2 jubafake/tutorial already running at this machine." in running.output()

    first = children(running)[0]
    first.kill()
    wait_for(lambda: f"exited pid: {first.pid}, signal 9" in running.output())
    assert len(children(running)) == 1
    assert control(zookeeper, "-c", "start", "-N", "2").returncode == 0
    assert len(children(running)) == 2
    done = control(zookeeper, "-c", "stop")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"sending stop / jubafake/tutorial to {member}...ok.\n",
        "",
    )
    assert children(running) == []
    assert (tmp_path / f"jubavisor.{member}.log").read_text() == running.output()


def test_the_end_of_a_visor_is_that_of_its_servers(zookeeper: ZooKeeper, visor: Visor, zk: Coordinator) -> None:
    running = visor()
    assert control(zookeeper, "-c", "start", "-N", "3").returncode == 0
    processes = children(running)
    assert len(processes) == 3
    wait_for(lambda: running.output().count("started -z") == 3)  # what servers print is seen where the visor's log is
    assert running.stop() == 0
    assert not any(process.is_running() for process in processes)
    assert zk.children("/jubatus/supervisors") == []
    assert running.output().count("exited pid: ") == 3


def test_several_machines(zookeeper: ZooKeeper, visor: Visor) -> None:
    machines = [visor(address=f"127.0.0.{number}") for number in (11, 12, 13)]
    names = [f"127.0.0.{number}_{running.port}" for number, running in zip((11, 12, 13), machines, strict=True)]
    done = control(zookeeper, "-c", "status")
    assert (done.returncode, done.stderr) == (1, "cluster does not exist: type: fake name: tutorial\n")
    assert done.stdout.splitlines() == [
        "active jubafake_keeper members:",
        "active jubavisor members:",
        *(f" {name}" for name in names),
        "active tutorial members:",
    ]
    done = control(zookeeper, "-c", "start", "-N", "4")
    assert done.stdout.splitlines() == [f"sending start / jubafake/tutorial to {name}...ok." for name in names]
    assert [len(children(running)) for running in machines] == [2, 1, 1]
    orphans = children(machines[1])
    machines[1].stop(signal.SIGKILL)
    for process in orphans:
        process.kill()
    done = control(zookeeper, "-c", "stop")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"sending stop / jubafake/tutorial to {names[0]}...ok.",
        f"sending stop / jubafake/tutorial to {names[1]}...failed.",
        f"sending stop / jubafake/tutorial to {names[2]}...ok.",
    ]
    assert len(done.stderr.splitlines()) == 1
    assert [children(running) for running in (machines[0], machines[2])] == [[], []]


def test_daemon(zookeeper: ZooKeeper, zk: Coordinator, visor: Visor, tmp_path: Path) -> None:
    port = free_ports(5)[0]
    command = [
        BIN / "jubavisor",
        "--zookeeper",
        zookeeper.hosts,
        "--daemon",
        "-p",
        str(port),
        "-b",
        "127.0.0.1",
        "-l",
        ".",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    member = f"127.0.0.1_{port}"
    log = tmp_path / f"jubavisor.{member}.log"
    wait_for(lambda: "    pid " in log.read_text())
    process = psutil.Process(int(log.read_text().partition("    pid ")[2].split()[1]))
    try:
        wait_for(lambda: zk.exists(f"/jubatus/supervisors/{member}"))
        assert (process.cwd(), process.terminal()) == ("/", None)
        assert control(zookeeper, "-c", "start").returncode == 0
        (server,) = process.children()
        wait_for((tmp_path / f"jubafake.127.0.0.1_{port + 1}.out").read_text)
        process.terminate()
        wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
        assert not server.is_running()
    finally:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert "stopping RPC server" in log.read_text()


HELP = "; see jubavisor --help"


def refusal(*options: str) -> str:
    done = subprocess.run([BIN / "jubavisor", *options], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    "options, line",
    [
        (["-p", "9198"], f"need option: --zookeeper{HELP}"),
        (["-z", "x", "-p", "0"], f"option value is invalid: --rpc-port=0{HELP}"),
        (["-z", "x", "-l", "/none"], "can't write to the log directory: No such file or directory: /none"),
        (["-z", "x", "-g", "/none"], "no such file: --log_config=/none"),
        (["-z", "x", "-B", "none0"], "Failed to get IP address from interface: none0"),
    ],
)
def test_refused_options(options: list[str], line: str) -> None:
    assert refusal(*options) == line


def test_port_in_use(zookeeper: ZooKeeper) -> None:
    zookeeper.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal("-z", zookeeper.hosts, "-b", "127.0.0.1", "-p", str(port)) == (
            f"server failed to start: any process using port {port}?"
        )


def test_no_zookeeper() -> None:
    code = "import sys; from jubatus.visor import app; from jubatus.cli import visor; app.SESSION = 1.0; sys.exit(visor.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "-z", "127.0.0.1:1", "-p", str(free_port()), "-b", "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "cannot connect zk in 1 sec: 127.0.0.1:1\n")


def test_letters_of_options() -> None:
    assert "".join(option.short for option in OPTIONS) == "pbBzlgtd"
