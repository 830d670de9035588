"""What a server promises its connections: when it is stopped for a while, when it ends, and when there are too many."""

import json
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.conftest import BIN, PATIENCE, Peer, Running, Start, command, packed, wait_for
from tests.ports import free_port

CONFIG: dict[str, Any] = {"converter": {}}


def get_config(msgid: int) -> bytes:
    return packed([0, msgid, "get_config", [""]])


def test_what_was_sent_while_the_process_stood_still_is_answered(server: Start) -> None:
    running = server("weight", CONFIG, "--timeout", "1")
    with ExitStack() as stack:
        peers = [stack.enter_context(running.peer()) for _ in range(200)]
        for peer in peers:
            peer.result("get_config")
        running.proc.send_signal(signal.SIGSTOP)
        for msgid, peer in enumerate(peers, 10):
            peer.send(get_config(msgid))
        time.sleep(1.5)
        running.proc.send_signal(signal.SIGCONT)
        assert [peer.reply()[:3] for peer in peers] == [[1, msgid, None] for msgid in range(10, 210)]


def test_a_message_of_which_a_part_was_sent_while_the_process_stood_still_is_answered(server: Start) -> None:
    running = server("weight", CONFIG, "--timeout", "1")
    with running.peer() as peer:
        peer.result("get_config")
        running.proc.send_signal(signal.SIGSTOP)
        peer.send(get_config(10)[:5])
        time.sleep(1.5)
        running.proc.send_signal(signal.SIGCONT)
        time.sleep(0.2)
        peer.send(get_config(10)[5:])
        assert peer.reply()[:3] == [1, 10, None]


class Busy(threading.Thread):
    """A client that sends some requests at a time, until the server closes the connection.

    Attributes:
        answered: replies so far, in the order of the requests.
        end: what the end of the connection looked like; None if it was in order.
    """

    def __init__(self, running: Running, depth: int) -> None:
        super().__init__()
        self.answered = 0
        self.end: Exception | None = None
        self._running = running
        self._depth = depth
        self.start()

    def run(self) -> None:
        try:
            with self._running.peer() as peer:
                while True:
                    first = self.answered
                    peer.send(b"".join(map(get_config, range(first, first + self._depth))))
                    for msgid in range(first, first + self._depth):
                        assert peer.reply()[:3] == [1, msgid, None]
                        self.answered += 1
        except Exception as error:
            self.end = error


def test_busy_clients_see_an_end_in_order(server: Start) -> None:
    for _ in range(3):
        running = server("weight", CONFIG)
        clients = [Busy(running, depth) for depth in (1, 1, 1, 1, 1, 1, 1, 1, 20, 20, 500)]
        time.sleep(0.3)
        assert running.stop() == 0
        for client in clients:
            client.join()
            assert client.answered
            assert str(client.end) == "closed by the server", repr(client.end)


def test_what_was_sent_before_the_end_is_answered(server: Start) -> None:
    running = server("weight", CONFIG)
    with ExitStack() as stack:
        peers = [stack.enter_context(running.peer()) for _ in range(50)]
        for peer in peers:
            peer.result("get_config")
        running.proc.send_signal(signal.SIGSTOP)
        for peer in peers:
            peer.send(b"".join(map(get_config, range(10, 110))))
        running.proc.send_signal(signal.SIGTERM)
        running.proc.send_signal(signal.SIGCONT)
        for peer in peers:
            assert [peer.reply()[1] for _ in range(100)] == list(range(10, 110))
            assert peer.socket.recv(1) == b""
    assert running.proc.wait(PATIENCE) == 0


def test_only_allowed_networks_connect(server: Start) -> None:
    running = server("weight", CONFIG, "--allow", "127.0.0.0/30,10.0.0.0/8")
    with Peer(running.port, source="127.0.0.9") as outsider, running.peer() as peer:
        assert outsider.at_end()
        assert peer.status()["refused_connections"] == "1"
    assert "turned away: its address is not allowed" in running.output()


def test_too_many_connections_are_turned_away_and_a_save_succeeds(server: Start) -> None:
    running = server("weight", CONFIG, "--max_connections", "20", "--timeout", "0")
    with ExitStack() as stack:
        peers = [stack.enter_context(running.peer()) for _ in range(20)]
        for peer in peers:
            peer.result("get_config")
        for _ in range(30):
            with running.peer() as late:
                assert late.at_end()
        status = peers[0].status()
        assert (status["connections"], status["max_connections"]) == ("20", "20")
        peers.pop().close()
        wait_for(lambda: peers[0].status()["connections"] == "19")
        assert peers[0].result("save", "m")
    assert running.output().count("turned away: 20 are open") == 1


def test_wrong_limits_end_the_start(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    for option, value, line in (
        (
            "--allow",
            "10.0.0.1/8",
            "allow: 10.0.0.1/8 has host bits set: networks like 10.0.0.0/8 and addresses are expected",
        ),
        ("--max_connections", "2000000000", "max_connections: 2000000000 connections are more than descriptors allow"),
    ):
        done = command("weight", "-b", "127.0.0.1", "-p", str(free_port()), "-f", str(path), option, value)
        assert done.returncode == 1
        assert done.stderr.startswith(line)
        assert done.stderr.count("\n") == 1


def test_a_server_with_few_descriptors_saves_while_all_its_connections_are_taken(tmp_path: Path) -> None:
    path, port = tmp_path / "config.json", free_port()
    path.write_text(json.dumps(CONFIG))
    words = [BIN / "jubaweight", "-p", str(port), "-b", "127.0.0.1", "-d", tmp_path, "-f", path, "-t", "0"]
    running = Running(["sh", "-c", 'ulimit -n 64; exec "$0" "$@"', *words], tmp_path, port)
    with ExitStack() as stack:
        first = stack.enter_context(running.peer())
        assert first.status()["max_connections"] == "32"
        for _ in range(60):
            stack.enter_context(running.peer())
        wait_for(lambda: first.status()["connections"] == "32")
        assert first.result("save", "m")
        assert first.result("load", "m") is True
    assert running.stop() == 0
