import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest

from jubatus import SERVICES
from jubatus.rpc.gate import Gate
from tests.conftest import BIN, Peer, Running, Start, command, packed, wait_for
from tests.ports import free_port

CONFIG: dict[str, Any] = {"converter": {}}
PROGRAMS = ", ".join(f"juba{name}" for name in SERVICES)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return str(path)


HELP = "; see jubaweight --help"


def refusal(*options: str) -> str:
    """Run a server that must refuse to start; return its one line."""
    done = command("weight", "-p", str(free_port()), "-b", "127.0.0.1", *options)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def node(running: Running) -> str:
    with running.peer() as peer:
        (key,) = peer.result("get_status")
    return str(key.decode())


@pytest.mark.parametrize("service", ["classifier", "weight"])
@pytest.mark.parametrize("option", ["-v", "--version"])
def test_version(service: str, option: str) -> None:
    done = command(service, option)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"jubatus-{version('jubatus')} (juba{service})\n"


def test_help() -> None:
    done = command("weight", "-?")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("usage: ")
    assert "  -p, --rpc-port                port number (int [=9199])\n" in done.stderr


@pytest.mark.parametrize(
    "options, line",
    [
        ([], f"config path or model file must be specified for standalone mode{HELP}"),
        (["-z", "localhost:2181"], f"can't start multinode mode without name specified{HELP}"),
        (["-p", "0", "-f", "x"], f"option value is invalid: --rpc-port=0{HELP}"),
        (["-c", "0", "-f", "x"], f"option value is invalid: --thread=0{HELP}"),
        (["-t", "-1", "-f", "x"], f"option value is invalid: --timeout=-1{HELP}"),
        (["-s", "-1", "-f", "x"], f"option value is invalid: --interval_sec=-1{HELP}"),
        (["-i", "-1", "-f", "x"], f"option value is invalid: --interval_count=-1{HELP}"),
        (["--max_message_size=10", "-f", "x"], f"option value is invalid: --max_message_size=10{HELP}"),
        (["-z", "z", "-n", "n", "-Z", "0"], f"can't start with zookeeper_timeout less than 1{HELP}"),
        (["-z", "z", "-n", "n", "-I", "0"], f"can't start with interconnect_timeout less than 1{HELP}"),
        (["-f", "/none/x.json"], "no such file: --configpath=/none/x.json"),
        (["-m", "/none/x.jubatus"], "no such file: --model_file=/none/x.jubatus"),
        (["-f", "/dev/null", "-g", "/none/x.xml"], "no such file: --log_config=/none/x.xml"),
        (["-f", "/dev/null", "-d", "/none"], f"can't use datadir: No such file or directory: /none{HELP}"),
        (["-f", "/dev/null", "-d", "/dev/null"], f"can't use datadir: Not a directory: /dev/null{HELP}"),
        (["-f", "/dev/null", "-l", "/none"], "can't write to the log directory: No such file or directory: /none"),
        (["-f", "/dev/null", "-B", "none0", "-b", ""], "Failed to get IP address from interface: none0"),
    ],
)
def test_refused_options(options: list[str], line: str) -> None:
    assert refusal(*options) == line


def test_a_program_of_no_service(tmp_path: Path) -> None:
    link = tmp_path / "jubastat2"
    link.symlink_to(BIN / "jubaweight")
    done = command("", "-v", program=str(link))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"no program is called jubastat2: one of {PROGRAMS} is expected\n"


def test_unknown_mixer(config: str) -> None:
    assert refusal("-f", config, "-x", "blender").startswith("unsupported mix type (blender)")


@pytest.mark.parametrize(
    "content, line",
    [
        ('{"converter": {}', "syntax error in configuration: {path}:1:17 Expecting ',' delimiter"),
        ('{\n "converter": x}', "syntax error in configuration: {path}:2:15 Expecting value"),
        ("[]", "invalid configuration: {path}: Object is expected, but Array is given. ()"),
        ("{}", 'invalid configuration: {path}: "converter" is not found ()'),
        ('{"converter": {"num_rules": 5}}', "invalid configuration: {path}: "),
        (
            '{"x": 1, "converter": {"num_rules": [{"key": "*"}], "string_types": {"t": {"method": "y"}}}}',
            'invalid configuration: {path}: "x" is not used (); "type" is not found (.converter.num_rules[0]); '
            "unknown splitter name: y",
        ),
        ("", "syntax error in configuration: {path}:json_parser reached end of data"),
        ("\0\xff", "syntax error in configuration: {path}:1:2 Invalid UTF-8"),
    ],
)
def test_each_bad_configuration_is_one_line(tmp_path: Path, content: str, line: str) -> None:
    path = tmp_path / "bad\n.json"  # even where the name of the file has two
    path.write_text(content, encoding="latin-1")
    got = refusal("-f", str(path))
    assert got.startswith(line.format(path=str(path).replace("\n", " ")))
    tested = command("weight", "-T", "-f", str(path))
    assert (tested.returncode, tested.stdout) == (1, "")
    assert tested.stderr == f"Configuration error: {got}\n"


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal("-f", str(tmp_path)) == f"cannot read configuration: {tmp_path}: Is a directory"


def test_config_test(config: str) -> None:
    done = command("weight", "-T", "-f", config)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Configuration OK\n")


def test_port_in_use(config: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("weight", "-p", str(port), "-b", "127.0.0.1", "-f", config)
    line = f"server failed to start: any process using port {port}?"
    assert done.returncode == 1
    assert done.stderr == f"{line}\n"
    assert done.stdout.rstrip().endswith(line)  # some wait for it in the log
    assert len(done.stdout.splitlines()) == 1


def test_an_address_that_is_not_ours(config: str) -> None:
    done = command("weight", "-p", str(free_port()), "-b", "192.0.2.77", "-f", config)
    assert done.returncode == 1
    assert done.stderr.startswith("server failed to start: 192.0.2.77:")
    assert len(done.stderr.splitlines()) == 1


def test_status_and_log_of_a_plain_start(server: Start) -> None:
    start = int(time.time())
    running = server("weight", CONFIG)
    with running.peer() as peer:
        assert peer.result("get_config") == json.dumps(CONFIG).encode()
        status = peer.status()
    for key in ("VIRT", "RSS", "SHR"):
        assert int(status.pop(key)) > 1000
    assert start <= int(status.pop("start_time")) <= int(status.pop("clock_time")) <= start + 20
    assert 0 <= int(status.pop("uptime")) < 20
    engine = {key: value for key, value in status.items() if key.startswith(("diff_", "master_", "weight_"))}
    assert engine
    assert {key: value for key, value in status.items() if key not in engine} == {
        "timeout": "10",
        "threadnum": "2",
        "datadir": str(running.folder),
        "logdir": "",
        "log_config": "",
        "is_standalone": "1",
        "VERSION": "1.1.1",
        "PROGNAME": "jubaweight",
        "type": "weight",
        "configpath": str(running.config),
        "pid": str(running.proc.pid),
        "user": psutil.Process().username(),
        "allow": "",
        "tls": "0",
        "connections": "1",
        "max_connections": str(Gate().max_connections),
        "refused_connections": "0",
        "max_buffers": str(Gate().max_buffers >> 20),
        "update_count": "0",
        "last_saved": "0",
        "last_saved_path": "",
        "last_loaded": "0",
        "last_loaded_path": "",
        "max_memory": "0",
        "refuses_updates": "0",
    }
    assert running.stop() == 0
    lines = [line for line in running.output().splitlines() if not line.startswith("    ")]
    texts = [line.partition("] ")[2] for line in lines]
    assert texts == [
        f"starting jubaweight {version('jubatus')} RPC server at 127.0.0.1:{running.port}",
        f"start listening at port {running.port}",
        "jubaweight RPC server startup",
        "caught SIGTERM",
        "stopping RPC server",
    ]


def test_options_are_told_in_the_status(server: Start, tmp_path: Path) -> None:
    running = server(
        "weight", CONFIG, "--thread=5", "-t", "77", "-l", str(tmp_path), "-x", "skip_mixer", "-s", "1", "-i", "0"
    )  # fmt: skip
    with running.peer() as peer:
        status = peer.status()
    assert (status["threadnum"], status["timeout"], status["logdir"]) == ("5", "77", str(tmp_path))


def test_listen_options(server: Start) -> None:
    running = server("weight", CONFIG, "-b", "127.0.0.2", "-b", "127.0.0.1")
    assert node(running) == f"127.0.0.1_{running.port}"
    running = server("weight", CONFIG, "-b", "", "-B", "lo")
    assert node(running) == f"127.0.0.1_{running.port}"
    running = server("weight", CONFIG, "-b", "localhost", "-B", "none")
    assert node(running) == f"localhost_{running.port}"
    running = server("weight", CONFIG, "-b", "")
    name, port = node(running).rsplit("_", 1)
    own = [a.address for entries in psutil.net_if_addrs().values() for a in entries if a.family == socket.AF_INET]
    assert (name in own, port) == (True, str(running.port))
    assert name != "127.0.0.1" or own == ["127.0.0.1"]


def test_idle_timeout(server: Start) -> None:
    running = server("weight", CONFIG, "-t", "1")
    with running.peer() as peer:
        peer.result("get_config")
        start = time.monotonic()
        assert peer.at_end()
        assert 0.8 < time.monotonic() - start < 3


def test_max_message_size(server: Start) -> None:
    running = server("weight", CONFIG, "--max_message_size", "100000")
    with running.peer() as peer, running.peer() as other:
        assert peer.call("calc_weight", [[["k", "x" * 90_000]], [], []])[0] is None
        peer.send(packed([0, 1, "calc_weight", ["", [[["k", "x" * 100_000]], [], []]]]))
        assert peer.at_end()
        other.result("get_config")
    assert running.output().count("closed: a message of more than 100000 bytes") == 1


def test_model_file(server: Start, tmp_path: Path) -> None:
    config = {
        "converter": {"string_rules": [{"key": "*", "type": "str", "sample_weight": "bin", "global_weight": "idf"}]}
    }
    datum: Any = [[["k", "v"]], [], []]
    first = server("weight", config)
    with first.peer() as peer:
        for _ in range(3):
            peer.result("update", datum)
        peer.result("update", [[["k", "other"]], [], []])
        learned = peer.result("calc_weight", datum)
        (path,) = peer.result("save", "m").values()
    assert path.decode() == f"{first.folder}/127.0.0.1_{first.port}_weight_m.jubatus"

    second = server("weight", CONFIG, "-m", path.decode())
    with second.peer() as peer:
        assert peer.result("calc_weight", datum) == learned
        assert peer.result("get_config") == json.dumps(config).encode()
        status = peer.status()
    assert (status["configpath"], status["last_loaded_path"]) == ("", path.decode())
    assert int(status["last_loaded"]) > 0

    both = server("weight", CONFIG, "-m", path.decode(), "-f", str(first.config))
    with both.peer() as peer:
        assert peer.result("get_config") == json.dumps(config).encode()
    assert "the configuration of the model file is used" in both.output()

    torn = tmp_path / "torn.jubatus"
    torn.write_bytes(Path(path.decode()).read_bytes()[:-1])
    assert refusal("-m", str(torn)) == f"{torn}: cannot read input file"
    done = command("classifier", "-m", path.decode())
    assert (done.returncode, done.stderr) == (
        1,
        f"{path.decode()}: server type mismatched: weight, expected classifier\n",
    )


def test_log_folder_gets_a_copy(server: Start, tmp_path: Path) -> None:
    running = server("weight", CONFIG, "-l", str(tmp_path))
    log = tmp_path / f"jubaweight.127.0.0.1_{running.port}.log"
    wait_for(lambda: log.exists() and "RPC server startup" in log.read_text())
    assert log.read_text() == running.output()
    log.rename(tmp_path / "old")
    running.proc.send_signal(signal.SIGHUP)
    wait_for(log.exists)
    assert running.stop() == 0
    assert "stopping RPC server" in log.read_text()
    assert "stopping" not in (tmp_path / "old").read_text()
    refused = command("weight", "-p", str(free_port()), "-b", "127.0.0.1", "-f", "/dev/null", "-l", str(tmp_path))
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert any(refused.stderr.strip() in path.read_text() for path in tmp_path.glob("*.log"))


def test_log_configuration(server: Start, tmp_path: Path) -> None:
    log = tmp_path / "log.xml"
    log.write_text(
        '<log4j:configuration xmlns:log4j="http://jakarta.apache.org/log4j/">'
        '<appender name="F" class="org.apache.log4j.FileAppender">'
        f'<param name="file" value="{tmp_path}/${{JUBATUS_PROCESS}}.${{JUBATUS_HOST}}.${{JUBATUS_PORT}}.${{JUBATUS_PID}}"/>'
        '</appender><root><level value="INFO"/><appender-ref ref="F"/></root></log4j:configuration>'
    )
    running = server("weight", CONFIG, "-g", str(log))
    file = tmp_path / f"jubaweight.127.0.0.1.{running.port}.{running.proc.pid}"
    wait_for(lambda: "RPC server startup" in file.read_text())
    log.write_text("<broken")
    running.proc.send_signal(signal.SIGHUP)
    wait_for(lambda: "invalid log configuration; reload aborted" in file.read_text())
    assert running.stop() == 0
    assert "stopping RPC server" in file.read_text()
    assert running.output() == ""
    assert refusal("-f", str(running.config), "-g", str(log)).startswith(f"invalid log configuration: {log}: ")


def test_daemon(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.chdir(tmp_path)
    done = command("weight", "-D", "-p", str(port), "-b", "127.0.0.1", "-f", "config.json", "-l", ".", "-d", ".")
    assert (done.returncode, done.stderr) == (0, "")
    with Peer(port) as peer:  # the port is open when the command returns
        status = peer.status()
        process = psutil.Process(int(status["pid"]))
        assert status["configpath"] == config
        assert peer.result("save", "m")
    assert process.cwd() == "/"
    assert process.terminal() is None
    assert os.stat(tmp_path / f"127.0.0.1_{port}_weight_m.jubatus").st_mode & 0o022 == 0
    process.terminate()
    wait_for(lambda: over(process))
    log = (tmp_path / f"jubaweight.127.0.0.1_{port}.log").read_text()
    assert f" {process.pid} INFO " in log
    assert "stopping RPC server" in log


def over(process: psutil.Process) -> bool:
    """Return whether a process that is not ours has ended, whether or not its parent knows."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def test_errors_of_a_daemon_are_seen_by_who_starts_it(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("{}")
    assert refusal("-D", "-f", str(tmp_path / "bad")).startswith("invalid configuration: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0, 0.005, 0.01, 0.02])
def test_a_signal_ends_the_start_without_a_word(number: signal.Signals, delay: float, config: str) -> None:
    words = [BIN / "jubaweight", "-p", str(free_port()), "-b", "127.0.0.1", "-f", config]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    maps = Path(f"/proc/{process.pid}/maps")
    wait_for(lambda: "/jubatus/_core/" in maps.read_text())
    time.sleep(delay)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert errors == ""
    assert process.returncode in (-number, 128 + number, 0)  # 0: it serves already
