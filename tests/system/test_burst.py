"""The example of burst; three servers and a keeper: who processes which keyword before one dies, after, when it is back."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from jubatus.cluster.paths import Node
from jubatus.cluster.ring import Ring, ring_entries
from tests.conftest import Running, Start, wait_for
from tests.contract.programs import NEVER
from tests.services.burst import config
from tests.system.cluster import Cluster, cluster
from tests.zookeeper import ZooKeeper

EXAMPLE = Path(__file__).parent.parent.parent / "examples/burst"
PAGE = Path(__file__).parent.parent.parent / "docs/services/burst.md"
KEYWORDS = [f"word{number:02}" for number in range(30)]
SAMPLE = config(5, 10, 5, 5, -1)


def mails(*options: str | Path) -> str:
    """Run the example and return what it prints."""
    command = [sys.executable, EXAMPLE / "mails.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_example_prints_the_same_in_process_and_of_a_server(server: Start, tmp_path: Path) -> None:
    printed = mails("--picture", tmp_path / "bursts.png")
    assert (tmp_path / "bursts.png").read_bytes().startswith(b"\x89PNG")
    lines = printed.splitlines()
    assert lines[0] == "807 of 807 subjects are counted"
    assert "\n".join(lines[1:4]) in PAGE.read_text()
    running = server("burst", json.loads((EXAMPLE / "config.json").read_text()))
    assert mails("--server", f"127.0.0.1:{running.port}") == printed
    with running.peer() as peer:
        assert "spambayes" in peer.status()["all_keywords"].split(",")


def processed(server: Running) -> set[str]:
    """Return the keywords that a server processes by its own word."""
    with server.peer() as peer:
        return set(filter(None, peer.status()["processed_keywords"].split(",")))


def given(servers: list[Running]) -> list[set[str]]:
    """Return the keywords that the ring of some servers gives to each."""
    nodes = [Node("127.0.0.1", server.port) for server in servers]
    ring = Ring({entry: node for node in nodes for entry in ring_entries(node)})
    return [{word for word in KEYWORDS if node in ring.find(word.encode(), 2)} for node in nodes]


def counted(servers: list[Running]) -> list[dict[str, int]]:
    """Return how many documents with each of its keywords each server has in the newest window."""
    found = []
    for server, words in zip(servers, given(servers), strict=True):
        with server.peer() as peer:
            results = {word: peer.result("get_result", word)[1] for word in words}
        found.append({word: sum(relevant for _, relevant, _ in batches) for word, batches in results.items()})
    return found


class Stream:
    """Documents through a keeper; each has all keywords."""

    def __init__(self, made: Cluster, keeper: Running) -> None:
        self._made = made
        self._keeper = keeper
        self._positions = itertools.count()
        self.position = 0.0

    def call(self, method: str, *args: Any) -> Any:
        with self._keeper.peer() as peer:
            error, result = peer.call(method, *args, name=self._made.name)
        assert error is None
        return result

    def add(self, count: int) -> None:
        for _ in range(count):
            self.position = next(self._positions) / 4
            assert self.call("add_documents", [[self.position, " ".join(KEYWORDS)], [self.position, "-"]]) == 2

    def newest(self, word: str) -> list[int]:
        """Return how many documents the batch of the last position has: all, and those with the keyword."""
        _, batches = self.call("get_result_at", word, self.position)
        return [max(batch[number] for batch in batches) for number in (0, 1)] if batches else [0, 0]


def test_a_keyword_is_always_processed_by_the_servers_of_the_ring(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with cluster(zookeeper.hosts, tmp_path, "burst", SAMPLE) as made:
        servers = [made.server(*NEVER) for _ in range(3)]
        stream = Stream(made, made.keeper())
        for server in servers:
            wait_for(lambda server=server: made.is_active(server))
        for word in KEYWORDS:
            assert stream.call("add_keyword", [word, 1.5, 1.0]) is True
        assert [processed(server) for server in servers] == given(servers)
        assert all(0 < len(words) < len(KEYWORDS) for words in given(servers))
        stream.add(4)
        made.mix(servers[0])
        assert [stream.newest(word) for word in KEYWORDS] == [[8, 4]] * len(KEYWORDS)

        # One dies: the others take its keywords over, and go on from what the last MIX brought them.
        dead, left = servers[2], servers[:2]
        dead.proc.kill()
        dead.proc.wait()
        wait_for(lambda: [processed(server) for server in left] == given(left))
        assert set.union(*given(left)) == set(KEYWORDS)
        stream.add(4)
        for word in KEYWORDS:
            everything, relevant = stream.newest(word)
            assert relevant * 2 == everything >= 8
        assert len(stream.call("get_all_keywords")) == len(KEYWORDS)

        # It comes back: it gets the keywords that it had, and the others give them up some MIXes later.
        back = made.server(*NEVER, port=dead.port)
        servers = [*left, back]
        wait_for(lambda: processed(back) == given(servers)[2])
        for server, words in zip(servers, given(servers), strict=True):
            wait_for(lambda server=server, words=words: processed(server) >= words)
        for _ in range(6):
            stream.add(1)
            made.mix(left[0])
        wait_for(lambda: [processed(server) for server in servers] == given(servers))
        stream.add(1)  # until then a server may show a window that the MIX brought from another one
        before = counted(servers)
        stream.add(2)
        want = [{word: count + 2 for word, count in counts.items()} for counts in before]
        assert counted(servers) == want
