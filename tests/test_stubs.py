"""Programs that use the clients pass a strict type checker, and their mistakes do not."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import pytest

from jubatus import SERVICES, stubs
from jubatus.types import (
    BOOL,
    DATUM,
    DOUBLE,
    INT,
    RAW,
    STRING,
    ULONG,
    Message,
    TEnum,
    TList,
    TMap,
    TNullable,
    TObject,
    TTuple,
    TUserDef,
    Type,
)

ROOT = Path(__file__).parent.parent

PROGRAM = """
from typing import assert_type

import numpy

import embedded_jubatus
import jubatus
from jubatus import Classifier, Weight, common, embedded
from jubatus.classifier import client as module
from jubatus.classifier.client import LabeledDatum as SameLabeledDatum
from jubatus.classifier.client import classifier
from jubatus.classifier.types import EstimateResult, LabeledDatum
from jubatus.common import ClientBase, Datum, connect
from jubatus.embedded import Embedded, InvalidConfig
from jubatus.weight.types import Feature
from jubatus import Clasifier  # wrong
from jubatus.embedded import Wait  # wrong

datum = Datum({"text": "a", "int": 1, "float": 1.5, "numpy": numpy.float32(1), "integer": numpy.int64(2)})
datum.add_number("n", numpy.float32(1))
Datum({"list": [1]})  # wrong
Datum({1: "a"})  # wrong
datum.add_string("a", 1)  # wrong
datum.add_number("a", "1")  # wrong
datum.add_text("a", "b")  # wrong

with Classifier("127.0.0.1", 9199, "name", timeout=5) as client:
    assert_type(client, Classifier)
    assert_type(client.train([("spam", datum), LabeledDatum("ham", datum)]), int)
    pairs = [("spam", datum)]
    client.train(pairs)
    client.train(tuple(pairs))
    client.train(data=[SameLabeledDatum("ham", datum)])
    assert_type(client.classify([datum]), list[list[EstimateResult]])
    for estimate in client.classify([datum])[0]:
        assert_type(estimate.label, str)
        assert_type(estimate.score, float)
        estimate.scores  # wrong
    assert_type(client.get_labels(), dict[str, int])
    assert_type(client.get_status(), dict[str, dict[str, str]])
    assert_type(client.save("id"), dict[str, str])
    assert_type(client.get_config(), str)
    assert_type(client.get_name(), str)
    client.clasify([datum])  # wrong
    client.classify(datum)  # wrong
    client.classify()  # wrong
    client.classify([datum], 1)  # wrong
    client.classify(datums=[datum])  # wrong
    client.train([("spam", {"text": "a"})])  # wrong
    client.train([datum])  # wrong
    client.set_label(1)  # wrong
    client.get_status("name")  # wrong
    client.update(datum)  # wrong
    client.nothing  # wrong
    client.close()
    client.get_client().close()
Classifier("127.0.0.1", "9199", "name")  # wrong
Classifier("127.0.0.1", 9199)  # wrong
Classifier("127.0.0.1", numpy.int64(9199), "name", numpy.int32(5))
LabeledDatum("spam")  # wrong
LabeledDatum(1, datum)  # wrong

assert_type(jubatus.Weight("127.0.0.1", 9199, ""), Weight)
assert_type(jubatus.weight.client.Weight("127.0.0.1", 9199, "").calc_weight(datum), list[Feature])
assert_type(module.Classifier("127.0.0.1", 9199, "").clear(), bool)
assert_type(classifier("127.0.0.1", 9199, "").clear(), bool)
assert_type(jubatus.__version__, str)
assert_type(ClientBase("127.0.0.1", 9199, "").get_status(), dict[str, dict[str, str]])
common.ClientBase("127.0.0.1", 9199, "").load(1)  # wrong
ClientBase("127.0.0.1", 9199, "").train([])  # wrong
with connect(Classifier, "127.0.0.1", 9199, "name") as connected:
    assert_type(connected.classify([datum]), list[list[EstimateResult]])

with embedded.Classifier({"method": "PA"}) as model:
    assert_type(model.train([("spam", datum)]), int)
    assert_type(model.classify([datum]), list[list[EstimateResult]])
    assert_type(model.fit(numpy.zeros((1, 1)), numpy.zeros(1, int)).classes_, list[int] | None)
    assert_type(model.get_status(), dict[str, dict[str, str]])
    assert_type(model.save_bytes(), bytes)
    model.clasify([datum])  # wrong
    model.classify(datum)  # wrong
    model.train([("spam", datum)], 1)  # wrong
    model.close()
assert_type(embedded_jubatus.Weight("config.json").update(datum), list[Feature])
embedded.Weight("config.json").train([])  # wrong
embedded.Weight()  # wrong
"""


def lines(text: str) -> set[str]:
    """Return the lines of the program that are said to be wrong."""
    return {line.strip() for line in text.splitlines() if line.endswith("# wrong")}


def test_programs_are_checked(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", ROOT / ".mypy_cache", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    source = PROGRAM.splitlines()
    found = {
        source[int(number) - 1].strip() for number in re.findall(r"^.*program\.py:(\d+): error", done.stdout, re.M)
    }
    assert found == lines(PROGRAM), done.stdout + done.stderr


class Pair(Message):
    """Two fields."""

    one: Annotated[str, STRING]
    two: Annotated[list[float], TList(DOUBLE)]


KINDS: list[tuple[Type, str, str]] = [
    (BOOL, "bool", "bool"),
    (INT, "int | SupportsIndex", "int"),
    (TEnum([1]), "int | SupportsIndex", "int"),
    (DOUBLE, "float | SupportsFloat", "float"),
    (STRING, "str", "str"),
    (RAW, "bytes", "bytes"),
    (DATUM, "Datum", "Datum"),
    (TObject(), "object", "Any"),
    (TNullable(STRING), "str | None", "str | None"),
    (TList(TList(ULONG)), "Sequence[Sequence[int | SupportsIndex]]", "list[list[int]]"),
    (TMap(STRING, TList(RAW)), "dict[str, Sequence[bytes]]", "dict[str, list[bytes]]"),
    (TTuple(ULONG, STRING), "tuple[int | SupportsIndex, str]", "tuple[int, str]"),
    (TTuple(), "tuple[()]", "tuple[()]"),
    (TUserDef(Pair), "Pair | tuple[str, Sequence[float | SupportsFloat]]", "Pair"),
]


@pytest.mark.parametrize(("kind", "given", "returned"), KINDS, ids=lambda value: str(value))
def test_each_type_is_a_type_of_python(kind: Type, given: str, returned: str) -> None:
    assert stubs.annotation(kind, stubs.plain, given=True) == given
    assert stubs.annotation(kind, stubs.plain, given=False) == returned


def test_a_type_that_has_none_is_refused() -> None:
    class Own(Type):
        pass

    with pytest.raises(TypeError, match=r"^no Python type is known for Own$"):
        stubs.annotation(Own(), stubs.plain, given=True)


def test_stubs_are_those_of_the_declarations_and_not_tracked() -> None:
    written = dict(stubs.stubs())
    for path, text in written.items():
        assert (stubs.PACKAGE / path).read_text() == text, "scripts/build writes the stubs"
    command = ["git", "check-ignore", *(f"jubatus/{path}" for path in written)]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert ignored == [f"jubatus/{path}" for path in written]


def test_stubs_and_marks_go_into_packages() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    packed = {path for pattern in patterns for path in stubs.PACKAGE.glob(pattern)}
    assert packed >= {stubs.PACKAGE / path for path, _ in stubs.stubs()} | {stubs.PACKAGE / "py.typed"}
    for package in ("embedded_jubatus", "msgpackrpc"):
        assert (ROOT / package / "py.typed").exists()


def test_stubs_are_true_to_the_classes() -> None:
    modules = ["jubatus.embedded", *(f"jubatus.{name}.client" for name in SERVICES)]
    command = [sys.executable, "-m", "mypy.stubtest", "--ignore-missing-stub", "--ignore-disjoint-bases", *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
