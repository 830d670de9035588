import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from jubatus.errors import JubatusError
from jubatus.visor import children
from jubatus.visor.argv import Argv
from jubatus.visor.children import Children
from jubatus.visor.plan import Refused, Target
from tests.conftest import PATIENCE
from tests.ports import free_ports

ARGV = Argv(bind_if="lo", logdir="/log dir", interval_sec=5)


class Fake:
    """A program that stands for a server's, and what its processes were started with."""

    def __init__(self, folder: Path, name: str, script: str) -> None:
        self.folder = folder
        path = folder / name
        path.write_text(f'#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >"{folder}/$6.words"\n{script}\n')
        path.chmod(0o755)

    def words(self, port: int) -> list[str]:
        """Return the words of the process that got a port."""
        return (self.folder / f"{port}.words").read_text().split("\n")[:-1]

    def ports(self) -> list[int]:
        """Return the ports of all processes so far."""
        return sorted(int(path.stem) for path in self.folder.glob("*.words") if path.read_text())


Program = Callable[[str, str], Fake]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lambda name, script: Fake(folder, name, script)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def visor(output: Path, listen_addr: str = "") -> tuple[Children, int]:
    """Return a visor's servers, and its port; nobody has the ports behind it."""
    port = free_ports(17)[0]
    return Children(port, "zk:2181", "10.0.0.1", listen_addr, str(output)), port


def run(part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(part(), PATIENCE)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())
    assert processes() == []


def processes() -> list[psutil.Process]:
    """Return the processes of this test, also those that ended but were not waited for."""
    return [child for child in psutil.Process().children() if child.name() in {"sleep", "jubafake", "jubafalse"}]


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


FAKE = Target("jubafake", "tutorial")
SLEEP = "exec sleep 60"


def test_start_and_stop(program: Program, output: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fake = program("jubafake", SLEEP)
    servers, port = visor(output)

    async def part() -> None:
        await servers.start(FAKE, 2, ARGV)
        await until(lambda: len(fake.ports()) == 2)
        assert fake.ports() == [port + 1, port + 2]
        assert fake.words(port + 1) == ARGV.options(zookeeper="zk:2181", name="tutorial", port=port + 1)
        await servers.start(FAKE, 2, ARGV)  # they run already
        await servers.start(FAKE, 3, ARGV)
        with pytest.raises(Refused, match="3 jubafake/tutorial already running"):
            await servers.start(FAKE, 2, ARGV)
        await until(lambda: len(fake.ports()) == 3)
        assert await servers.stop(Target("jubafake", "other")) == 0
        assert await servers.stop(FAKE) == 0
        assert processes() == []
        await servers.start(FAKE, 1, ARGV)  # on the port that was not used for the longest time
        await until(lambda: len(fake.ports()) == 4)
        assert fake.ports()[-1] == port + 4
        await servers.close()
        assert processes() == []
        with pytest.raises(JubatusError):
            await servers.start(FAKE, 1, ARGV)

    run(part)
    ends = [record for record in caplog.records if " exited pid: " in record.getMessage()]
    assert {record.levelname for record in ends} == {"INFO"}
    assert sorted(record.getMessage().split(" exited")[0] for record in ends) == [
        f"jubafake with port {port + number}" for number in range(1, 5)
    ]
    assert all(record.getMessage().endswith(", signal 15") for record in ends)


def test_servers_of_another_program_are_others(program: Program, output: Path) -> None:
    program("jubafake", SLEEP)
    program("jubafalse", SLEEP)
    servers, _ = visor(output)

    async def part() -> None:
        await servers.start(FAKE, 1, ARGV)
        await servers.start(Target("jubafalse", FAKE.name), 1, ARGV)
        assert len(processes()) == 2
        await servers.stop(FAKE)
        assert len(processes()) == 1
        await servers.close()

    run(part)


def test_at_most_sixteen(program: Program, output: Path) -> None:
    program("jubafake", SLEEP)
    servers, _ = visor(output)

    async def part() -> None:
        with pytest.raises(Refused, match="cannot spawn more than 16 processes"):
            await servers.start(FAKE, 17, ARGV)
        assert processes() == []
        await servers.start(FAKE, 16, ARGV)
        with pytest.raises(Refused, match="cannot spawn more than 16 processes"):
            await servers.start(Target("jubafake", "other"), 1, ARGV)
        await servers.close()

    run(part)


def test_ports_in_use_are_passed_over(program: Program, output: Path) -> None:
    fake = program("jubafake", SLEEP)
    servers, port = visor(output)

    async def part() -> None:
        with socket.create_server(("127.0.0.1", port + 1)):
            await servers.start(FAKE, 1, ARGV)
            await until(fake.ports)
        assert fake.ports() == [port + 2]
        await servers.close()

    run(part)


def test_a_server_that_ends_at_once(program: Program, output: Path, caplog: pytest.LogCaptureFixture) -> None:
    program("jubafake", "echo out; echo why >&2; exit 3")
    servers, port = visor(output)

    async def part() -> None:
        await servers.start(FAKE, 1, ARGV)
        await until(lambda: any(record.getMessage().endswith(", status 3") for record in caplog.records))
        await servers.start(FAKE, 1, ARGV)  # it does not run any more
        await servers.close()

    run(part)
    assert "WARNING" in {record.levelname for record in caplog.records}
    assert (output / f"jubafake.10.0.0.1_{port + 1}.out").read_text() == "out\nwhy\n"
    assert f"jubafake with port {port + 1} exited pid: " in caplog.text


def test_output_is_kept_over_starts(program: Program, output: Path) -> None:
    program("jubafake", "echo started; exec sleep 60")
    servers, port = visor(output)
    path = output / f"jubafake.10.0.0.1_{port + 1}.out"
    path.write_text("before\n")

    async def part() -> None:
        await servers.start(FAKE, 1, ARGV)
        await until(lambda: path.read_text() == "before\nstarted\n")
        await servers.close()

    run(part)


def test_a_server_that_does_not_end_is_killed(
    program: Program, output: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(children, "GRACE", 0.2)
    fake = program("jubafake", 'trap "" TERM; echo x >"$0.ready"; while :; do sleep 0.01; done')
    servers, _ = visor(output)

    async def part() -> None:
        await servers.start(FAKE, 1, ARGV)
        await until((fake.folder / "jubafake.ready").exists)
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.005)
                turns += 1

        turning = asyncio.create_task(turn())
        start = time.monotonic()
        assert await servers.stop(FAKE) == 0
        assert 0.2 <= time.monotonic() - start < 5
        assert turns > 5  # the event loop goes on meanwhile
        turning.cancel()

    run(part)
    assert "kill it" in caplog.text
    assert ", signal 9" in caplog.text


def test_start_while_others_stop(program: Program, output: Path) -> None:
    fake = program("jubafake", 'trap "sleep 0.3; exit 0" TERM; echo x >"$0.ready"; while :; do sleep 0.01; done')
    servers, port = visor(output)

    async def part() -> None:
        await servers.start(FAKE, 1, ARGV)
        await until((fake.folder / "jubafake.ready").exists)
        stopping = asyncio.create_task(servers.stop(FAKE))
        again = asyncio.create_task(servers.stop(FAKE))
        await asyncio.sleep(0)
        await servers.start(FAKE, 1, ARGV)  # those that stop do not count
        assert not stopping.done()
        await asyncio.gather(stopping, again)
        assert len(processes()) == 1
        assert fake.ports() == [port + 1, port + 2]
        await servers.close()

    run(part)


def test_output_that_cannot_be_opened(program: Program, output: Path) -> None:
    program("jubafake", SLEEP)
    servers, port = visor(output)
    (output / f"jubafake.10.0.0.1_{port + 1}.out").mkdir()

    async def part() -> None:
        with pytest.raises(Refused, match=f"cannot start jubafake/tutorial with port {port + 1}: .*Is a directory"):
            await servers.start(FAKE, 1, ARGV)
        await servers.start(FAKE, 1, ARGV)
        await servers.close()

    run(part)


@pytest.mark.parametrize(
    "target, argv, reason",
    [
        (Target("jubanone", "x"), ARGV, "no such program: jubanone"),
        (FAKE, Argv(bind_if="none0"), "Failed to get IP address from interface: none0"),
        (FAKE, Argv(mixer="a\0b"), "cannot start jubafake/tutorial: an option has a NUL"),
    ],
)
def test_what_cannot_be_started(program: Program, output: Path, target: Target, argv: Argv, reason: str) -> None:
    fake = program("jubafake", SLEEP)
    servers, port = visor(output)

    async def part() -> None:
        with pytest.raises(JubatusError, match=f"^{reason}"):
            await servers.start(target, 1, argv)
        await servers.start(FAKE, 16, ARGV)  # no port is lost
        await until(lambda: len(fake.ports()) == 16)
        await servers.close()

    run(part)
    assert fake.ports() == list(range(port + 1, port + 17))


def test_address_of_the_visor_is_that_of_its_servers(program: Program, output: Path) -> None:
    fake = program("jubafake", SLEEP)
    servers, port = visor(output, "127.0.0.9")

    async def part() -> None:
        await servers.start(FAKE, 1, Argv())
        await servers.start(FAKE, 2, Argv(bind_if="lo"))
        await until(lambda: len(fake.ports()) == 2)
        assert fake.words(port + 1)[-2:] == ["-b", "127.0.0.9"]
        assert "-b" not in fake.words(port + 2)
        await servers.close()

    run(part)


def test_signals_of_the_terminal_do_not_reach_servers(program: Program, output: Path) -> None:
    program("jubafake", SLEEP)
    servers, _ = visor(output)

    async def part() -> None:
        await servers.start(FAKE, 1, ARGV)
        (child,) = processes()
        assert os.getsid(child.pid) == child.pid
        child.send_signal(signal.SIGKILL)
        await servers.close()

    run(part)


def test_programs_beside_the_visors_own_come_first(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = program("jubafake", SLEEP)
    assert children.find("jubafake") == str(fake.folder / "jubafake")
    beside = tmp_path / "venv"
    beside.mkdir()
    own = Fake(beside, "jubafake", SLEEP)
    (beside / "jubavisor").touch()
    (tmp_path / "link").symlink_to(beside / "jubavisor")
    monkeypatch.setattr("sys.argv", [str(tmp_path / "link")])
    assert children.find("jubafake") == str(own.folder / "jubafake")
