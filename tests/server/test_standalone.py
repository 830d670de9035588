import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jubatus import SERVICES
from jubatus.idl import Host, Lock, Method, service
from jubatus.rpc.gate import Gate
from jubatus.server.settings import Files, Settings
from jubatus.server.standalone import assemble
from tests.conftest import Start
from tests.services import facts_of

CONFIG: dict[str, Any] = {"converter": {}}
CONFIGS = {name: facts_of(name).configs[0] for name in SERVICES}

WORDS = {"converter": {"string_rules": [{"key": "*", "type": "space", "sample_weight": "tf", "global_weight": "bin"}]}}


@pytest.mark.parametrize("name", SERVICES)
def test_every_row_has_a_handler(name: str) -> None:
    declared = service(name)
    model = declared.model_class(CONFIGS[name])
    settings = Settings("juba", files=Files())
    with ThreadPoolExecutor(1) as executor:
        dispatcher = assemble(declared, settings, model, b"{}", "node", executor, Gate())
    assert dispatcher.updates == 0


def test_save_and_load(server: Start) -> None:
    running = server("weight", WORDS)
    datum: Any = [[["k", "a b b"]], [], []]
    with running.peer() as peer:
        start = int(time.time())
        features = peer.result("update", datum)
        ((node, path),) = peer.result("save", "a b").items()
        assert node.decode() == f"127.0.0.1_{running.port}"
        assert path.decode() == f"{running.folder}/127.0.0.1_{running.port}_weight_a b.jubatus"
        assert peer.result("clear") is True
        assert peer.result("load", "a b") is True
        assert peer.result("calc_weight", datum) == features
        status = peer.status()
        assert status["last_saved_path"] == status["last_loaded_path"] == path.decode()
        assert start <= int(status["last_saved"]) <= int(status["last_loaded"]) <= start + 20


def test_refused_saves_and_loads_leave_everything_as_it_was(server: Start) -> None:
    running = server("weight", WORDS)
    datum: Any = [[["k", "a b b"]], [], []]
    stem = f"{running.folder}/127.0.0.1_{running.port}_weight_"
    with running.peer() as peer:
        peer.result("update", datum)
        before = {key: value for key, value in peer.status().items() if key.startswith(("diff_", "master_"))}
        for method, name in itertools.product(("save", "load"), ("", "a/b", "\n", "é")):
            error, result = peer.call(method, name)
            text = "model ID contains invalid character" if name else "empty id is not allowed"
            assert (error.decode(), result) == (text, None)
        assert peer.call("save", 5) == (2, b"std::bad_cast")
        assert peer.call("load", "none") == (
            f"cannot open input file: {stem}none.jubatus: No such file or directory".encode(),
            None,
        )
        Path(f"{stem}torn.jubatus").write_bytes(b"jubatus\0")
        assert peer.call("load", "torn") == (b"cannot read input file", None)
        Path(f"{stem}taken.jubatus").mkdir()
        assert peer.call("save", "taken")[0].startswith(b"cannot write output file: ")
        status = peer.status()
        assert {key: status[key] for key in before} == before
        assert (status["last_saved"], status["last_saved_path"], status["last_loaded"]) == ("0", "", "0")
    assert sorted(os.listdir(running.folder)) == [
        *sorted(os.path.basename(f"{stem}{name}.jubatus") for name in ("taken", "torn")),
        "config.json",
        "output",
    ]


def test_update_count(server: Start) -> None:
    running = server("classifier", CONFIGS["classifier"])
    with running.peer() as peer:

        def count() -> int:
            return int(peer.status()["update_count"])

        assert count() == 0
        counted: list[tuple[str, list[Any]]] = [
            ("train", [[["a", [[["k", "v"]], [], []]], ["b", [[], [["n", 1.0]], []]]]]),
            ("train", [[]]),
            ("set_label", ["c"]),
            ("delete_label", ["none"]),
            ("load", ["none"]),
            ("load", [""]),
            ("clear", []),
        ]
        for number, (method, arguments) in enumerate(counted, 1):
            peer.call(method, *arguments)
            assert count() == number
        refused: list[tuple[str, list[Any]]] = [
            ("train", [5]),
            ("train", []),
            ("classify", [[]]),
            ("get_labels", []),
            ("save", ["m"]),
            ("get_config", []),
            ("do_mix", []),
        ]
        for method, arguments in refused:
            peer.call(method, *arguments)
        assert count() == len(counted)


@pytest.mark.parametrize("name", SERVICES)
def test_rows_of_other_programs_are_unknown(server: Start, name: str) -> None:
    running = server(name, CONFIGS[name])
    others: list[Method] = [method for method in service(name).all_methods if method.host is not Host.SERVER]
    assert others
    with running.peer() as peer:
        for method in [*(method.name for method in others), "__ping__", "status", "pack", "unpack", "mix"]:
            assert peer.call(method) == (1, method.encode())


@pytest.mark.parametrize("name", SERVICES)
def test_every_method_survives_every_argument(server: Start, name: str) -> None:
    """Any arguments are answered: with a result, as bad arguments, or with a text."""
    running = server(name, CONFIGS[name])
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "é",
        [],
        [[]],
        {},
        [1],
        [[1, 2]],
        [["a", "b"]],
        [[[[1]]]],
        2**64 - 1,
    ]
    values.append([[["k", "v"]], [["n", 1]], [["b", b"\xff"]]])
    with running.peer() as peer:
        for method in service(name).all_methods:
            for count in range(3):
                for value in values:
                    error, _result = peer.call(method.name, *[value] * count)
                    assert error in (None, 1, 2) or isinstance(error, bytes)
                    needs = len(method.args)
                    assert count >= needs or error in (1, 2)


def test_locks_are_what_the_wire_needs() -> None:
    for name in SERVICES:
        rows = {method.name: method for method in service(name).all_methods}
        assert rows["get_status"].lock is rows["get_config"].lock is Lock.NOLOCK
        assert rows["save"].long
        assert rows["load"].long
