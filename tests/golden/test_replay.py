"""The recorded calls, mixes and model files of the original, replayed in process and, where clients made them, over RPC."""

import base64
from pathlib import Path
from typing import Any

import pytest

from jubatus import idl
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, ModelError, UnknownMethod
from tests.conftest import Start
from tests.core.calls import call, diff_of, give, mix_alone, mix_of
from tests.golden.compare import FOLDER, check, decoded, difference, load, recordings

SLACK = 1e-12
"""Sums and products are the original's bit for bit; only the C library's logarithm may differ between machines."""


def model_of(recording: dict[str, Any], distributed: bool = False) -> Any:
    return idl.service(recording["service"]).model_class(recording["config"], distributed=distributed)


def packed_driver(path: Path) -> bytes:
    """Cut the packed driver out of a model file."""
    data = path.read_bytes()
    system = int.from_bytes(data[32:40], "big")
    user = Reader(data, 48 + system)
    assert (user.array(), user.integer()) == (2, 1)
    return user.raw()


def answer(recording: dict[str, Any], model: Any, recorded: dict[str, Any]) -> tuple[Any, Any]:
    """Send one call as a server does and return error and result."""
    try:
        row = idl.service(recording["service"]).method(recorded["method"])
        params = Reader(pack(recorded["args"]))
        params.arguments(len(row.args))
        return None, unpack(getattr(model, row.name)(params))
    except UnknownMethod:
        return 1, recorded["method"]
    except BadArguments:
        return 2, "std::bad_cast"
    except ModelError as e:
        return str(e), None


def replay(recording: dict[str, Any], model: Any, calls: list[dict[str, Any]], order: bool = True) -> None:
    """Send the calls; replies must be the recorded ones, in the recorded order where ``order`` says so."""
    for i, recorded in enumerate(calls):
        error, result = answer(recording, model, recorded)
        assert error == recorded.get("error"), f"call {i} {recorded['method']}"
        if error is None:
            mode = {**recorded, "compare": "exact"} if order else recorded
            assert not (wrong := check(mode, result, SLACK)), f"call {i} {recorded['method']}: {wrong}"


def named(*folders: str) -> Any:
    paths = [path for folder in folders for path in recordings(folder)]
    return pytest.mark.parametrize("path", paths, ids=lambda p: f"{p.parent.name}/{p.name.split('.')[0]}")


@named("classifier", "weight")
def test_calls(path: Path) -> None:
    recording = load(path)
    replay(recording, model_of(recording), recording["calls"])


@named("models")
def test_model_files(path: Path) -> None:
    recording = load(path)
    model = model_of(recording)
    model.unpack(packed_driver(FOLDER / "models" / recording["model"]))
    again = model_of(recording)
    again.unpack(model.pack())
    replay(recording, model, recording["calls"])
    replay(recording, again, recording["calls"], order=False)


@named("models")
def test_a_model_file_is_packed_as_it_was(path: Path) -> None:
    recording = load(path)
    model = model_of(recording)
    data = packed_driver(FOLDER / "models" / recording["model"])
    model.unpack(data)
    assert unpack(model.pack()) == unpack(data)
    assert len(model.pack()) == len(data)


@named("cluster")
def test_two_servers_and_their_mixes(path: Path) -> None:
    recording = load(path)
    models = [model_of(recording, distributed=True) for _ in range(2)]
    for i, step in enumerate(recording["steps"]):
        if step["method"] == "do_mix":
            mixed, snapshots = mix_of(models)
            assert [model.put_diff(mixed, given) for model, given in zip(models, snapshots, strict=True)] == [
                True,
                True,
            ]
            continue
        got = call(models[step["server"]], step["method"], *step["args"][1:])
        assert not (wrong := check({**step, "compare": "exact"}, got, SLACK)), f"step {i} {step['method']}: {wrong}"


@named("diff")
def test_diffs_and_what_putting_them_does(path: Path) -> None:
    recording = load(path)
    model = model_of(recording, distributed=True)
    assert mix_alone(model)  # a server of the original mixes once when it joins
    for update in recording["updates"]:
        call(model, update["method"], *update["args"][1:])
    diff = base64.b64decode(recording["diff"])
    given, snapshot = give(model)
    assert not difference(text_of(diff_of(unpack(given))), text_of(diff_of(unpack(diff))), SLACK)
    assert model.put_diff(diff, snapshot) is True
    replay(recording, model, recording["queries"])
    _, packed = recording["model"]
    assert not difference(text_of(unpack(model.pack())), text_of(unpack(base64.b64decode(packed))), SLACK)


@named("classifier", "weight", "models")
def test_over_rpc(path: Path, server: Start) -> None:
    recording = load(path)
    options = ("-m", str(FOLDER / "models" / recording["model"])) if "model" in recording else ()
    running = server(recording["service"], recording["config"], *options)
    with running.peer() as peer:
        for i, recorded in enumerate(recording["calls"]):
            error, result = peer.call(recorded["method"], *recorded["args"][1:])
            assert decoded(error) == recorded.get("error"), f"call {i} {recorded['method']}"
            if error is None:
                wrong = check(recorded, result, recording["tolerance"])
                assert not wrong, f"call {i} {recorded['method']}: {wrong}"


def text_of(value: Any) -> Any:
    """Make every key of the maps a str, so that the paths of differences can be read."""
    if isinstance(value, dict):
        return {repr(key): text_of(v) for key, v in value.items()}
    return [text_of(v) for v in value] if isinstance(value, list) else value
