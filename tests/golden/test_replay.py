"""The recorded calls, mixes and model files of the original, replayed in process and, where clients made them, over RPC."""

import base64
from pathlib import Path
from typing import Any

from jubatus import idl
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, ModelError, UnknownMethod
from tests.conftest import Start
from tests.core.calls import call, give, mix_alone, mix_of
from tests.golden.compare import (
    FOLDER,
    SLACK,
    SUFFIXES,
    check,
    decoded,
    difference,
    each_recording,
    load,
    recordings,
    text_of,
)
from tests.services import KINDS, Case, every_service, facts_of


def case_of(recording: dict[str, Any]) -> Case:
    name = recording["service"]
    return Case(idl.service(name), facts_of(name), recording["config"], recording["name"])


def packed_driver(path: Path) -> bytes:
    """Cut the packed driver out of a model file."""
    data = path.read_bytes()
    system = int.from_bytes(data[32:40], "big")
    user = Reader(data, 48 + system)
    assert (user.array(), user.integer()) == (2, 1)
    return user.raw()


def answer(case: Case, model: Any, recorded: dict[str, Any]) -> tuple[Any, Any]:
    """Send one call as a server does and return error and result."""
    try:
        row = case.service.method(recorded["method"])
        params = Reader(pack(recorded["args"]))
        params.arguments(len(row.args))
        return None, unpack(getattr(model, row.name)(params))
    except UnknownMethod:
        return 1, recorded["method"]
    except BadArguments:
        return 2, "std::bad_cast"
    except ModelError as e:
        return str(e), None


def replay(case: Case, model: Any, calls: list[dict[str, Any]], order: bool = True) -> None:
    """Send the calls; replies must be the recorded ones, in the recorded order if the service has it and ``order``."""
    for i, recorded in enumerate(calls):
        error, result = answer(case, model, recorded)
        assert case.facts.told(error) == case.facts.told(recorded.get("error")), f"call {i} {recorded['method']}"
        if error is None:
            strict = order and case.facts.recorded_order
            wrong = check({**recorded, "compare": "exact"} if strict else recorded, result, SLACK)
            assert not wrong, f"call {i} {recorded['method']}: {wrong}"


@every_service
def test_a_service_has_the_recordings_that_it_names(name: str) -> None:
    assert {kind for kind in KINDS if recordings(name, kind)} == facts_of(name).recordings


def test_every_recording_is_of_a_declared_service() -> None:
    known = {path for name in idl.services() for kind in KINDS for path in recordings(name, kind)}
    assert {path for path in FOLDER.rglob("*") if path.name.endswith(SUFFIXES)} == known
    assert all(load(path)["service"] in str(path.relative_to(FOLDER)) for path in known)


@each_recording("calls")
def test_calls(path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    replay(case, case.model(), recording["calls"])


@each_recording("models")
def test_model_files(path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    model = case.model()
    model.unpack(packed_driver(FOLDER / "models" / recording["model"]))
    again = case.model()
    again.unpack(model.pack())
    replay(case, model, recording["calls"])
    replay(case, again, recording["calls"], order=False)


@each_recording("models")
def test_a_model_file_is_packed_as_it_was(path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    model = case.model()
    data = packed_driver(FOLDER / "models" / recording["model"])
    model.unpack(data)
    assert unpack(model.pack()) == unpack(data)
    assert len(model.pack()) == len(data)


@each_recording("cluster", only=lambda facts: not facts.placed)
def test_two_servers_and_their_mixes(path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    models = [case.model(True) for _ in range(2)]
    for i, step in enumerate(recording["steps"]):
        if step["method"] == "do_mix":
            mixed, snapshots = mix_of(models)
            assert [model.put_diff(mixed, given) for model, given in zip(models, snapshots, strict=True)] == [
                True,
                True,
            ]
            continue
        error, got = answer(case, models[step["server"]], step)
        assert case.facts.told(error) == case.facts.told(step.get("error")), f"step {i} {step['method']}"
        if error is None:
            assert not (wrong := check(stepwise(case, step), got, SLACK)), f"step {i} {step['method']}: {wrong}"


def stepwise(case: Case, step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "compare": "exact"} if case.facts.recorded_order else step


@each_recording("diff")
def test_diffs_and_what_putting_them_does(path: Path) -> None:
    recording = load(path)
    case = case_of(recording)
    model = case.model(True)
    assert mix_alone(model)  # a server of the original mixes once when it joins
    for update in recording["updates"]:
        call(model, update["method"], *update["args"][1:])
    diff = base64.b64decode(recording["diff"])
    given, snapshot = give(model)
    assert not differ(case.facts.diff, given, diff)
    assert model.put_diff(diff, snapshot) is True
    replay(case, model, recording["queries"])
    _, packed = recording["model"]
    assert not differ(case.facts.stored, model.pack(), base64.b64decode(packed))


def differ(form: Any, got: bytes, want: bytes) -> str | None:
    """Say where two packed values differ in a form without order."""
    return difference(text_of(form(unpack(got))), text_of(form(unpack(want))), SLACK)


@each_recording("calls", "models")
def test_over_rpc(path: Path, server: Start) -> None:
    recording = load(path)
    options = ("-m", str(FOLDER / "models" / recording["model"])) if "model" in recording else ()
    told = facts_of(recording["service"]).told
    running = server(recording["service"], recording["config"], *options)
    with running.peer() as peer:
        for i, recorded in enumerate(recording["calls"]):
            error, result = peer.call(recorded["method"], *recorded["args"][1:])
            assert told(decoded(error)) == told(recorded.get("error")), f"call {i} {recorded['method']}"
            if error is None:
                wrong = check(recorded, result, recording["tolerance"])
                assert not wrong, f"call {i} {recorded['method']}: {wrong}"
