"""Every declared service says how it is tested, and nobody else."""

from pathlib import Path
from typing import Any

import pytest

from jubatus import idl
from tests.services import KINDS, every_service, facts_of


def test_a_service_without_a_module_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"tests/services/nosuch\.py is missing"):
        facts_of("nosuch")


def test_each_module_is_of_a_declared_service() -> None:
    modules = {path.stem for path in Path(__file__).parent.glob("*.py")} - {"__init__"}
    assert {name for name in modules if not name.startswith("test_")} == set(idl.services())


@every_service
def test_what_is_said_names_what_there_is(name: str) -> None:
    facts, rows = facts_of(name), idl.service(name).methods
    names: set[Any] = {row.name for row in rows}
    assert facts.configs
    assert facts.teaching
    assert facts.recordings <= set(KINDS)
    assert {row for row, _ in facts.teaching} | facts.forgetful | facts.item_by_item <= names
    arguments = {(row.name, argument.name) for row in rows for argument in row.args}
    assert facts.values.keys() <= {name for row, argument in arguments for name in (argument, f"{row}.{argument}")}
