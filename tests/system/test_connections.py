"""What a server promises its connections: when it is stopped for a while, when it ends, and when there are too many."""

import signal
import time
from contextlib import ExitStack
from typing import Any

from tests.conftest import Start, packed

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
