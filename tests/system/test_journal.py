"""What a journal promises: a server that is killed at any moment comes back with every update that it acknowledged.

Each service is killed a few times; ``JUBATUS_KILLS=<times>`` makes it more, and ``JUBATUS_KILLS_SEED`` different.
"""

import json
import os
import random
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jubatus import SERVICES
from jubatus._core.context import Context
from jubatus._core.wire import Reader, unpack
from jubatus.errors import BadArguments, ModelError
from jubatus.server import storage
from jubatus.server.segments import Segment, segment_path
from tests.conftest import BIN, Running, Start, end_in_order, packed, wait_for
from tests.core.calls import exact
from tests.core.generate import Arguments
from tests.ports import free_port
from tests.services import CASES, Case

KILLS = int(os.environ.get("JUBATUS_KILLS", "2"))
SEED = os.environ.get("JUBATUS_KILLS_SEED", "1")


class Journalled:
    """A server with a journal, a client of it, and a model in process that is told the same.

    Args:
        case: service and configuration.
        folder: for all files.
        seed: of what the client calls.
        options: further options of the server.
    """

    def __init__(self, case: Case, folder: Path, seed: str, *options: str) -> None:
        self.case = case
        self.folder = folder
        self.port = free_port()
        self.options = options
        (folder / "config.json").write_text(json.dumps(case.config))
        self.running = self.start()
        segment = Segment(segment_path(str(folder / "journal"), 1))
        segment.close()
        assert segment.header is not None
        self.twin = case.service.model_class(case.config, context=Context(f"127.0.0.1_{self.port}", 2))
        self.twin.unpack_aside(segment.header.aside)
        self.recorded = 0
        self._arguments = Arguments(seed, case.facts.values)
        self._rows = [row for row in case.service.methods if row.changes]
        self._often = [row for row in self._rows if row.name != "clear"]

    def start(self) -> Running:
        command: list[str | Path] = [
            BIN / f"juba{self.case.service.name}",
            *("-p", str(self.port), "-b", "127.0.0.1", "-d", self.folder, "-f", self.folder / "config.json"),
            *("--journal", self.folder / "journal", *self.options),
        ]  # fmt: skip
        return Running(command, self.folder, self.port)

    def call(self) -> tuple[str, list[Any]]:
        """Return an update, by chance."""
        chance = self._arguments.random
        row = chance.choice(self._rows if chance.random() < 0.02 else self._often)
        return row.name, self._arguments.of_method(row)

    def tell_twin(self, name: str, args: list[Any]) -> Any:
        """Have the twin do an update; return error and result as they come over the wire."""
        reader = Reader(packed(["", *args]))
        try:
            reader.arguments(len(args))
            result = getattr(self.twin, name)(reader)
        except BadArguments:
            return 2, None
        except ModelError as error:
            self.recorded += 1
            return str(error).encode(), None
        self.recorded += 1
        return None, unpack(result)

    def learn_until_killed(self, seconds: float) -> int:
        """Send updates until the server is killed after some seconds; the twin gets those that are there after a restart.

        Returns:
            how many were acknowledged.
        """
        killer = threading.Timer(seconds, self.running.proc.kill)
        acknowledged = 0
        with self.running.peer() as peer:
            killer.start()
            while True:
                name, args = self.call()
                try:
                    error, result = peer.call(name, *args)
                except OSError:
                    break
                wanted = self.tell_twin(name, args)
                assert exact([error, result]) == exact(list(wanted))
                acknowledged += 1
        killer.join()
        self.running.proc.wait()
        self.running = self.start()
        with self.running.peer() as peer:
            there = int(peer.status()["journal_records"])
        assert self.recorded <= there <= self.recorded + 1
        if there > self.recorded:
            self.tell_twin(name, args)
        return acknowledged

    def check(self) -> None:
        """Compare server and twin."""
        with self.running.peer() as peer:
            (path,) = peer.result("save", "check").values()
            _config, driver = storage.load(path.decode(), type=self.case.service.name, config=None)
            stored = self.case.facts.stored
            assert stored(unpack(driver)) == stored(unpack(self.twin.pack()))


@pytest.mark.parametrize("name", SERVICES)
def test_killed_servers_come_back_with_all_that_was_acknowledged(name: str, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} {name}")
    cases = [case for case in CASES if case.service.name == name]
    acknowledged = 0
    for number in range(KILLS):
        if number % 5 == 0:
            folder = tmp_path / str(number)
            folder.mkdir()
            sync = ("everysec", "always")[number // 5 % 2]
            case = cases[0] if number == 0 else chance.choice(cases)
            journalled = Journalled(
                case, folder, f"{SEED} {number}", "--journal_sync", sync, "--snapshot_updates", "150"
            )
        acknowledged += journalled.learn_until_killed(chance.uniform(0.05, 1.6))
        journalled.check()
        if number % 5 == 4 or number == KILLS - 1:
            end_in_order([journalled.running])
    assert acknowledged


@pytest.mark.parametrize("sync", ["everysec", "always"])
def test_many_clients_at_once(sync: str, server: Start, tmp_path: Path) -> None:
    """Each has some requests in flight: those that were not answered are there or not, those that were are there."""
    options = ("--journal", str(tmp_path), "--journal_sync", sync, "--snapshot_updates", "3000")
    flying, acknowledged = 4, dict.fromkeys(range(8), 0)
    for _ in range(2):
        running = server("stat", {"window_size": -1}, *options)

        def push(key: int, running: Running = running) -> None:
            with running.peer() as peer, suppress(OSError):
                data = packed([0, 1, "push", ["", str(key), 1.0]])
                peer.send(data * flying)
                while True:
                    assert peer.reply() == [1, 1, None, True]
                    acknowledged[key] += 1
                    peer.send(data)

        threads = [threading.Thread(target=push, args=(key,)) for key in acknowledged]
        for thread in threads:
            thread.start()
        wanted = sum(acknowledged.values()) + 2000
        wait_for(lambda wanted=wanted: sum(acknowledged.values()) > wanted)
        running.proc.kill()
        running.proc.wait()
        for thread in threads:
            thread.join()
    with server("stat", {"window_size": -1}, *options).peer() as peer:
        for key, count in acknowledged.items():
            assert count <= peer.result("sum", str(key)) <= count + 2 * flying
