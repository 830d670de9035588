"""The push mixers: each server exchanges rows with some others, by itself and without a master.

The mixers differ in whom a server chooses.
"""

from collections.abc import Callable, Sequence
from logging import INFO, WARNING
from typing import TypeAlias

from jubatus.cluster.paths import Node
from jubatus.mixer import payload
from jubatus.mixer.state import (
    Activate,
    Answer,
    Call,
    Draw,
    ListMembers,
    Log,
    Now,
    Pieces,
    Procedure,
    State,
    name,
)

GET_PULL_ARGUMENT = "get_pull_argument"
PULL = "pull"
PUSH = "push"

Choose: TypeAlias = Callable[[Sequence[Node], Node, Draw], Sequence[Node]]
"""Returns the servers to exchange with, of all members and the own node."""


def one_at_random(members: Sequence[Node], me: Node, draw: Draw) -> Sequence[Node]:
    """Choose one of the others."""
    others = [node for node in members if node != me]
    return [others[draw(len(others))]] if others else []


def all_others(members: Sequence[Node], me: Node, _draw: Draw) -> Sequence[Node]:
    """Choose all others."""
    return [node for node in members if node != me]


def by_strides(members: Sequence[Node], me: Node, _draw: Draw) -> Sequence[Node]:
    """Choose the server that is half the ring away, then a quarter of it, and so on."""
    count = len(members)
    place = members.index(me) if me in members else count
    chosen = []
    stride = count // 2
    while stride:
        chosen.append(members[(place + stride) % count])
        stride //= 2
    return chosen


CHOICES: dict[str, Choose] = {
    "random_mixer": one_at_random,
    "broadcast_mixer": all_others,
    "skip_mixer": by_strides,
}


def step(state: State, me: Node, choose: Choose, draw: Draw) -> Procedure[None]:
    """Exchange if it is due, or if the server has not become active yet."""
    if state.obsolete or state.due((yield Now())):
        yield from exchange(state, me, choose, draw)


def forced(state: State, me: Node, choose: Choose, draw: Draw) -> Procedure[bool]:
    """Exchange because a client wants it; return whether it succeeded."""
    yield Log(INFO, "forced to mix by user RPC")
    return (yield from exchange(state, me, choose, draw))


def exchange(state: State, me: Node, choose: Choose, draw: Draw) -> Procedure[bool]:
    """Exchange rows with the servers that are chosen; return whether it succeeded with one at least, or is alone."""
    members: list[Node] = yield ListMembers()
    start: float = yield Now()
    state.forget(start)
    if all(node == me for node in members):
        if state.obsolete:
            yield Log(INFO, "no server exists, skipping mix")
            yield from _activate(state)
        return True
    chosen = choose(members, me, draw)
    if not chosen:
        yield Log(WARNING, "no mix peer selected in mix strategy")
    pulled = pushed = 0
    mixed = False
    for peer in chosen:
        sizes = yield from _exchange(me, peer)
        if sizes is not None:
            mixed = True
            pulled += sizes[0]
            pushed += sizes[1]
    if state.obsolete:
        yield from _activate(state)
    seconds = (yield Now()) - start
    yield Log(INFO, f"{seconds:g} time elapsed {pulled} pulled  {pushed} pushed")
    return mixed


def _activate(state: State) -> Procedure[None]:
    state.obsolete = False
    yield Activate()


def _exchange(me: Node, peer: Node) -> Procedure[tuple[int, int] | None]:
    """Exchange rows with one server; return how many bytes came and went, or None after a failure."""
    mine = yield from _raw(GET_PULL_ARGUMENT, me, payload.ANY)
    if mine is None:
        return None
    theirs = yield from _raw(PULL, peer, payload.raw(mine))
    if theirs is None:
        return None
    wanted = yield from _raw(GET_PULL_ARGUMENT, peer, payload.ANY)
    if wanted is None:
        return None
    given = yield from _raw(PULL, me, payload.raw(wanted))
    if given is None:
        return None
    for node, rows in ((peer, given), (me, theirs)):
        answer = yield from _call(PUSH, node, payload.raw(rows), payload.read_nothing)
        if answer.failure:
            return None
    return len(theirs), len(given)


def _raw(method: str, node: Node, params: Pieces) -> Procedure[bytes | None]:
    answer = yield from _call(method, node, params, payload.read_raw)
    return answer.value  # type: ignore[no-any-return]


def _call(method: str, node: Node, params: Pieces, read: Callable[..., object]) -> Procedure[Answer]:
    answers: list[Answer] = yield Call(method, ((node, params),), read)
    if answers[0].failure:
        yield Log(WARNING, f"{method} failed at {name(node)} : {answers[0].failure}")
    return answers[0]
