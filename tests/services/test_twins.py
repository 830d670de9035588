"""Any sequence of calls and MIXes leaves a model and its slow twin with the same replies, contents and diffs, bit for bit."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubatus import idl
from jubatus._core.wire import pack, unpack
from jubatus.errors import ModelError
from jubatus.idl import Lock
from tests.core.calls import call, exact, give, mix_of_slow
from tests.core.strategies import calls
from tests.reference import Refusal
from tests.reference.text import OutOfRange
from tests.services import Case, every_service, facts_of


class Pair:
    """A model and its slow twin.

    Args:
        case: of what kind.
        distributed: whether they are of a cluster.
    """

    def __init__(self, case: Case, distributed: bool) -> None:
        self._case = case
        self.fast = case.model(distributed)
        self.slow = case.facts.twin(case.config, distributed)

    def call(self, row: str, args: list[Any]) -> None:
        """Call both; they give the same reply or refuse with the same text, and then all is as it was or as one says."""
        before = self.fast.pack()
        try:
            want = getattr(self.slow, row)(*(unpack(pack(value)) for value in args))
        except Refusal as error:
            with pytest.raises(ModelError) as refused:
                call(self.fast, row, *args)
            assert str(refused.value).startswith(str(error)) or isinstance(error, OutOfRange)
            assert self.fast.pack() == before or row in self._case.facts.item_by_item
        else:
            certain = self._case.facts.certain
            assert exact(certain(row, call(self.fast, row, *args))) == exact(certain(row, want))

    def load(self) -> None:
        """Become what was packed."""
        self.fast.unpack(self.fast.pack())
        self.slow.unpack(self.slow.pack())

    def compare(self) -> None:
        """Compare what they consist of."""
        assert self._case.facts.stored(unpack(self.fast.pack())) == self._case.facts.stored(self.slow.pack())
        assert self.fast.status() == self.slow.status()


class Pairs:
    """Servers of a cluster; the first two may catch up with each other.

    Args:
        case: of what kind.
        count: how many.
    """

    def __init__(self, case: Case, count: int) -> None:
        self._case = case
        self.pairs = [Pair(case, True) for _ in range(count)]
        self._mixed: tuple[bytes, Any] | None = None
        self._since: list[tuple[Any, Any]] = [(None, None)] * count

    def do(self, step: str) -> None:
        """Do a step of a MIX: give what is learned, put what was given and mixed, or become another server's model."""
        {"give": self._give, "put": self._put, "catch up": self._catch_up}[step]()

    def _give(self) -> None:
        form = self._case.facts.diff
        given = [give(pair.fast) for pair in self.pairs]
        for (packed, _), pair in zip(given, self.pairs, strict=True):
            assert form(unpack(packed)) == form(pair.slow.get_diff())
        mixed = self.pairs[0].fast.mix([packed for packed, _ in given])
        want = mix_of_slow([pair.slow for pair in self.pairs])
        assert form(unpack(mixed)) == form(want)
        self._mixed = mixed, want
        self._since = [(snapshot, pair.slow.given()) for (_, snapshot), pair in zip(given, self.pairs, strict=True)]

    def _put(self) -> None:
        if self._mixed is None:
            self._give()
        assert self._mixed is not None
        mixed, want = self._mixed
        for pair, (since, slow_since) in zip(self.pairs, self._since, strict=True):
            assert pair.fast.put_diff(mixed, since) is pair.slow.put_diff(want, slow_since)

    def _catch_up(self) -> None:
        """What a server's own unlearner does meanwhile is not the same as on the other one: there it is left out."""
        if not self._case.alike_everywhere():
            return
        (pair, peer), (since, slow_since) = self.pairs[:2], self._since[0]
        fresh, slow_fresh = self._case.model(True), self._case.facts.twin(self._case.config, True)
        fresh.unpack(peer.fast.pack())
        slow_fresh.unpack(peer.slow.pack())
        pair.fast.catch_up(fresh, since)
        pair.slow.catch_up(slow_fresh, slow_since)


def ask(case: Case, pairs: list[Pair], questions: list[tuple[str, list[Any]]]) -> None:
    """Ask all pairs the same."""
    for pair in pairs:
        for question in questions:
            pair.call(*question)


@cache
def plays(name: str, mixing: bool) -> st.SearchStrategy[tuple[Case, list[Any], list[Any]]]:
    """Make a case, steps of servers, each by number, and questions for the end."""
    service, facts = idl.service(name), facts_of(name)
    rows = [row for row in service.methods if row.name != "clear"]
    reads = [row for row in rows if row.lock is Lock.ANALYSIS]
    often = st.tuples(st.integers(0, 2), calls(rows, facts.values))
    names = ["clear", "load", *(["give", "put", "put", "give", "put", "put", "catch up"] if mixing else [])]
    seldom = st.tuples(st.integers(0, 2), st.tuples(st.sampled_from(names), st.just([])))
    return st.tuples(
        facts.any_config.map(lambda config: Case(service, facts, config, name)),
        st.lists(often | often | often | seldom, max_size=24 if mixing else 18),
        st.lists(calls(reads, facts.values), max_size=3),
    )


@every_service
@settings(max_examples=200)
@given(data=st.data())
def test_a_server_alone(name: str, data: st.DataObject) -> None:
    case, steps, questions = data.draw(plays(name, False))
    pair = Pair(case, False)
    for _, (step, args) in steps:
        if step == "load":
            pair.load()
        else:
            pair.call(step, args)
        pair.compare()
    ask(case, [pair], questions)


@every_service
@settings(max_examples=300)
@given(data=st.data())
def test_servers_that_mix(name: str, data: st.DataObject) -> None:
    case, steps, questions = data.draw(plays(name, True))
    servers = Pairs(case, 3)
    for number, (step, args) in steps:
        changed = servers.pairs[number : number + 1]
        if step == "load":
            changed[0].load()
        elif step in ("give", "put", "catch up"):
            servers.do(step)
            changed = servers.pairs
        else:
            changed[0].call(step, args)
        for pair in changed:
            pair.compare()
    ask(case, servers.pairs, questions)
