from importlib.metadata import version
from pathlib import Path

import pytest

from jubatus import SERVICES
from jubatus.cli import args, keeper
from tests.conftest import BIN, command
from tests.ports import free_port

KEEPERS = ("classifier_keeper", "classifier_proxy", "weight_keeper", "weight_proxy")


HELP = "; see jubaweight_keeper --help"


def refusal(*options: str) -> str:
    """Run a keeper that must refuse to start; return its one line."""
    done = command("weight_keeper", "-p", str(free_port()), "-b", "127.0.0.1", *options)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("program", KEEPERS)
def test_version(program: str) -> None:
    done = command(program, "-v")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"jubatus-{version('jubatus')} (juba{program})\n", "")


def test_a_program_of_no_service(tmp_path: Path) -> None:
    link = tmp_path / "keeper"
    link.symlink_to(BIN / "jubaweight_keeper")
    done = command("", "-v", program=str(link))
    programs = ", ".join(f"juba{name}{ending}" for name in SERVICES for ending in ("_keeper", "_proxy"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"no program is called keeper: one of {programs} is expected\n"


def test_the_options_are_those_of_the_original_and_some_more() -> None:
    given = args.parse(keeper.OPTIONS, ["jubaclassifier_keeper"])
    assert given.values == {
        "rpc-port": 9199,
        "listen_addr": "",
        "listen_if": "",
        "thread": 4,
        "timeout": 10,
        "zookeeper_timeout": 10,
        "interconnect_timeout": 10,
        "daemon": False,
        "zookeeper": "localhost:2181",
        "pool_expire": 60,
        "pool_size": 0,
        "logdir": "",
        "log_config": "",
        "max_message_size": 512 << 20,
        "zookeeper_auth": "",
        "zookeeper_tls_ca": "",
        "zookeeper_tls_cert": "",
        "zookeeper_tls_key": "",
        "tls_cert": "",
        "tls_key": "",
        "tls_ca": "",
        "allow": "",
        "max_connections": 0,
        "max_buffers": 0,
        "version": False,
        "help": False,
    }
    assert "".join(option.short for option in keeper.OPTIONS) == "pbBctZIDzESlgv"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["-Z", "0"], f"can't start with zookeeper_timeout less than 1{HELP}"),
        (["-I", "0"], f"can't start with interconnect_timeout less than 1{HELP}"),
        (["-E", "-1"], f"option value is invalid: --pool_expire=-1{HELP}"),
        (["-S", "-1"], f"option value is invalid: --pool_size=-1{HELP}"),
        (["-c", "0"], f"option value is invalid: --thread=0{HELP}"),
        (["-n", "x"], f"undefined short option: -n{HELP}"),
        (["-g", "/no/such/file"], "no such file: --log_config=/no/such/file"),
        (["-l", "/no/such/folder"], "can't create log file: No such file or directory: /no/such/folder"),
        (["-B", "nowhere0", "-b", ""], "Failed to get IP address from interface: nowhere0"),
    ],
)
def test_wrong_options_are_refused(options: list[str], line: str) -> None:
    assert refusal(*options) == line


def test_without_zookeeper_it_does_not_start() -> None:
    hosts = f"127.0.0.1:{free_port()}"
    assert refusal("-Z", "1", "-z", hosts) == f"cannot connect zk in 1 sec: {hosts}"
