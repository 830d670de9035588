"""The linear mixer: a master collects the diffs of all servers, mixes them, and gives the result to all.

Who holds the master's lock is the master, for one round. A server whose model is behind the others' is obsolete: it
fetches a full model, and its own next round shows whether it is up to date.
"""

from logging import ERROR, INFO, WARNING

from jubatus.cluster.paths import Node
from jubatus.errors import ClusterError, JubatusError
from jubatus.mixer import payload
from jubatus.mixer.state import (
    MODEL_VERSION,
    Activate,
    Answer,
    Call,
    CatchUp,
    Deactivate,
    Draw,
    EndProcess,
    HoldsLock,
    ListActives,
    ListMembers,
    Log,
    Merge,
    Now,
    Pause,
    Procedure,
    Round,
    State,
    TakeLock,
    Versions,
    name,
    names,
)

GET_DIFF = "get_diff"
PUT_DIFF = "put_diff"
GET_MODEL = "get_model"

PAUSE = 0.05
"""Seconds between two tries to get the lock for a round that is wanted now."""

SETTLE = 0.1
"""Seconds that keepers get to learn that a server leaves, and calls under way to arrive."""


def step(state: State, me: Node, draw: Draw) -> Procedure[None]:
    """Do what is due: recover if the model is obsolete, or else be the master of a round."""
    if state.obsolete:
        if not (yield TakeLock()):
            yield Log(INFO, "failed to get ZooKeeper lock, waiting")
        elif state.obsolete:  # a diff that was put meanwhile may have brought the model up to date
            yield Log(INFO, "start to get model from other server")
            if (yield from recover(state, me, draw)) and state.running:
                yield from mix(state)
    elif (yield from _due(state)) and (yield TakeLock()) and (yield from _due(state)):
        # The master that held the lock before may have just mixed.
        yield Log(INFO, "got ZooKeeper lock, starting mix")
        if (yield from mix(state)):
            versions = ", ".join(ordinal(version) for version in (yield Versions()))
            yield Log(INFO, f".... mix done. versions[{versions}]")


def _due(state: State) -> Procedure[bool]:
    return state.count > 0 and state.due((yield Now()))


def forced(state: State, until: float) -> Procedure[bool]:
    """Be the master of a round that a client wants; wait for the lock until a time. Return whether it succeeded."""
    yield Log(INFO, "forced to mix by user RPC")
    while not (yield TakeLock()):
        if not state.running or (yield Now()) >= until:
            yield Log(WARNING, "failed to get ZooKeeper lock in time, not mixed")
            return False
        yield Pause(PAUSE)
    return (yield from mix(state))


def last(state: State, me: Node, until: float) -> Procedure[None]:
    """Prepare to leave the cluster: stop calls of keepers, and mix what was learned since the last MIX.

    Args:
        state: of this server; with both intervals 0 nothing is mixed unless a client wants it.
        me: this server.
        until: when to begin nothing more.
    """
    yield Deactivate()
    if state.obsolete or not state.count or not (state.interval_sec or state.interval_count):
        return
    if all(node == me for node in (yield ListMembers())):
        return
    yield Log(INFO, "mixing for the last time")
    yield Pause(SETTLE)
    while state.count:  # calls of a keeper that learned late may come during a round
        while not (yield TakeLock()):
            if (yield Now()) >= until:
                yield Log(WARNING, f"failed to get ZooKeeper lock in time, {state.count} updates are not mixed")
                return
            yield Pause(PAUSE)
        if not (yield from mix(state)) or (yield Now()) >= until:
            return


def mix(state: State) -> Procedure[bool]:
    """Be the master of a round; the lock is held. Return whether a mixed diff was given to a server at least."""
    members: list[Node] = yield ListMembers()
    if not members:
        yield Log(WARNING, "no server exists, assuming myself as up-to-date and becoming active node")
        yield Activate()
        return False
    try:
        return (yield from _mix(state, members))
    except ClusterError:
        raise
    except JubatusError as error:
        yield Log(WARNING, f"error in mix master process: {error}")
        return False


def _mix(state: State, members: list[Node]) -> Procedure[bool]:
    start: float = yield Now()
    state.begin(start)
    # A server of an older version can tell by ours that its diff is going to be left out; 1.1 takes any number.
    version = max((yield Versions()), default=0)
    # The number of the lock shows who the master is, and which diffs belong to its round.
    round: int = yield Round()
    asked = payload.numbers(version, round)
    answers: list[Answer] = yield Call(GET_DIFF, tuple((node, asked) for node in members), payload.read_any_raw)
    yield from _warn(GET_DIFF, answers)
    diffs = {answer.node: answer.value for answer in answers if answer.value is not None}
    # One timeout for a server that does not answer is enough. It gets the mixed diff all the same.
    late = frozenset(answer.node for answer in answers if answer.failure == payload.TIMED_OUT)
    del answers
    if not diffs:
        yield Log(WARNING, "mix fails (all get_diffs fail)")
        return False
    yield Log(INFO, f"success to get_diff from {names(tuple(diffs))}")
    got = set(diffs)
    mixed: bytes = yield Merge(tuple(diffs.values()))
    diffs.clear()  # they may be large
    if not (yield HoldsLock()):
        yield Log(WARNING, "the ZooKeeper lock was lost during the mix, nothing is put")
        return False
    with_own, without = payload.mixed(mixed, True, round), payload.mixed(mixed, False, round)
    to = tuple((node, with_own if node in got else without) for node in members)
    answers = yield Call(PUT_DIFF, to, payload.read_nothing, late)
    yield from _warn(PUT_DIFF, answers)
    put = [answer.node for answer in answers if not answer.failure]
    yield Log(INFO, f"success to put_diff to {names(put)}")
    seconds = (yield Now()) - start
    served = f"mixed with {len(members)} servers in {seconds:g} secs"
    yield Log(INFO, f"{served}, {len(mixed)} bytes (serialized data) has been put.")
    return bool(put)


def _warn(method: str, answers: list[Answer]) -> Procedure[None]:
    for answer in answers:
        if answer.failure:
            yield Log(WARNING, f"{method} failed at {name(answer.node)} : {answer.failure}")


def recover(state: State, me: Node, draw: Draw) -> Procedure[bool]:
    """Fetch a full model; return whether a round should follow.

    The next try goes to another server if this one fails.
    """
    others = [node for node in (yield ListMembers()) if node != me]
    if not others:
        yield from _alone(state)
        return True
    active = [node for node in (yield ListActives()) if node in others]
    peer = source(active or others, state.failed, draw)
    answers: list[Answer] = yield Call(GET_MODEL, ((peer, payload.ANY),), payload.read_model)
    failure = answers[0].failure
    if failure:
        state.failed.add(peer)
        yield Log(WARNING, f"get_model failed ({failure}): {name(peer)}")
        return False
    version, model = answers[0].value
    if version != MODEL_VERSION:
        found = f"expected {MODEL_VERSION}, got {version}"
        yield Log(ERROR, f"MIX protocol version mismatch detected, going down; {found}")
        state.running = False
        yield EndProcess()
        return False
    if not model:
        yield from _alone(state)
        return True
    state.failed.add(peer)
    yield CatchUp(model)
    state.failed.clear()
    return True


def _alone(state: State) -> Procedure[None]:
    yield Log(INFO, "no other server available, I become active")
    state.obsolete = False
    yield Activate()


def source(candidates: list[Node], failed: set[Node], draw: Draw) -> Node:
    """Choose the server to fetch the model from: one that was not asked in vain, as long as there is one."""
    fresh = [node for node in candidates if node not in failed]
    if not fresh:
        failed.clear()
        fresh = candidates
    return fresh[draw(len(fresh))]


def put_done(state: State, fits: bool, got: bool, loose: bool = False) -> Procedure[None]:
    """Note that a mixed diff was applied to the own model; become active or inactive where that changes.

    Args:
        state: of this server.
        fits: whether the diff was of the model's version.
        got: whether the own diff was in it.
        loose: whether that was handed out to somebody who was no master.
    """
    obsolete = state.obsolete
    state.put(fits, got, (yield Now()), loose)
    text = {
        (True, True): "I got latest model. So I become active.",
        (True, False): "my model is still up to date.",
        (False, False): "I'm obsolete. I become inactive.",
        (False, True): "my model is still obsolete.",
    }[fits, obsolete]
    versions = ", ".join(map(str, (yield Versions())))
    yield Log(INFO, f"put_diff finished. {text} versions[{versions}]")
    if fits and obsolete:
        yield Activate()
    elif not fits and not obsolete:
        yield Deactivate()


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``11th`` and so on."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
