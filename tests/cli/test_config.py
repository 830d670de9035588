import json
import os
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from jubatus import SERVICES
from jubatus.cli import config, session
from jubatus.cluster import paths
from jubatus.cluster.lock import Lock
from jubatus.cluster.membership import prepare
from jubatus.cluster.memory import MemorySession
from jubatus.errors import ClusterError
from tests.cli.conftest import HOSTS, Run
from tests.conftest import BIN, PATIENCE
from tests.conftest import command as run_server
from tests.services import facts_of
from tests.zookeeper import ZooKeeper, zookeeper

__all__ = ["zookeeper"]

CONTENT = (
    b'{\n  "converter": {"string_types": {"\xe6\x97\xa5\xe6\x9c\xac": {"method": "split", "separators": " "}}},'
    b' "method": "PA"}\n\n'
)
OF = ("-t", "classifier", "-n", "tutorial")
PATH = "/jubatus/config/classifier/tutorial"
LOCK = "/jubatus/actors/classifier/tutorial/config_lock"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    path.write_bytes(CONTENT)
    return str(path)


def write(run: Run, file: str, type: str = "classifier", name: str = "tutorial") -> tuple[int, bytes, str]:
    return run(config.main, "-c", "write", "-f", file, "-t", type, "-n", name)


def test_write_and_read(tree: MemorySession, run: Run, file: str) -> None:
    assert write(run, file) == (0, b"", "")
    assert tree.get(PATH) == CONTENT
    assert tree.children(LOCK) == []
    assert run(config.main, "--cmd", "read", "--type=classifier", "--name=tutorial", "-d") == (0, CONTENT, "")
    other = b'{"method":"PA1","parameter":{"regularization_weight":1},"converter":{}}'
    Path(file).write_bytes(other)
    assert write(run, file) == (0, b"", "")
    assert run(config.main, "-c", "read", *OF) == (0, other, "")
    assert write(run, file, name="a b") == (0, b"", "")
    assert run(config.main, "-c", "read", "-t", "classifier", "-n", "a b") == (0, other, "")


def test_an_unknown_type_is_not_written(tree: MemorySession, run: Run, file: str) -> None:
    line = f"unknown type: something: one of {', '.join(SERVICES)} is expected\n"
    assert write(run, file, "something") == (1, b"", line)
    assert not tree.exists("/jubatus")
    prepare(tree, "something", "tutorial")
    path = paths.config("something", "tutorial")
    tree.create(path, b"by others")
    assert run(config.main, "-c", "read", "-t", "something", "-n", "tutorial") == (0, b"by others", "")
    assert run(config.main, "-c", "delete", "-t", "something", "-n", "tutorial") == (0, b"", "")
    assert not tree.exists(path)


@pytest.mark.parametrize("type", SERVICES)
def test_what_a_server_would_refuse_is_not_written(tree: MemorySession, run: Run, tmp_path: Path, type: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**facts_of(type).configs[0], "x": 1}))
    status, out, err = write(run, str(path), type)
    assert (status, out, err) == (1, b"", f'invalid configuration: {path}: "x" is not used ()\n')
    assert not tree.exists("/jubatus")
    assert run_server(type, "-f", str(path), "-b", "127.0.0.1").stderr == err


def test_all_errors_of_a_configuration_are_told(tree: MemorySession, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"method": "PA", "x": 1, "converter": {"num_rules": [{"key": "*"}], "string_types": {"t": {}}}}')
    status, out, err = write(run, str(path), "classifier")
    assert (status, out, err) == (
        1,
        b"",
        f'invalid configuration: {path}: "x" is not used (); "type" is not found (.converter.num_rules[0]); '
        "parameter: [method] must be defined\n",
    )
    assert run_server("classifier", "-f", str(path), "-b", "127.0.0.1").stderr == err


def test_a_configuration_with_a_plugin_is_written_if_it_can_be_loaded(
    tree: MemorySession, run: Run, tmp_path: Path
) -> None:
    plugin, path = tmp_path / "plugin.py", tmp_path / "c.json"
    made = {"method": "dynamic", "path": str(plugin), "function": "create"}
    path.write_text(json.dumps({"method": "PA", "converter": {"string_filter_types": {"t": made}}}))
    status, output, error = write(run, str(path))
    where = ".converter.string_filter_types.t.path"
    cause = f"cannot load dynamic library: {plugin}: there is no file {plugin} ({where})"
    assert (status, output, error) == (1, b"", f"invalid configuration: {path}: {cause}\n")
    assert not tree.exists(PATH)
    assert run_server("classifier", "-f", str(path), "-b", "127.0.0.1").stderr == error
    plugin.write_text("class create:\n    def __init__(self, p): pass\n    def filter(self, text): return text\n")
    assert write(run, str(path)) == (0, b"", "")
    assert tree.get(PATH) == path.read_bytes()


def test_an_unknown_method_is_not_written(tree: MemorySession, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"method": "pa", "converter": {}}')
    status, output, error = write(run, str(path))
    assert (status, output) == (1, b"")
    assert error.startswith(
        f"invalid configuration: {path}: unsupported method (classifier(pa)): one of perceptron, PA,"
    )
    assert not tree.exists(PATH)


def test_delete(tree: MemorySession, run: Run, file: str) -> None:
    write(run, file)
    assert run(config.main, "-c", "delete", *OF) == (0, b"", "")
    assert not tree.exists(PATH)
    assert tree.children(LOCK) == []
    missing = (1, b"", f"config does not exist: {PATH}\n")
    assert run(config.main, "-c", "delete", *OF) == missing
    assert run(config.main, "-c", "read", *OF) == missing


def test_delete_where_nothing_was_ever_written(tree: MemorySession, run: Run) -> None:
    assert run(config.main, "-c", "delete", *OF) == (1, b"", f"ZooKeeper node does not exist: {LOCK}\n")
    assert not tree.exists("/jubatus")


def test_list(tree: MemorySession, run: Run, file: str) -> None:
    assert run(config.main, "-c", "list") == (0, b"", "")
    for type, name in (("weight", "w"), ("classifier", "b"), ("classifier", "a")):
        write(run, file, type, name)
    expected = [f"type: {of}\n".encode() + CONTENT + b"\n" for of in (
        "classifier, name: a", "classifier, name: b", "weight, name: w",
    )]  # fmt: skip
    assert run(config.main, "-c", "list") == (0, b"".join(expected), "")


def test_a_configuration_in_use(tree: MemorySession, run: Run, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    write(run, file)
    lock = Lock(tree, LOCK)
    assert lock.read()
    for command in ("write", "delete"):
        waits.clear()
        assert run(config.main, "-c", command, "-f", file, *OF) == (1, b"", "any user is using config?\n")
        assert waits == [1, 1, 1]
    assert len(tree.children(LOCK)) == 1
    monkeypatch.setattr(time, "sleep", lambda seconds: lock.release())
    assert run(config.main, "-c", "delete", *OF) == (0, b"", "")


def test_servers_that_run(tree: MemorySession, run: Run, file: str) -> None:
    prepare(tree, "classifier", "tutorial")
    nodes = paths.nodes("classifier", "tutorial")
    tree.create(nodes)
    tree.create(f"{nodes}/10.0.0.1_9199", ephemeral=True)
    for command in ("write", "delete"):
        got = run(config.main, "-c", command, "-f", file, *OF)
        assert got == (1, b"", "any server is running: classifier, tutorial\n")
    assert tree.children(LOCK) == []
    assert not tree.exists(PATH)


@pytest.mark.parametrize(
    "content, line",
    [
        (b"", "config is empty"),
        (b'{"a": 1', "syntax error in configuration: {}:1:8 Expecting ',' delimiter"),
        (b"{\n  x}", "syntax error in configuration: {}:2:3 Expecting property name enclosed in double quotes"),
        (b"\xff", "syntax error in configuration: {}:1:1 Invalid UTF-8"),
    ],
)
def test_a_file_that_is_no_configuration(
    tree: MemorySession, run: Run, tmp_path: Path, content: bytes, line: str
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    assert write(run, str(path)) == (1, b"", line.format(path) + "\n")
    assert not tree.exists("/jubatus")


def test_files_that_cannot_be_read(tree: MemorySession, run: Run, tmp_path: Path) -> None:
    assert write(run, "/none") == (1, b"", "cannot read configuration: /none: No such file or directory\n")
    assert write(run, str(tmp_path)) == (1, b"", f"cannot read configuration: {tmp_path}: Is a directory\n")


@pytest.mark.parametrize(
    "words, line",
    [
        (["-c", "rename"], "unknown cmd: rename"),
        (["-c", "read"], "can't execute read without type and name specified: type:  name: "),
        (["-c", "delete", "-n", "x"], "can't execute delete without type and name specified: type:  name: x"),
        (["-c", "write", "-t", "x"], "can't execute write without type and name specified: type: x name: "),
        (["-c", "write", *OF], "can't execute write without file specified"),
        (["-c", "read", "-t", "classifier", "-n", "a/b"], "invalid type or name: type: classifier name: a/b"),
        (["-c", "read", "-t", "..", "-n", "b"], "invalid type or name: type: .. name: b"),
        (["-c", "list", "-z", "none:1"], "cannot connect zk in 10 sec: none:1"),
    ],
)
def test_refusals(tree: MemorySession, run: Run, words: list[str], line: str) -> None:
    assert run(config.main, *words) == (1, b"", f"{line}\n")


def test_locations(tree: MemorySession, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "can't get ZK location: set 'ZK' environment or specify '-z <somezkaddrs>'\n"
    monkeypatch.setenv("ZK", "")
    assert run(config.main, "-c", "list") == (1, b"", line)
    assert run(config.main, "-c", "list", "-z", HOSTS) == (0, b"", "")
    monkeypatch.delenv("ZK")
    assert run(config.main, "-c", "list") == (1, b"", line)


def test_a_write_that_zookeeper_refuses(
    tree: MemorySession, run: Run, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = MemorySession.create

    def refuse(zk: MemorySession, path: str, *args: bytes, **options: bool) -> str:
        if path == PATH:
            raise ClusterError("the disk\nis full")
        return create(zk, path, *args, **options)

    monkeypatch.setattr(MemorySession, "create", refuse)
    assert write(run, file) == (1, b"", f"failed to set config to zookeeper: {PATH}: the disk is full\n")
    assert tree.children(LOCK) == []


def test_on_a_real_zookeeper(zookeeper: ZooKeeper, file: str) -> None:
    zookeeper.start()
    zookeeper.clear()
    environment = {**os.environ, "ZK": zookeeper.hosts}
    command = partial(subprocess.run, capture_output=True, timeout=PATIENCE, env=environment)
    path = BIN / "jubaconfig"
    for words, output in (
        (["write", "-f", file, *OF], b""),
        (["read", *OF], CONTENT),
        (["list"], b"type: classifier, name: tutorial\n" + CONTENT + b"\n"),
        (["delete", *OF], b""),
        (["list"], b""),
    ):
        done = command([path, "-c", *words])
        assert (done.returncode, done.stdout, done.stderr) == (0, output, b"")
    done = command([path, "-c", "read", *OF])
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", f"config does not exist: {PATH}\n".encode())
    command([path, "-c", "write", "-f", file, *OF])
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [path, "-c", "read", *OF], stdout=full, stderr=subprocess.PIPE, env=environment, timeout=PATIENCE
        )
    assert (done.returncode, done.stderr) == (1, b"cannot write: No space left on device\n")


def test_no_zookeeper(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TIMEOUT", 1.0)
    got = run(config.main, "-c", "list", "-z", "127.0.0.1:1")
    assert got == (1, b"", "cannot connect zk in 1 sec: 127.0.0.1:1\n")


def test_letters_of_options() -> None:
    assert "".join(option.short for option in config.OPTIONS) == "cftnzd"
