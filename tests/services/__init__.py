"""What the tests of one service need to know about it.

``tests/services/<name>.py`` says it, as ``FACTS``. The shared batteries read it and name no service: the laws of models
and of MIX (tests/core/test_model.py), the twins (tests/services/test_twins.py), the recordings (tests/golden), random
bytes (tests/fuzz) and the contract of every declared row (tests/contract). A declared service without such a module
fails all of them.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st

from jubatus.idl import Method, Service, services
from tests.core.calls import exact

Config = dict[str, Any]
KINDS = ("calls", "models", "cluster", "diff")
"""Kinds of recordings: calls to one server, loaded model files, two servers that mix, and diffs as they travel."""


def _always(config: Config) -> bool:
    return True


def _everywhere(config: Config, row: str) -> bool:
    return True


def _nowhere(row: str, args: list[Any]) -> bool:
    return False


def _as_it_is(value: Any) -> Any:
    return value


def _whole_reply(row: str, reply: Any) -> Any:
    return reply


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about a service; the defaults are those of a service whose servers are equal after a MIX.

    Args:
        configs: good configurations that together use every method of learning; the contract is tested with the first.
        twin: the slow model, made of a configuration and whether it is distributed.
        any_config: random configurations for model and twin.
        recordings: the kinds of recordings that there are.
        recorded_order: whether replies come in the order of the recording even where that leaves the order open.
        values: by the name of an argument, or by ``row.argument``, what it is chosen from, where values of its type would seldom fit.
        teaching: calls that teach a model something, so that the replies of all rows depend on it.
        forgetful: rows that forget a part of what was learned; they are left out where sums are compared.
        item_by_item: rows that keep what came before an item that is refused; all others do all or nothing.
        settle: of row and reply, what is the same whichever server answers; for chance, what is not chance.
        told: of the error of a call, what is not chance.
        certain: of row and reply, what of the twin's reply is sure to be the model's.
        diff: brings an unpacked diff into a form without order.
        stored: brings an unpacked model into a form without order and without times.
        nobody: turns the unpacked diff of a model that learned nothing into that of no server at all.
        unsaved: keys of the status that tell of the past, which no model file holds.
        repeatable: of a configuration, whether the same calls make the same bytes of a model.
        whole: of a configuration, whether a packed model has all that decides how it goes on.
        alike: of a configuration and a row, whether the row answers alike on all servers after a MIX.
        emptied: whether a MIX takes what was learned out of the diff.
        versioned: whether a mixed diff of another version is refused.
        mix_alone: the row that does on a server alone what a MIX does in a cluster, and is refused there.
        apart: of a row and right arguments, whether the class in process does otherwise than a server, as in 1.1.
        placed: keys whose servers a recorded cluster depends on.
        order_free: of a configuration, whether diffs may be mixed in any order and any grouping.
        adds_up: whether a mixed diff is the diff of one server that learned everything.
    """

    configs: tuple[Config, ...]
    twin: Callable[[Config, bool], Any]
    any_config: st.SearchStrategy[Config]
    recordings: frozenset[str] = frozenset(KINDS)
    recorded_order: bool = False
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    teaching: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    forgetful: frozenset[str] = frozenset()
    item_by_item: frozenset[str] = frozenset()
    settle: Callable[[str, Any], Any] = _whole_reply
    told: Callable[[Any], Any] = _as_it_is
    certain: Callable[[str, Any], Any] = _whole_reply
    diff: Callable[[Any], Any] = exact
    stored: Callable[[Any], Any] = exact
    nobody: Callable[[Any], Any] = _as_it_is
    unsaved: frozenset[str] = frozenset()
    repeatable: Callable[[Config], bool] = _always
    whole: Callable[[Config], bool] = _always
    alike: Callable[[Config, str], bool] = _everywhere
    emptied: bool = True
    versioned: bool = True
    mix_alone: str = ""
    apart: Callable[[str, list[Any]], bool] = _nowhere
    placed: tuple[str, ...] = ()
    order_free: Callable[[Config], bool] = _always
    adds_up: bool = False


@dataclass(frozen=True)
class Case:
    """A service with one of its configurations."""

    service: Service
    facts: Facts
    config: Config
    name: str

    def model(self, distributed: bool = False) -> Any:
        """Return a model that has learned nothing."""
        return self.service.model_class(self.config, distributed=distributed)

    def alike_everywhere(self) -> bool:
        """Return whether all rows answer alike on all servers after a MIX."""
        return all(self.facts.alike(self.config, row.name) for row in self.service.methods)

    def rows(self, *, forget: bool = True) -> list[Method]:
        """Return the own rows that are no `clear`, without the forgetful ones if told so."""
        rows = [row for row in self.service.methods if row.name != "clear"]
        return [row for row in rows if forget or row.name not in self.facts.forgetful]


def facts_of(name: str) -> Facts:
    """Return the facts about a declared service; fail if there is no module of its name."""
    module = f"{__name__}.{name}"
    if importlib.util.find_spec(module) is None:
        pytest.fail(
            f"{module.replace('.', '/')}.py is missing: it says how the declared service {name} is tested",
            pytrace=False,
        )
    found: Facts = importlib.import_module(module).FACTS
    return found


CASES = [
    Case(service, facts_of(name), config, f"{name}-{number}" + (f"-{config['method']}" if "method" in config else ""))
    for name, service in services().items()
    for number, config in enumerate(facts_of(name).configs)
]


def every_case(holds: Callable[[Case], bool] = lambda case: True) -> pytest.MarkDecorator:
    """Run a test for each configuration of each service for which something holds."""
    return pytest.mark.parametrize("case", [case for case in CASES if holds(case)], ids=lambda case: case.name)


every_service = pytest.mark.parametrize("name", services())
