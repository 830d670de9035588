"""Compile the common regular expressions to steps that are run in linear time.

Taken are characters, classes of characters, groups, alternatives, repetitions of what is not empty, and the ends of the
text: no look-around, no options. With references to groups the time is not linear, but counted. What stands for one
character is not read here but given to the library that knows the dialect; only where it ends has to be known. Whatever
is not certain is not taken.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

MAX_STEPS = 256
MAX_SPLITS = 32
MAX_CAPTURES = 32
MAX_DEPTH = 50


class Op(IntEnum):
    """What a step does; the numbers are those of scan.h."""

    BYTE = 0  # a: the byte
    CLASS = 1  # a: the class
    SPAN = 2  # a: the class; all that follow one another, and none is given back
    SPLIT = 3  # a: where to go first, b: where to go if that fails
    JUMP = 4  # a: where to
    SAVE = 5  # a: twice the group, plus 1 at its end
    START = 6
    END = 7
    LAST = 8
    MATCH = 9
    BACK = 10  # a: the group whose text comes again


@dataclass(slots=True)
class Steps:
    """A compiled expression.

    Attributes:
        steps: operation, a, b.
        classes: sources of the classes.
        first: for each byte whether a match may begin with it; None where a match may be empty.
        refers: whether a group is referred to: what comes depends on more than the place.
        live: how many steps can be reached.
    """

    steps: list[tuple[int, int, int]] = field(default_factory=list)
    classes: list[bytes] = field(default_factory=list)
    first: bytes | None = None
    refers: bool = False
    live: int = 0


Accepts = Callable[[bytes], bytes]
"""Returns for each first byte of a character whether a source takes it: 0 no, 1 yes, else perhaps."""


class _NotTakenError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _One:
    """One character; `ascii` says that no other characters than those of ASCII can be it."""

    source: bytes
    ascii: bool = False
    least: int = 1


@dataclass(frozen=True, slots=True)
class _Place:
    op: Op
    least: int = 0


@dataclass(frozen=True, slots=True)
class _Back:
    number: int
    least: int


@dataclass(frozen=True, slots=True)
class _Row:
    nodes: tuple[Any, ...]

    @property
    def least(self) -> int:
        return sum(node.least for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Choice:
    nodes: tuple[Any, ...]

    @property
    def least(self) -> int:
        return min(int(node.least) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Group:
    node: Any
    number: int

    @property
    def least(self) -> int:
        return int(self.node.least)


@dataclass(frozen=True, slots=True)
class _Repeat:
    node: Any
    at_least: int
    at_most: int | None
    lazy: bool
    possessive: bool

    @property
    def least(self) -> int:
        return int(self.node.least) * self.at_least


_PUNCTUATION = b"!\"#%&',-./:;=@_`~ \\|()[]{}^$*+?<>"
_CLASS_LETTERS = b"dDwWsS"
_CONTROL_LETTERS = b"tnrfae"
_PLACES = {b"A": Op.START, b"Z": Op.END, b"z": Op.LAST}


class _Parser:
    def __init__(self, pattern: bytes) -> None:
        pattern.decode()  # anything else the library may take, but not here
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.depth = 0
        self.closed: dict[bytes, int] = {}  # the least length of each group that ended

    def peek(self, n: int = 1) -> bytes:
        return self.pattern[self.at : self.at + n]

    def take(self, n: int = 1) -> bytes:
        taken = self.peek(n)
        if len(taken) < n:
            raise _NotTakenError
        self.at += n
        return taken

    def parse(self) -> Any:
        node = self.choice()
        if self.peek():
            raise _NotTakenError
        return node

    def choice(self) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _NotTakenError
        rows = [self.row()]
        while self.peek() == b"|":
            self.take()
            rows.append(self.row())
        self.depth -= 1
        return rows[0] if len(rows) == 1 else _Choice(tuple(rows))

    def row(self) -> _Row:
        nodes = []
        while self.peek() not in (b"", b"|", b")"):
            nodes.append(self.repeat(self.atom()))
        return _Row(tuple(nodes))

    def atom(self) -> Any:
        byte = self.take()
        if byte == b"(":
            return self.group()
        if byte == b"[":
            return self.bracket()
        if byte == b"\\":
            return self.escape()
        if byte == b".":
            return _One(byte)
        if byte == b"^":
            return _Place(Op.START)
        if byte == b"$":
            return _Place(Op.END)
        if byte in b"*+?{}]":
            raise _NotTakenError
        if byte >= b"\x80":
            while b"\x80" <= self.peek() < b"\xc0":
                byte += self.take()
            return _One(byte)
        return _One(byte, ascii=True)

    def group(self) -> Any:
        number = 0
        if self.peek() == b"?":
            if self.take(2) != b"?:":
                raise _NotTakenError
        elif self.peek() == b"*":
            raise _NotTakenError
        else:
            self.groups += 1
            number = self.groups
            if number > MAX_CAPTURES:
                raise _NotTakenError
        node = self.choice()
        if self.take() != b")":
            raise _NotTakenError
        if 0 < number < 10:
            self.closed[b"%d" % number] = node.least
        return _Group(node, number) if number else node

    def escape(self) -> Any:
        byte = self.take()
        if byte in _PLACES:
            return _Place(_PLACES[byte])
        if byte in self.closed and not self.peek().isdigit():
            return _Back(int(byte), self.closed[byte])
        if byte in _PUNCTUATION or byte in _CONTROL_LETTERS:
            return _One(b"\\" + byte, ascii=True)
        if byte in _CLASS_LETTERS:
            return _One(b"\\" + byte)
        raise _NotTakenError

    def bracket(self) -> _One:
        """Read over a class in brackets: what is in it need not be known, but that it ends where it seems to."""
        start = self.at - 1
        negated = self.peek() == b"^"
        if negated:
            self.take()
        if self.peek() == b"]":
            raise _NotTakenError
        plain = not negated
        while (byte := self.take()) != b"]":
            if byte == b"\\":
                letter = self.take()
                if letter not in _PUNCTUATION + _CONTROL_LETTERS + _CLASS_LETTERS:
                    raise _NotTakenError
                plain = plain and letter not in _CLASS_LETTERS
            elif byte == b"[" or (byte == b"&" and self.peek() == b"&"):
                raise _NotTakenError
            plain = plain and byte < b"\x80"
        return _One(self.pattern[start : self.at], ascii=plain)

    def repeat(self, node: Any) -> Any:
        bounds = self.bounds()
        if bounds is None:
            return node
        least, most = bounds
        counted = self.pattern[self.at - 1 : self.at] == b"}"
        mark = self.take() if self.peek() and self.peek() in b"?+" else b""
        if mark and counted:
            raise _NotTakenError
        if self.peek() and self.peek() in b"*+?{":
            raise _NotTakenError  # a repetition of a repetition
        if node.least == 0 or most == 0:
            raise _NotTakenError
        possessive = mark == b"+"
        if possessive and not (isinstance(node, _One) and most is None):
            raise _NotTakenError
        return _Repeat(node, least, most, mark == b"?", possessive)

    def bounds(self) -> tuple[int, int | None] | None:
        byte = self.peek()
        simple: dict[bytes, tuple[int, int | None]] = {b"*": (0, None), b"+": (1, None), b"?": (0, 1)}
        if byte in simple:
            self.take()
            return simple[byte]
        if byte != b"{":
            return None
        end = self.pattern.find(b"}", self.at)
        inside = self.pattern[self.at + 1 : end] if end > 0 else b""
        low, comma, high = inside.partition(b",")
        if not low.isdigit() or len(low) > 3 or (not (high.isdigit() or (comma and not high)) and comma):
            raise _NotTakenError
        least = int(low)
        most = least if not comma else int(high) if high else None
        if len(high) > 3 or (most is not None and most < least):
            raise _NotTakenError
        self.at = end + 1
        return least, most


class _Compiler:
    def __init__(self, accepts: Accepts) -> None:
        self.accepts = accepts
        self.steps: list[list[int]] = []
        self.classes: list[bytes] = []
        self.ascii: list[bool] = []
        self.refers = False
        self.loops: list[int] = []  # SPLITs of greedy loops over a class

    def add(self, op: Op, a: int = 0, b: int = 0) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise _NotTakenError
        self.steps.append([op, a, b])
        return len(self.steps) - 1

    def emit(self, node: Any) -> None:
        match node:
            case _One(source):
                self.emit_one(source, node.ascii)
            case _Place(op):
                self.add(op)
            case _Back(number):
                self.refers = True
                self.add(Op.BACK, number)
            case _Row(nodes):
                for each in nodes:
                    self.emit(each)
            case _Group(inner, number):
                self.add(Op.SAVE, 2 * number)
                self.emit(inner)
                self.add(Op.SAVE, 2 * number + 1)
            case _Choice(nodes):
                self.emit_choice(nodes)
            case _Repeat():
                self.emit_repeat(node)

    def emit_one(self, source: bytes, is_ascii: bool) -> None:
        if len(source) == 1 and source != b"." and is_ascii:
            self.add(Op.BYTE, source[0])
        else:
            self.add(Op.CLASS, self.number(source, is_ascii))

    def number(self, source: bytes, is_ascii: bool) -> int:
        if source not in self.classes:
            self.classes.append(source)
            self.ascii.append(is_ascii)
        return self.classes.index(source)

    def emit_choice(self, nodes: tuple[Any, ...]) -> None:
        jumps = []
        for node in nodes[:-1]:
            split = self.add(Op.SPLIT, len(self.steps) + 1)
            self.emit(node)
            jumps.append(self.add(Op.JUMP))
            self.steps[split][2] = len(self.steps)
        self.emit(nodes[-1])
        for jump in jumps:
            self.steps[jump][1] = len(self.steps)

    def emit_repeat(self, repeat: _Repeat) -> None:
        for _ in range(repeat.at_least):
            self.emit(repeat.node)
        if repeat.at_most is None and repeat.possessive:
            self.add(Op.SPAN, self.number(repeat.node.source, repeat.node.ascii), len(self.steps) + 1)
            return
        if repeat.at_most is None:
            split = self.add(Op.SPLIT)
            if isinstance(repeat.node, _One):
                self.add(Op.CLASS, self.number(repeat.node.source, repeat.node.ascii))
            else:
                self.emit(repeat.node)
            self.add(Op.JUMP, split)
            splits = [split]
            if isinstance(repeat.node, _One) and not repeat.lazy:
                self.loops.append(split)
        else:
            splits = []
            for _ in range(repeat.at_most - repeat.at_least):
                splits.append(self.add(Op.SPLIT))
                self.emit(repeat.node)
        for split in splits:
            branches = [split + 1, len(self.steps)]
            self.steps[split][1:] = branches[::-1] if repeat.lazy else branches

    def first(self, start: int) -> tuple[set[int], bool, bool]:
        """Return the bytes that may come at a step, whether a match may end there, and whether all that is not sure."""
        found: set[int] = set()
        ends = unknown = False
        for op, a, _ in self.reached(start):
            if op == Op.BYTE:
                found.add(a)
            elif op in (Op.CLASS, Op.SPAN):
                found |= self.bytes_of(a)
            elif op == Op.MATCH:
                ends = True
            elif op in (Op.START, Op.END, Op.LAST, Op.BACK):
                unknown = True
        return found, ends, unknown

    def reached(self, start: int, through: bool = False) -> Iterator[list[int]]:
        """Yield the steps that are reached before a character is taken, or all that are reached."""
        left, seen = [start], set()
        while left:
            at = left.pop()
            if at in seen:
                continue
            seen.add(at)
            op, a, b = step = self.steps[at]
            yield step
            if op == Op.JUMP:
                left.append(a)
            elif op == Op.SPLIT:
                left += (a, b)
            elif op == Op.SPAN:
                left.append(b)
            elif op in (Op.SAVE, Op.START, Op.END, Op.LAST) or (through and op != Op.MATCH):
                left.append(at + 1)

    def bytes_of(self, number: int) -> set[int]:
        answers = self.accepts(self.classes[number])
        limit = 128 if self.ascii[number] else 256
        return {byte for byte in range(limit) if answers[byte]}

    def keep_spans(self) -> None:
        """Turn the loops that never give anything back into spans.

        That is so where nothing that may come behind a loop begins with what is in it, or where the match is over
        behind it in any case.
        """
        for split in self.loops:
            _, a, b = self.steps[split]
            number = self.steps[a][1]
            found, ends, unknown = self.first(b)
            if not unknown and (ends or not found & self.bytes_of(number)):
                self.steps[split] = [Op.SPAN, number, b]

    def compile(self, node: Any) -> Steps:
        self.emit(node)
        self.add(Op.MATCH)
        self.keep_spans()
        if sum(op == Op.SPLIT for op, _, _ in self.steps) > MAX_SPLITS:
            raise _NotTakenError
        found, ends, unknown = self.first(0)
        first = None if ends or unknown else bytes(byte in found for byte in range(256))
        live = sum(1 for _ in self.reached(0, through=True))
        return Steps([(op, a, b) for op, a, b in self.steps], self.classes, first, self.refers, live)


def compile_pattern(pattern: bytes, accepts: Accepts) -> Steps | None:
    """Compile an expression that the library takes; return None if it is not one of the common ones."""
    try:
        return _Compiler(accepts).compile(_Parser(pattern).parse())
    except (_NotTakenError, UnicodeDecodeError):
        return None
