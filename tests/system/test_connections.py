"""What a server promises its connections: when it is stopped for a while, when it ends, and when there are too many."""

import signal
import threading
import time
from contextlib import ExitStack
from typing import Any

from tests.conftest import PATIENCE, Running, Start, packed

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
