import os
import socket
from pathlib import Path

import pytest

from jubatus.errors import ModelFileError
from jubatus.server.snapshots import wait_for_child, write_in_child


def test_the_child_has_what_there_was_and_nothing_open(tmp_path: Path) -> None:
    state = ["before"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        left = listener.fileno()

        def save() -> None:
            with pytest.raises(OSError):
                os.fstat(left)
            (tmp_path / "written").write_text(state[0])

        child, pipe = write_in_child(save)
        state[0] = "after"
        assert wait_for_child(child, pipe) == ""
    assert (tmp_path / "written").read_text() == "before"


def test_what_goes_wrong_in_the_child_is_told() -> None:
    def refuse() -> None:
        raise ModelFileError("the disk is full")

    def fail() -> None:
        raise ValueError("a bug")

    def end() -> None:
        os.kill(os.getpid(), 9)

    assert wait_for_child(*write_in_child(refuse)) == "the disk is full"
    assert wait_for_child(*write_in_child(fail)) == "its process ended with status 1"
    assert wait_for_child(*write_in_child(end)) == "its process ended with status -9"


def test_a_child_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Resource temporarily unavailable"):
        write_in_child(lambda: None)
    assert len(os.listdir("/proc/self/fd")) == len(before)
