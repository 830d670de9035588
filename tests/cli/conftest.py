"""Commands that end by themselves, in process on a ZooKeeper in memory."""

import logging
import signal
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from jubatus.cluster.coordinator import Coordinator
from jubatus.cluster.memory import Memory, MemorySession
from jubatus.errors import ClusterError

HOSTS = "zk1:2181,zk2:2181"


class Run(Protocol):
    def __call__(self, main: Callable[[], int], *words: str) -> tuple[int, bytes, str]:
        """Return exit status, standard output and standard error of a command."""


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemorySession]:
    """Give a session with the ZooKeeper that commands connect to; they must end theirs."""
    memory = Memory()
    own = memory.connect()
    sessions: list[MemorySession] = []

    def connect(hosts: str, timeout: float, **access: str) -> Coordinator:
        if hosts != HOSTS:
            raise ClusterError(f"cannot connect zk in {timeout:g} sec: {hosts}")
        sessions.append(memory.connect(timeout))
        return sessions[-1]

    monkeypatch.setattr("jubatus.cluster.zookeeper.connect", connect)
    monkeypatch.setenv("ZK", HOSTS)
    yield own
    for session in sessions:
        with pytest.raises(ClusterError):
            session.exists("/")  # it is closed
    own.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Run]:
    handlers = logging.root.handlers[:]
    interrupt = signal.getsignal(signal.SIGINT)

    def run(main: Callable[[], int], *words: str) -> tuple[int, bytes, str]:
        monkeypatch.setattr("sys.argv", [main.__module__, *words])
        capfdbinary.readouterr()
        try:
            status = main()
        except SystemExit as end:
            assert isinstance(end.code, int)
            status = end.code
        out, err = capfdbinary.readouterr()
        return status, out, err.decode()

    yield run
    signal.signal(signal.SIGINT, interrupt)
    logging.root.handlers[:] = handlers
