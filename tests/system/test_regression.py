"""The example of regression, in process and of a server."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import Start

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples/regression"
PAGE = ROOT / "docs/services/regression.md"


def rent(*options: str) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "rent.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_learns_and_prints_the_same_of_a_server(server: Start, tmp_path: Path) -> None:
    picture = tmp_path / "rent.png"
    printed = rent("--picture", str(picture))
    lines = printed.splitlines()
    assert len(lines) == 9
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "\n".join(lines[1:4]) in PAGE.read_text()
    running = server("regression", json.loads((EXAMPLE / "config.json").read_text()))
    assert rent("--server", f"127.0.0.1:{running.port}") == printed
    with running.peer() as peer:
        assert peer.status()["update_count"] == "2000"
