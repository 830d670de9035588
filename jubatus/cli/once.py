"""What the commands have in common that do something and end."""

import os
import signal
import sys
from collections.abc import Callable, Iterable

from jubatus.errors import JubatusError


def run(command: Callable[[], int]) -> int:
    """Do a command; return the exit status. Standard error gets one line if it fails.

    Args:
        command: returns the exit status; raises JubatusError.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return command()
    except JubatusError as error:
        return complain(str(error))
    except OSError as error:  # standard output is closed or full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written at the end
        return complain(f"cannot write: {error.strerror or error}")


def complain(message: str, status: int = 1) -> int:
    """Print a line on standard error and return the exit status of a failure."""
    print(message.replace("\n", " "), file=sys.stderr)
    return status


def show(pieces: Iterable[bytes]) -> int:
    """Print bytes as they are, piece by piece; return 0."""
    sys.stdout.buffer.writelines(pieces)
    sys.stdout.buffer.flush()
    return 0
