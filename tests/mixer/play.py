"""Play procedures of a mixer against a script."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jubatus.cluster.paths import Node
from jubatus.mixer.state import Answer, Call, Log

A, B, C, D = (Node("10.0.0.1", port) for port in (9199, 9200, 9201, 9202))


class Played(NamedTuple):
    """What came of a procedure: its result, and what it logged."""

    result: Any
    log: list[str]


def play(procedure: Any, *script: tuple[Any, Any]) -> Played:
    """Run a procedure whose instructions, but those that log, must be those of the script.

    The second of each pair is what came of the instruction: a result, an exception, or a function to call for it.
    """
    log = []
    rest = list(script)
    send: Callable[[Any], Any] = procedure.send
    result = None
    while True:
        try:
            instruction = send(result)
        except StopIteration as end:
            assert rest == []
            return Played(end.value, log)
        send, result = procedure.send, None
        if isinstance(instruction, Log):
            log.append(instruction.text)
            continue
        assert rest, instruction
        expected, result = rest.pop(0)
        assert instruction == expected
        if isinstance(result, Exception):
            send = procedure.throw
        elif callable(result):
            result = result()


def calls(method: str, read: Any, *to: tuple[Node, tuple[bytes, ...]], late: tuple[Node, ...] = ()) -> Call:
    """Return the instruction to call servers."""
    return Call(method, to, read, frozenset(late))


def answers(*values: tuple[Node, Any]) -> list[Answer]:
    """Return answers; a text is a failure."""
    return [Answer(node, None, value) if isinstance(value, str) else Answer(node, value) for node, value in values]
