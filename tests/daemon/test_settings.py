import subprocess
import sys
from dataclasses import dataclass, field, fields

import pytest

from jubatus.daemon.settings import Daemon, Kind, Option, lines, options, own, setting, status
from jubatus.keeper.settings import Settings as Keeper
from jubatus.server.settings import Settings as Server
from jubatus.visor.settings import Settings as Visor

LIMIT = Option("wait_limit", "w", Kind.INT, "a limit", 5, status="limit", line=2, zero="disabled")


@dataclass(frozen=True)
class Inner:
    limit: int = setting(LIMIT)


@dataclass(frozen=True)
class Outer:
    program: str
    place: str = setting(Option("path", "p", Kind.STRING, "a path", "/", status="path", line=3, label="place"))
    inner: Inner | None = field(default=None, metadata={"group": Inner})
    quiet: bool = setting(Option("quiet", "q", Kind.FLAG, "say less", False))
    count: int = setting(LIMIT, short="n", default=7, status="", line=1, label="first")


def test_a_field_is_the_option_of_a_program() -> None:
    assert [(option.short, option.default) for option in options(Outer)] == [
        ("p", "/"),
        ("w", 5),
        ("q", False),
        ("n", 7),
    ]
    assert list(own(Outer)) == ["place", "quiet", "count"]
    assert Outer("x") == Outer("x", "/", None, False, 7)
    assert LIMIT.short == "w"


def test_what_is_told() -> None:
    assert status(Outer("x")) == {"path": "/"}
    assert status(Outer("x", inner=Inner(0))) == {"path": "/", "limit": "0"}
    assert list(lines(Outer("x", count=0)).items()) == [("first", "disabled"), ("place", "/")]
    assert list(lines(Outer("x", "", Inner(3))).items()) == [("first", 7), ("wait limit", 3), ("place", "")]


@pytest.mark.parametrize("program", [Server, Keeper, Visor])
def test_every_program_has_what_all_have(program: type[Daemon]) -> None:
    assert {each.name for each in fields(program)} >= set(Daemon.__annotations__)  # type: ignore[arg-type]
    names, letters = ([getattr(option, key) for option in options(program)] for key in ("name", "short"))
    assert len(set(names)) == len(names)
    assert len(set(filter(None, letters))) == len(list(filter(None, letters)))
    numbers = [option.line for option in options(program) if option.line]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("command", ["server", "keeper", "visor"])
def test_options_are_refused_before_much_is_loaded(command: str) -> None:
    code = f"import sys, jubatus.cli.{command}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "jubatus.daemon.settings" in loaded
    assert loaded & {"asyncio", "kazoo", "uvloop", "psutil", "jubatus.idl", "jubatus.daemon.life"} == set()
    assert [name for name in loaded if name.startswith("jubatus._core")] == []
