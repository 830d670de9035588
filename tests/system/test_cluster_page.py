"""What docs/cluster.md tells to type works as it is written, but for addresses, ports and folders."""

import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kazoo.client import KazooClient

from jubatus import Classifier
from jubatus.cli import args, config, ctl, keeper, server, visor
from jubatus.common import Datum
from jubatus.daemon.settings import Option
from tests.conftest import BIN, Running, end_in_order, wait_for
from tests.ports import free_port
from tests.system.test_cluster_starts import ended
from tests.zookeeper import ZooKeeper

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/cluster.md").read_text()
CONFIG = ROOT / "examples/tutorial/config.json"
OPTIONS = {"jubaconfig": config.OPTIONS, "jubactl": ctl.OPTIONS, "jubavisor": visor.OPTIONS}

(TLS,) = re.findall(r'^TLS="(.*)"$', PAGE, re.M)
COMMANDS = [
    *re.findall(r"^(juba\w+ .*?)(?: &)?$", PAGE, re.M),
    *re.findall(r"`(juba\w+ (?:-c|--zookeeper) [^`]*)`", PAGE),
    *re.findall(r"^ExecStart=/opt/jubatus/bin/(.*)$", PAGE, re.M),
]


def options(program: str) -> tuple[Option, ...]:
    return OPTIONS.get(program) or (keeper.OPTIONS if program.endswith("_keeper") else server.OPTIONS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_there(command: str) -> None:
    for name, value in {"$ZK": "zk", "${ZK}": "zk", "%i": "9199", "$TLS": TLS}.items():
        command = command.replace(name, value)
    words = shlex.split(command.partition(" > ")[0])
    if program_needs_more(words):
        words += ["-s", "jubaclassifier", "-t", "classifier", "-n", "tutorial"]
    assert (BIN / words[0]).exists()
    args.parse(options(words[0]), [word for word in words if word != "..."])


def program_needs_more(words: list[str]) -> bool:
    """Return whether the page leaves out which servers a command is for."""
    return words[0] == "jubactl" and not {"-n", "--name=tutorial"} & set(words)


def test_there_are_commands() -> None:
    assert {command.split()[0] for command in COMMANDS} >= {
        "jubaclassifier", "jubaclassifier_keeper", "jubavisor", "jubaconfig", "jubactl",
    }  # fmt: skip
    assert len(COMMANDS) > 12


def test_defaults() -> None:
    rows = re.findall(
        r"^\| `--(\w+)`(?:, `--(\w+)`)? of (\w+)(?: and (\w+))?(?:, \w+ and \w+)? \| ([^|]*) \|", PAGE, re.M
    )
    assert len(rows) == 6
    for first, second, *programs, values in rows:
        for program in filter(None, programs):
            declared = {
                option.name: option.default
                for option in {"servers": server.OPTIONS, "keepers": keeper.OPTIONS}[program]
            }
            numbers = [int(number) for number in re.findall(r"\d+", values)]
            assert [declared[name] for name in (first, second) if name] == numbers


def test_units() -> None:
    units = re.findall(r"^```ini\n(.*?)^```", PAGE, re.M | re.S)
    assert len(units) == 3
    for text in units:
        unit = configparser.ConfigParser()
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(text)
        assert set(unit) == {"DEFAULT", "Unit", "Service", "Install"}
        assert unit["Service"]["EnvironmentFile"] == "/etc/default/jubatus"
        assert float(unit["Service"].get("TimeoutStopSec", "30")) > 9 + 8


@pytest.fixture
def processes() -> Iterator[list[Running]]:
    started: list[Running] = []
    yield started
    end_in_order(started)


def adapted(command: str, zookeeper: ZooKeeper) -> list[str]:
    """Return the words of a command, with another ZooKeeper and configuration."""
    hosts = command.replace("localhost:2181", zookeeper.hosts).replace("$ZK", zookeeper.hosts)
    program, *words = shlex.split(hosts.replace("config.json", str(CONFIG)))
    return [str(BIN / program), *words]


def call(name: str, port: int, address: str = "127.0.0.1") -> bool:
    """Use a cluster as a client does; return whether it is there."""
    client = Classifier(address, port, name)
    client.train([("label", Datum({"message": "some words"}))])
    (estimates,) = client.classify([Datum({"message": "words"})])
    return [estimate.label for estimate in estimates] == ["label"]


def test_one_machine(zookeeper: ZooKeeper, tree: KazooClient, tmp_path: Path, processes: list[Running]) -> None:
    zookeeper.clear()
    block = next(text for text in re.findall(r"^```\n(.*?)^```", PAGE, re.M | re.S) if "rpc-port=9198" in text)
    zkserver, write, *background = block.splitlines()
    assert zkserver.startswith("zkServer.sh start ")
    subprocess.run(adapted(write, zookeeper), check=True, timeout=20)
    ports = {number: free_port() for number in ("9198", "9180", "9181", "9182")}
    for line in background:
        command, number = line.removesuffix(" &"), re.search(r"--rpc-port=(\d+)", line)
        assert number
        port = ports[number[1]]
        folder = tmp_path / number[1]
        folder.mkdir()
        words = adapted(command.replace(number[1], str(port)), zookeeper)
        processes.append(Running(words, folder, port))
    actives = "/jubatus/actors/classifier/tutorial/actives"
    wait_for(lambda: tree.exists(actives) and len(tree.get_children(actives)) == 3)
    wait_for(lambda: call("tutorial", ports["9198"]))


def in_background(command: list[str], log: Path) -> int:
    """Start a daemon, and return its process number as its log tells it."""
    subprocess.run([*command, "--logdir", str(log.parent)], check=True, timeout=20)
    wait_for(lambda: log.exists() and "startup" in log.read_text())
    found = re.search(r"^ +pid +: (\d+)$", log.read_text(), re.M)
    assert found
    return int(found[1])


def test_many_machines(zookeeper: ZooKeeper, tree: KazooClient, tmp_path: Path) -> None:
    """The steps, on one machine of which keeper and visor share the address."""
    zookeeper.clear()
    address = "127.0.0.90"
    steps = re.findall(r"^\d\. .*?`(juba[^`]*)`", PAGE, re.M)
    write, keeper, visor, start, status, stop = steps[:6]
    environment = {**os.environ, "ZK": zookeeper.hosts}

    def do(step: str, *more: str) -> str:
        words = [*adapted(step, zookeeper), *more]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert do(write) == ""
    pids = []
    try:
        for step, port in ((keeper, 9199), (visor, 9198)):
            log = tmp_path / f"{step.split()[0]}.{address}_{port}.log"
            pids.append(in_background([*adapted(step, zookeeper), "--listen_addr", address], log))
        do(start, "-D", str(tmp_path), "-Z", "2")
        wait_for(lambda: tree.exists("/jubatus/actors/classifier/tutorial/actives"))
        # The port of the keeper is passed over.
        assert do(status).splitlines()[1::2] == [f" {address}_9199", f" {address}_9198", f" {address}_9200"]
        wait_for(lambda: call("tutorial", 9199, address))
        backup = re.findall(r"`(juba\w+ -c (?:read|list|save)[^`]*)`", PAGE)
        read, everything, save = (step.partition(" > ")[0] for step in backup)
        assert do(read) == CONFIG.read_text()
        assert do(everything) == f"type: classifier, name: tutorial\n{CONFIG.read_text()}\n"
        assert do(save).endswith("ok.\n")
        model = tmp_path / f"{address}_9200_classifier_monday.jubatus"
        assert model.exists()
        do(start, "--num=2", "-D", str(tmp_path), "-Z", "2")
        wait_for(lambda: len(tree.get_children("/jubatus/actors/classifier/tutorial/actives")) == 2)
        shutil.copy(model, tmp_path / f"{address}_9201_classifier_monday.jubatus")  # for a server more than was saved
        assert do(save.replace("save", "load")).count("ok.\n") == 2
        assert do(stop).endswith("ok.\n")
        assert tree.get_children("/jubatus/actors/classifier/tutorial/nodes") == []
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        for pid in pids:
            wait_for(lambda pid=pid: ended(pid))
    lines = [process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if str(tmp_path) in line] == []
    assert all("Traceback" not in log.read_text() for log in [*tmp_path.glob("*.log"), *tmp_path.glob("*.out")])
