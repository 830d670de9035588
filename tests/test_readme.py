"""What the README and the tutorial say is true."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jubatus.cli import args
from jubatus.cli.server import OPTIONS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server(tmp_path_factory.mktemp("server")) as number:
        yield number


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """Run the server of the tutorial on a free port."""
    number = free_port()
    config = ROOT / "examples/tutorial/config.json"
    command = [BIN / "jubaclassifier", "-b", "127.0.0.1", "-p", str(number), "-d", folder, "--configpath", config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            assert any("RPC server startup" in line for line in process.stdout)
            yield number
        finally:
            process.terminate()
            process.stdout.read()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.splitlines()[0])
def test_python_examples_work(code: str, port: int) -> None:
    exec(compile(code.replace("9199", str(port)), "README.md", "exec"), {})


def test_tutorial_prints_each_guess_and_the_counts(port: int) -> None:
    command = [sys.executable, ROOT / "examples/tutorial/tutorial.py", "--server_ip", f"127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    guesses = re.findall(r"^(OK|NG),(spam|ham), (spam|ham), -?\d[\d.e-]*$", done.stdout, re.M)
    assert len(guesses) == 500
    assert all((verdict == "OK") == (label == guess) for verdict, label, guess in guesses)
    right = sum(verdict == "OK" for verdict, _, _ in guesses)
    assert done.stdout.splitlines()[-1] == f"OK: {right}, NG: {500 - right}, accuracy: {right / 5:.1f} %"
    assert right >= 480
    assert "training  1500 of 1500\n" in done.stderr


def test_quickstart_works_from_any_folder_and_leaves_no_server(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [ROOT / "scripts/quickstart"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"OK: \d+, NG: \d+, accuracy: 9\d\.\d %\n", done.stdout)
    assert list(tmp_path.iterdir()) == []
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if any(str(tmp_path) in word for word in line)] == []


def test_options_are_those_of_the_server() -> None:
    rows = re.findall(r"^\| (?:`-(.)`, )?`--([\w-]+)` \| (?:`(.*?)`)? *\|", README, re.M)
    declared = [*OPTIONS, args.HELP]
    assert rows == [
        (option.short, option.name, "" if option.default is False else str(option.default)) for option in declared
    ]


def test_commands_and_links_exist() -> None:
    words = [line.split() for block in blocks("sh") for line in block.splitlines()]
    paths = [word for line in words for word in line if "/" in word]
    paths += re.findall(r"`(scripts/\w+)`", README) + re.findall(r"\]\((\S+?)\)", README)
    assert [path for path in paths if not (ROOT / path).exists()] == []
