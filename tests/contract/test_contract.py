"""Every declared row answers right and wrong arguments as its declaration says, whoever is asked.

The calls are made from the declarations: right values at their limits, wrong ones in every place, too few and too many.
Each is answered with a result of the declared type, with error 2 for arguments of another type, or with a text; a
server alone, a keeper and the class in process agree. Nothing hangs, nothing is cut off, nothing unexpected is logged.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jubatus.idl import Host, Method, Route, services
from jubatus.methods import COMMON, LINEAR_MIX, PUSH_MIX
from tests.conftest import Peer
from tests.contract.programs import BAD_CAST, NEVER, Outcome, Programs, ask, clustered, programs, short
from tests.contract.values import Fit, arguments
from tests.core.calls import exact
from tests.services import CASES, every_service
from tests.zookeeper import ZooKeeper

FIRST = {name: next(case for case in CASES if case.service.name == name) for name in services()}


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, zookeeper: ZooKeeper, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programs]:
    """Run all programs of a service."""
    with programs(FIRST[request.param], zookeeper.hosts, tmp_path_factory.mktemp("contract")) as made:
        yield made


every_program = pytest.mark.parametrize("running", services(), indirect=True)


def wrong(method: Method, outcome: Outcome, fit: Fit) -> str | None:
    """Say what is wrong with an outcome, else None."""
    error, result = outcome
    if fit is Fit.WRONG:
        return None if outcome == BAD_CAST else "error 2 is expected"
    if error is None:
        try:
            method.returns.from_msgpack(result)
        except UnicodeDecodeError:
            return None if fit is Fit.OPEN else "the text is no UTF-8"
        except (TypeError, ValueError) as other:
            return f"the result is not of the declared type: {other}"
        return None
    if isinstance(error, bytes) and error and result is None:
        return None
    return None if fit is Fit.OPEN and outcome == BAD_CAST else "a result or a text is expected"


class Walk:
    """Calls rows and notes what is wrong.

    Attributes:
        answered: rows that gave a result.
        refused: rows that refused arguments of another type.
        faults: what was wrong, with the call that shows it.
    """

    def __init__(self) -> None:
        self.answered: set[str] = set()
        self.refused: set[str] = set()
        self.faults: list[str] = []

    def note(self, who: str, method: Method, args: list[Any], outcome: Outcome | None, fault: str | None) -> None:
        """Note an outcome, and the fault that it has."""
        if fault is not None:
            self.faults.append(f"{who} {method.name}({short(args)}) -> {short(outcome)}: {fault}")
        if outcome is not None and outcome[0] is None:
            self.answered.add(method.name)
        elif outcome == BAD_CAST:
            self.refused.add(method.name)

    def finish(self, rows: Sequence[Method]) -> None:
        """Fail if anything was wrong, or if a row was not reached."""
        assert not self.faults, f"{len(self.faults)} faults:\n" + "\n".join(self.faults[:40])
        assert self.answered == {row.name for row in rows}
        assert self.refused == {row.name for row in rows if row.args}


def told(error: Any) -> Any:
    """Return how a keeper passes on a server's error."""
    return b'rpc_server error: "' + error + b'"' if isinstance(error, bytes) else error


@every_program
def test_own_rows(running: Programs) -> None:
    """They answer alike: server, keeper with two servers of the same state, and the class in process."""
    case, walk = running.case, Walk()
    rows = case.service.methods

    def settled(row: Method, outcome: Outcome) -> Any:
        return exact(outcome[1] if outcome[0] is not None else case.facts.settle(row.name, outcome[1]))

    changed = True
    for row in rows:
        for args, fit in arguments(row, case.facts.values):
            if changed:
                running.reset()
            changed = bool(row.changes) and fit is not Fit.WRONG
            outcome = ask(running.alone, row, args)
            walk.note("server", row, args, outcome, wrong(row, outcome, fit))
            relayed = running.through_keeper(row, args)
            if row.route is Route.INTERNAL:
                agrees = relayed == (1, row.name.encode())
            elif row.name == case.facts.mix_alone:
                agrees = isinstance(relayed[0], bytes)
            else:
                agrees = relayed[0] == told(outcome[0]) and settled(row, relayed) == settled(row, outcome)
            walk.note("keeper", row, args, relayed, None if agrees else f"the server says {short(outcome)}")
            own = running.embedded.call(row, args)
            if fit is Fit.RIGHT and case.facts.apart(row.name, args):
                agrees = own is None or (own == outcome and own[0] is not None)
            elif own is None:
                agrees = fit is not Fit.RIGHT or len(args) != len(row.args)
            else:
                agrees = own[0] == outcome[0] and settled(row, own) == settled(row, outcome)
            walk.note("class", row, args, own, None if agrees else f"the server says {short(outcome)}")
    walk.finish(rows)


@every_program
def test_common_rows(running: Programs) -> None:
    """Server and keeper give a result, refuse the types, or say why not, for the same calls."""
    walk = Walk()
    rows = [row for row in COMMON if row.host is Host.SERVER]

    def kind(error: Any) -> Any:
        return type(error) if isinstance(error, bytes) else error

    for row in rows:
        for args, fit in arguments(row, {}):
            outcome = ask(running.alone, row, args)
            walk.note("server", row, args, outcome, wrong(row, outcome, fit))
            relayed = running.through_keeper(row, args)
            fault = wrong(row, relayed, fit)
            if fault is None and kind(relayed[0]) != kind(outcome[0]):
                fault = f"the server says {short(outcome)}"
            walk.note("keeper", row, args, relayed, fault)
    walk.finish(rows)


@every_program
def test_rows_that_others_answer_are_unknown(running: Programs) -> None:
    declared = [*running.case.service.all_methods, *LINEAR_MIX, *PUSH_MIX]
    own = {row.name for row in running.case.service.methods}
    for row in declared:
        unknown = (1, row.name.encode())
        args, _ = next(arguments(row, running.case.facts.values))
        if row.host is not Host.SERVER and row.name not in own:
            assert running.alone.call(row.name, *args) == unknown
        if row.route is Route.INTERNAL and row.host is not Host.KEEPER and row.name not in own:
            assert running.keeper.call(row.name, *args, name=running.cluster) == unknown


@every_program
def test_rows_of_keepers(running: Programs) -> None:
    walk = Walk()
    rows = [row for row in running.case.service.all_methods if row.host is Host.KEEPER]
    for row in rows:
        for args, fit in arguments(row, {}):
            outcome = running.through_keeper(row, args)
            walk.note("keeper", row, args, outcome, wrong(row, outcome, fit))
    walk.finish(rows)


def mixer_rows(peer: Peer, rows: Sequence[Method], good: dict[str, Callable[[], Any]]) -> None:
    """Call the rows of a mixer; what one of them takes comes from another one."""
    walk = Walk()
    for row in rows:
        values = {row.args[0].name: [good[row.name]()]} if row.name in good else {}
        for args, fit in arguments(row, values):
            outcome = ask(peer, row, args)
            walk.note("server", row, args, outcome, wrong(row, outcome, fit))
    walk.finish(rows)


@every_program
def test_rows_of_the_linear_mixer(running: Programs) -> None:
    running.reset()
    peer = running.servers[0]
    rows = [row for row in running.case.service.all_methods if row.host is Host.CLUSTER]
    mixer_rows(peer, [*rows, *LINEAR_MIX], {"put_diff": lambda: peer.plain("get_diff", 0)})


@every_service
def test_rows_of_a_mixer_that_pushes(name: str, zookeeper: ZooKeeper, tmp_path: Path) -> None:
    with clustered(zookeeper.hosts, FIRST[name], tmp_path / "cluster") as made:
        with made.server("-x", "random_mixer", *NEVER).peer() as peer:
            mixer_rows(peer, PUSH_MIX, {
                "pull": lambda: peer.plain("get_pull_argument", 0),
                "push": lambda: peer.plain("pull", peer.plain("get_pull_argument", 0)),
            })  # fmt: skip
