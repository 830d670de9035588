"""Writing a snapshot in a child process, which has the model as it was when it began."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from jubatus.errors import JubatusError

PIPE = 3
"""The descriptor by which the child says what went wrong."""

NICE = 10
"""By how much the child gives way to who answers requests."""


def write_in_child(save: Callable[[], None]) -> tuple[int, int]:
    """Let a child process write; return its number and a descriptor on which it says what went wrong.

    The child has a copy of the memory, of which the system copies only what is changed meanwhile. Only the thread that
    calls this goes on in the child. It must not need what other threads hold: it packs the model, writes a file and
    ends.

    Args:
        save: writes; raises JubatusError.

    Raises:
        OSError: there can be no child.
    """
    ours, its = os.pipe()
    sys.stderr.flush()
    try:
        child = os.fork()
    except OSError:
        os.close(ours)
        os.close(its)
        raise
    if child == 0:
        _be_child(save, its)
    os.close(its)
    return child, ours


def wait_for_child(child: int, pipe: int) -> str:
    """Wait for the end of the child; return what went wrong, or nothing."""
    with open(pipe, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    if text or status == 0:
        return text
    return f"its process ended with status {os.waitstatus_to_exitcode(status)}"


def _be_child(save: Callable[[], None], pipe: int) -> None:
    """Write and end, also if the server is killed meanwhile: the snapshot belongs to its segment all the same."""
    status = 1
    try:
        # Nothing of the parent may stay open: when it is killed, its port and its lock must be free.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
        os.dup2(pipe, PIPE)
        os.closerange(PIPE + 1, 1 << 30)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nothing, standard)
        with suppress(OSError):
            os.nice(NICE)
        try:
            save()
            status = 0
        except (JubatusError, MemoryError) as error:
            os.write(PIPE, (str(error) or type(error).__name__).encode())
    finally:
        os._exit(status)
