"""Updates are refused while there is no memory for more, and one that finds none changes nothing."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Running, Start

CONFIG: dict[str, Any] = {
    "method": "AROW",
    "parameter": {"regularization_weight": 1.0},
    "converter": {
        "string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "idf"}],
        "num_rules": [{"key": "*", "type": "num"}],
    },
}
MIB = 1 << 20


def message(label: str, first: int, count: int, key: str = "t") -> list[Any]:
    """Return a labelled datum of so many words."""
    return [label, [[[key, " ".join(f"word{number}" for number in range(first, first + count))], ["all", "x"]], [], []]]


def test_updates_that_add_are_refused_above_the_limit(server: Start) -> None:
    running = server("classifier", CONFIG, "--max_memory", "1")
    with running.peer() as peer:
        for method, argument in (("train", [message("a", 0, 3)]), ("set_label", "b")):
            error, result = peer.call(method, argument)
            assert result is None
            assert b"not enough memory for more" in error
            assert b"the limit is 1 (--max_memory)" in error
        assert peer.result("classify", [message("", 0, 3)[1]]) == [[]]
        assert peer.result("get_labels") == {}
        assert peer.result("delete_label", "a") is False
        (path,) = peer.result("save", "small").values()
        assert Path(path.decode()).exists()
        assert peer.result("load", "small") is True
        assert peer.result("clear") is True
        status = peer.status()
        assert status["max_memory"] == "1"
        assert status["refuses_updates"] == "1"
        assert status["num_features"] == "0"


def test_updates_go_on_below_the_limit(server: Start) -> None:
    running = server("classifier", CONFIG, "--max_memory", str(1 << 40))
    with running.peer() as peer:
        assert peer.result("train", [message("a", 0, 3)]) == 1
        assert peer.status()["refuses_updates"] == "0"


def limit_address_space(running: Running, more: int) -> None:
    """Let a server have so many bytes more of address space than it has now; with a negative number it gets none."""
    size = int(Path(f"/proc/{running.proc.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(running.proc.pid, resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))


@pytest.mark.parametrize("room", [40, 150, 400])
def test_a_server_without_memory_refuses_and_goes_on(server: Start, room: int) -> None:
    running = server("classifier", CONFIG)
    with running.peer() as peer:
        assert peer.result("train", [message("a", 0, 100), message("b", 50, 100)]) == 2
        limit_address_space(running, room * MIB)
        query = [message("", 0, 150)[1]]
        refused = learned = 0
        for turn in range(400):
            before = peer.result("classify", query), peer.result("get_labels")
            error, result = peer.call("train", [message("ab"[turn % 2], turn * 20_000, 20_000)])
            if error is None:
                assert result == 1
                learned += 1
            else:
                assert b"not enough memory" in error
                assert (peer.result("classify", query), peer.result("get_labels")) == before
                refused += 1
            if refused == 5:
                break
        assert refused == 5
        labels = peer.result("get_labels")
        assert sum(labels.values()) == 2 + learned
        limit_address_space(running, 1 << 40)
        assert peer.result("train", [message("a", 0, 100)]) == 1
        assert len(peer.result("save", "whole")) == 1
        assert peer.result("load", "whole") is True
        assert peer.result("get_labels")[b"a"] == labels[b"a"] + 1
    assert running.stop() == 0


def test_a_save_without_memory_is_refused(server: Start) -> None:
    running = server("classifier", CONFIG)
    with running.peer() as peer:
        for turn in range(10):  # a file of more than 100 MB
            assert peer.result("train", [message("a", turn * 20_000, 20_000, "k" * 300)]) == 1
        limit_address_space(running, -200 * MIB)
        error, _ = peer.call("save", "large")
        assert b"not enough memory" in error
        assert not list(running.folder.glob("*large*"))
        limit_address_space(running, 1 << 40)
        assert len(peer.result("save", "large")) == 1


GROWTH = """
import json, sys
from jubatus.embedded import Classifier
def high(): return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
model = Classifier(json.loads(sys.argv[1]))
from jubatus.common import Datum
datum = Datum({"k" * 200_000: " ".join(f"w{i}" for i in range(2_000))})
model.train([("a", Datum({"k" * 200_000: "w"}))])
before = high()
model.train([("a", datum)])
print(high() - before)
"""


def test_a_long_key_is_kept_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, json.dumps(CONFIG)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 50_000  # KiB; the names written out have 400 MB for each table
