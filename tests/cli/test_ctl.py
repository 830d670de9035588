import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jubatus.cli import ctl, session
from jubatus.cluster import paths
from jubatus.cluster.membership import prepare
from jubatus.cluster.memory import MemorySession
from tests.cli.conftest import HOSTS, Run
from tests.ports import free_port
from tests.rpc.peer import Peer, replies

OF = ("-s", "jubaclassifier", "-t", "classifier", "-n", "tutorial")
ARGV = [
    9199, "", "", 10, 10, 10, 2, "classifier", "", HOSTS, "jubaclassifier/tutorial", "/tmp", "", "",
    "localhost", 16, 512, "linear_mixer", False, False,
]  # fmt: skip


def register(tree: MemorySession, path: str, *names: str) -> None:
    """Register members, as they do."""
    prepare(tree, "classifier", "tutorial")
    for parent in (paths.proxies("classifier"), paths.nodes("classifier", "tutorial")):
        if not tree.exists(parent):
            tree.create(parent)
    for name in names:
        tree.create(f"{path}/{name}", ephemeral=True)


@contextmanager
def peers(tree: MemorySession, path: str, *answers: Any) -> Iterator[list[Peer]]:
    """Run a peer a pair of error and result, registered in the order of their ports."""
    made = sorted((Peer(replies(answer)) for answer in answers), key=lambda peer: peer.port)
    for peer in made:
        peer.__enter__()
    register(tree, path, *(f"127.0.0.1_{peer.port}" for peer in made))
    try:
        yield made
    finally:
        for peer in made:
            peer.__exit__(None, None, None)


SUPERVISORS = paths.supervisors()
NODES = paths.nodes("classifier", "tutorial")


def test_status_is_that_of_the_tutorial(tree: MemorySession, run: Run) -> None:
    register(tree, paths.proxies("classifier"), "192.168.0.102_9199", "192.168.0.101_9199", "192.168.0.103_9199")
    register(tree, SUPERVISORS, "192.168.0.11_9198", "192.168.0.12_9198", "192.168.0.13_9198")
    register(tree, NODES, "192.168.0.11_9199", "192.168.0.12_9199", "192.168.0.13_9199")
    expected = b"""\
active jubaclassifier_keeper members:
 192.168.0.101_9199
 192.168.0.102_9199
 192.168.0.103_9199
active jubavisor members:
 192.168.0.11_9198
 192.168.0.12_9198
 192.168.0.13_9198
active tutorial members:
 192.168.0.11_9199
 192.168.0.12_9199
 192.168.0.13_9199
"""
    assert run(ctl.main, "-c", "status", *OF) == (0, expected, "")


def test_status_of_nothing(tree: MemorySession, run: Run) -> None:
    expected = b"active jubaclassifier_keeper members:\nactive jubavisor members:\nactive tutorial members:\n"
    line = "cluster does not exist: type: classifier name: tutorial\n"
    assert run(ctl.main, "-c", "status", *OF) == (1, expected, line)
    assert not tree.exists("/jubatus")
    prepare(tree, "classifier", "another")
    assert run(ctl.main, "-c", "status", *OF) == (1, expected, line)
    prepare(tree, "classifier", "tutorial")  # as jubaconfig and jubactl -c start do
    assert run(ctl.main, "-c", "status", *OF) == (0, expected, "")


def test_status_of_a_cluster_that_has_only_a_configuration(tree: MemorySession, run: Run) -> None:
    for path in (paths.ROOT, paths.configs(), paths.configs("classifier"), paths.config("classifier", "tutorial")):
        tree.create(path)
    assert run(ctl.main, "-c", "status", *OF)[::2] == (0, "")


def test_start(tree: MemorySession, run: Run) -> None:
    with peers(tree, SUPERVISORS, (None, 0), (None, 0)) as (first, second):
        status, out, err = run(ctl.main, "-c", "start", *OF)
    assert (status, err) == (0, "")
    assert out.decode().splitlines() == [
        f"sending start / jubaclassifier/tutorial to 127.0.0.1_{peer.port}...ok." for peer in (first, second)
    ]
    for peer in (first, second):
        ((kind, _, method, params),) = peer.requests
        assert (kind, method, params) == (0, "start", ["jubaclassifier/tutorial", 1, ARGV])
    assert tree.exists(NODES)


def test_options_of_start(tree: MemorySession, run: Run) -> None:
    options = (
        "-B lo -C 5 -T 6 -D /data -L /log -G /log.xml -X skip_mixer -S 7 -I 8 -Z 9 -R 11 -d -N 3"
    ).split()  # fmt: skip
    with peers(tree, SUPERVISORS, (None, 0)) as (peer,):
        assert run(ctl.main, "-c", "start", *OF, *options)[0] == 0
    expected = ARGV[:]
    expected[2:7] = ["lo", 6, 9, 11, 5]
    expected[11:14] = ["/data", "/log", "/log.xml"]
    expected[15:18] = [7, 8, "skip_mixer"]
    assert peer.requests[0][3] == ["jubaclassifier/tutorial", 3, expected]


def test_number_of_servers(tree: MemorySession, run: Run) -> None:
    with peers(tree, SUPERVISORS, (None, 0), (None, 0), (None, 0)) as visors:
        assert run(ctl.main, "-c", "start", *OF, "--num=5")[0] == 0
    assert [peer.requests[0][3][1] for peer in visors] == [2, 2, 1]


def test_stop(tree: MemorySession, run: Run) -> None:
    with peers(tree, SUPERVISORS, (None, 0)) as (peer,):
        assert run(ctl.main, "-c", "stop", *OF) == (
            0,
            f"sending stop / jubaclassifier/tutorial to 127.0.0.1_{peer.port}...ok.\n".encode(),
            "",
        )
    assert peer.requests[0][2:] == ["stop", ["jubaclassifier/tutorial", 1]]


def test_all_visors_are_tried(tree: MemorySession, run: Run) -> None:
    with peers(tree, SUPERVISORS, (None, -1), (b"no", None), (None, 0)) as visors:
        dead = free_port()
        register(tree, SUPERVISORS, f"127.0.0.1_{dead}")
        status, out, err = run(ctl.main, "-c", "start", *OF)
        requests = [len(peer.requests) for peer in visors]
    assert status == 1
    assert requests == [1, 1, 1]
    lines = out.decode().splitlines()
    assert [line.rpartition("...")[2] for line in lines].count("failed.") == 3
    assert len(lines) == 4
    reasons = {line.partition(": ")[0].rpartition(" ")[2]: line.partition(": ")[2] for line in err.splitlines()}
    where = f"(start at 127.0.0.1:{dead})"
    assert reasons.pop(str(dead)) == f"Retry connection over the limit: Connection refused {where}"
    assert sorted(reasons.values()) == ["it answers -1; its log says why", "no"]
    assert all(line.startswith("can't do 'start jubaclassifier/tutorial' in 127.0.0.1 ") for line in err.splitlines())


@pytest.mark.parametrize("command", ["start", "stop"])
def test_no_visor(tree: MemorySession, run: Run, command: str) -> None:
    line = f"no server to {command} jubaclassifier/tutorial\n"
    assert run(ctl.main, "-c", command, *OF) == (1, b"", line)


@pytest.mark.parametrize("command, result", [("save", {"127.0.0.1_1": "/tmp/x"}), ("load", True)])
@pytest.mark.parametrize("options, id", [([], "tutorial"), (["-i", "monday"], "monday")])
def test_model_files(tree: MemorySession, run: Run, command: str, result: object, options: list[str], id: str) -> None:
    with peers(tree, NODES, (None, result), (None, result)) as servers:
        status, out, err = run(ctl.main, "-c", command, *OF, *options)
    assert (status, err) == (0, "")
    assert out.decode().splitlines() == [
        f"sending {command} / tutorial to 127.0.0.1_{peer.port}...ok." for peer in servers
    ]
    assert [peer.requests[0][2:] for peer in servers] == [[command, ["tutorial", id]]] * 2


def test_a_load_that_fails(tree: MemorySession, run: Run) -> None:
    with peers(tree, NODES, (None, False), (b"cannot open input file", None), (None, True)) as servers:
        status, out, err = run(ctl.main, "-c", "load", *OF)
        assert all(len(peer.requests) == 1 for peer in servers)
    assert status == 1
    assert out.count(b"failed.") == 2
    assert sorted(line.partition(": ")[2] for line in err.splitlines()) == [
        "cannot open input file", "it answers False; its log says why",
    ]  # fmt: skip
    assert all(line.startswith("can't do 'load tutorial' in 127.0.0.1 ") for line in err.splitlines())


@pytest.mark.parametrize("command", ["save", "load"])
def test_no_server(tree: MemorySession, run: Run, command: str) -> None:
    assert run(ctl.main, "-c", command, *OF) == (1, b"", f"no server to {command} tutorial\n")


def test_a_visor_that_does_not_answer(tree: MemorySession, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        register(tree, SUPERVISORS, f"127.0.0.1_{silent.getsockname()[1]}")
        status, out, err = run(ctl.main, "-c", "stop", *OF)
    assert (status, out.endswith(b"...failed.\n")) == (1, True)
    assert ": Request timed out (stop at 127.0.0.1:" in err


@pytest.mark.parametrize(
    "words, line",
    [
        (["-c", "restart", *OF], "unknown cmd: restart"),
        (["-c", "status", *OF, "-n", "a/b"], "invalid type or name: type: classifier name: a/b"),
        (["-c", "status", *OF, "-z", "none:1"], "cannot connect zk in 10 sec: none:1"),
    ],
)
def test_refusals(tree: MemorySession, run: Run, words: list[str], line: str) -> None:
    assert run(ctl.main, *words) == (1, b"", f"{line}\n")


@pytest.mark.parametrize("missing", ["-s", "-t", "-n", "-c"])
def test_what_must_be_given(tree: MemorySession, run: Run, missing: str) -> None:
    words = ["-c", "status", *OF]
    at = words.index(missing)
    status, out, err = run(ctl.main, *words[:at], *words[at + 2 :])
    assert (status, out) == (1, b"")
    names = {"-s": "server", "-t": "type", "-n": "name", "-c": "cmd"}
    assert err == f"need option: --{names[missing]}; see jubatus.cli.ctl --help\n"


def test_errors_by_number(tree: MemorySession, run: Run) -> None:
    with peers(tree, SUPERVISORS, (1, "start"), (2, "std::bad_cast")):
        _, _, err = run(ctl.main, "-c", "start", *OF)
    assert sorted(line.partition(": ")[2] for line in err.splitlines()) == ["unknown method", "wrong arguments"]


def test_letters_of_options() -> None:
    assert "".join(option.short for option in ctl.OPTIONS) == "csntNziBCTDLGXSIZRd"
