"""Laws that every model keeps, checked for each declared service with arguments made from its declaration."""

from typing import Any

import pytest

from jubatus._core.model import Model
from jubatus._core.wire import Reader, pack, unpack
from jubatus.errors import BadArguments, JubatusError, ModelError, ModelFileError
from jubatus.idl import Lock, Service, services
from tests.core.calls import call, exact, give, mix_alone, mix_of, stored
from tests.core.generate import CONFIGS, Arguments, mixes_by_mean, model_of, takes_list

CASES = [
    pytest.param(service, config, id=f"{name}-{i}-{config.get('method', '')}")
    for name, service in services().items()
    for i, config in enumerate(CONFIGS[name])
]
MIXED = [case for case in CASES if mixes_by_mean(case.values[1])]
every_model = pytest.mark.parametrize(("service", "config"), CASES)


def learn(service: Service, models: list[Any], seed: int | str, calls: int = 30, forget: bool = True) -> None:
    """Send the same random updates to all models."""
    arguments = Arguments(seed)
    rows = [m for m in service.methods if m.lock is Lock.UPDATE and m.name != "clear"]
    rows = [m for m in rows if forget or not m.name.startswith("delete")]
    for _ in range(calls):
        method = arguments.random.choice(rows)
        values = arguments.of_method(method)
        for model in models:
            try:
                call(model, method.name, *values)
            except ModelError:
                pass


def answers(service: Service, model: Any) -> Any:
    """Ask everything that changes nothing; lists in which the order may depend on the node come sorted."""
    arguments = Arguments(0)
    rows = [m for m in service.methods if m.lock is Lock.ANALYSIS]
    before = model.pack()
    result = [settled(call(model, m.name, *arguments.of_method(m))) for m in rows for _ in range(4)]
    assert model.pack() == before
    return exact(result)


def settled(value: Any) -> Any:
    if isinstance(value, list):
        inner = [settled(v) for v in value]
        scored = all(isinstance(v, list) and len(v) == 2 and isinstance(v[0], bytes) for v in inner)
        # A label without a weight may be known to some nodes only.
        return sorted(v for v in inner if v[1] != 0.0) if scored else inner
    return value


def unordered(value: Any) -> Any:
    """Sort the rows and cells of a diff; numbers are rounded, for sums in another order."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: unordered(v) for key, v in sorted(value.items())}
    if isinstance(value, list):
        inner = [unordered(v) for v in value]
        keyed = all(isinstance(v, list) and len(v) == 2 and isinstance(v[0], bytes) for v in inner)
        return sorted(inner) if keyed else inner
    return value


def empty_diff(model: Any) -> bytes:
    """Make a diff of no server: nothing in it, and where servers are counted, of none."""
    parts = unpack(model.get_diff())
    return pack([[0, *part[1:]] if isinstance(part, list) and part[0] == 1 else part for part in parts])


def three(service: Service, config: dict[str, Any], forget: bool = False) -> list[Any]:
    """Make models of a cluster that were mixed once and then learnt different things."""
    models = [model_of(service, config, True) for _ in range(3)]
    for round_ in range(2):
        for i, model in enumerate(models):
            learn(service, [model], f"{round_} {i}", 15, forget)
        if round_ == 0:
            mix_all(models)
    return models


def mix_all(models: list[Any]) -> None:
    mixed, snapshots = mix_of(models)
    assert [model.put_diff(mixed, given) for model, given in zip(models, snapshots, strict=True)] == [True] * len(models)


def test_every_service_is_tested() -> None:
    assert CONFIGS.keys() == services().keys()


@every_model
def test_a_model_has_a_handler_for_every_row(service: Service, config: dict[str, Any]) -> None:
    model = model_of(service, config)
    assert isinstance(model, Model)
    for method in service.methods:
        assert callable(getattr(model, method.name))
    status = model.status()
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in status.items())


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_replies_are_of_the_declared_types(service: Service, config: dict[str, Any], distributed: bool) -> None:
    model, arguments = model_of(service, config, distributed), Arguments(5)
    for _ in range(20):
        for method in service.methods:
            try:
                method.returns.from_msgpack(call(model, method.name, *arguments.of_method(method)))
            except ModelError:
                pass


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_the_same_calls_make_the_same_model(service: Service, config: dict[str, Any], distributed: bool) -> None:
    models = [model_of(service, config, distributed) for _ in range(2)]
    learn(service, models, 1)
    assert models[0].pack() == models[1].pack()


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_a_packed_model_answers_and_learns_alike(service: Service, config: dict[str, Any], distributed: bool) -> None:
    model, again = (model_of(service, config, distributed) for _ in range(2))
    learn(service, [model], 2)
    learn(service, [again], 3)
    again.unpack(model.pack())
    assert answers(service, again) == answers(service, model)
    assert again.status() == model.status()
    assert stored(unpack(again.pack())) == stored(unpack(model.pack()))
    if "unlearner" not in (config.get("parameter") or {}):  # a random unlearner draws other numbers
        learn(service, [model, again], 4)
        assert answers(service, again) == answers(service, model)


@every_model
def test_clear_leaves_the_model_as_new(service: Service, config: dict[str, Any]) -> None:
    model = model_of(service, config)
    learn(service, [model], 2)
    assert model.pack() != model_of(service, config).pack()
    assert call(model, "clear") is True
    assert model.pack() == model_of(service, config).pack()
    assert answers(service, model) == answers(service, model_of(service, config))


@every_model
@pytest.mark.parametrize("distributed", [False, True])
def test_a_refused_model_file_changes_nothing(service: Service, config: dict[str, Any], distributed: bool) -> None:
    model, other = (model_of(service, config, distributed) for _ in range(2))
    learn(service, [model], 2, 10)
    learn(service, [other], 3, 10)
    data, before, asked = other.pack(), model.pack(), answers(service, model)
    random = Arguments(6).random
    broken = [data[:size] for size in {*range(0, min(len(data), 60)), *random.sample(range(len(data)), 60)}]
    broken += [b"", b"\xc0", b"\x90", b"\x91\x90", b"\xc1", data + b"\x00", pack({}), pack([5, 5]), b"\x91" * 5000]
    broken += [b"\xdd\xff\xff\xff\xff" + data[1:], data[:2] + b"\xdf\xff\xff\xff\xff" + data[3:]]
    for bad in broken:
        with pytest.raises(ModelFileError):
            model.unpack(bad)
        assert model.pack() == before
    assert answers(service, model) == asked
    for _ in range(300):
        flipped = bytearray(data)
        flipped[random.randrange(len(data))] ^= 1 << random.randrange(8)
        victim = model_of(service, config, distributed)
        victim.unpack(before)
        try:
            victim.unpack(bytes(flipped))
        except ModelFileError:
            assert stored(unpack(victim.pack())) == stored(unpack(before))
        else:
            answers(service, victim)
            learn(service, [victim], 7, 5)
            victim.pack()


@every_model
def test_bad_arguments_change_nothing(service: Service, config: dict[str, Any]) -> None:
    model, arguments = model_of(service, config), Arguments(8)
    learn(service, [model], 2, 10)
    for method in service.methods:
        for _ in range(60):
            before = model.pack()
            values = [arguments.spoilt(v) for v in arguments.of_method(method)]
            try:
                call(model, method.name, *values)
            except BadArguments:
                assert model.pack() == before
            except ModelError:
                assert model.pack() == before or takes_list(method)
        before = model.pack()
        if method.args:
            for params in (b"", pack({}), b"\xc1"):
                with pytest.raises(BadArguments):
                    getattr(model, method.name)(Reader(params))
            assert model.pack() == before


@pytest.mark.parametrize(("service", "config"), CASES)
def test_mixing_is_associative_and_in_any_order(service: Service, config: dict[str, Any]) -> None:
    models = three(service, config)
    a, b, c = (model.get_diff() for model in models)
    mix = models[0].mix
    left, right = mix([mix([a, b]), c]), mix([a, mix([b, c])])
    assert mix([a, b, c]) == left
    assert unordered(unpack(left)) == unordered(unpack(right))
    assert unordered(unpack(mix([a, b]))) == unordered(unpack(mix([b, a])))
    assert unordered(unpack(left)) == unordered(unpack(mix([c, b, a])))


@every_model
def test_mixing_with_an_empty_diff_changes_nothing(service: Service, config: dict[str, Any]) -> None:
    model = three(service, config)[0]
    new = model_of(service, config, True)
    new.unpack(model.pack())
    mix_alone(new)
    diff = model.get_diff()
    fresh, first = (model_of(service, config, True) for _ in range(2))
    learn(service, [first], 9, 10, False)
    diff = first.get_diff()
    for mixed in (first.mix([diff, empty_diff(fresh)]), first.mix([empty_diff(fresh), diff])):
        assert unordered(unpack(mixed)) == unordered(unpack(diff))


@pytest.mark.parametrize(("service", "config"), MIXED)
def test_after_a_mix_all_servers_answer_alike(service: Service, config: dict[str, Any]) -> None:
    models = three(service, config)
    mix_all(models)
    want = answers(service, models[0])
    assert [answers(service, model) for model in models[1:]] == [want, want]
    diffs = [unordered(unpack(model.get_diff())) for model in models]
    assert diffs[0] == diffs[1] == diffs[2]


@pytest.mark.parametrize(("service", "config"), MIXED)
def test_a_diff_of_another_version_is_refused(service: Service, config: dict[str, Any]) -> None:
    model, ahead = (model_of(service, config, True) for _ in range(2))
    learn(service, [model], 2, 10)
    mix_alone(ahead)
    before, (diff, snapshot) = model.pack(), give(model)
    assert model.put_diff(ahead.get_diff(), snapshot) is False
    assert model.pack() == before
    assert model.mix([diff, ahead.get_diff()]) == model.mix([ahead.get_diff(), diff]) == ahead.get_diff()
    assert ahead.put_diff(model_of(service, config, True).get_diff()) is False


@every_model
def test_a_diff_that_is_none_is_refused(service: Service, config: dict[str, Any]) -> None:
    model = three(service, config)[0]
    diff = model.get_diff()
    random = Arguments(10).random
    broken = [b"", b"\xc0", b"\x90", pack([[], [], []]), pack(["", {}, 5]), pack({}), b"\x91" * 5000]
    broken += [diff[: random.randrange(len(diff))] for _ in range(60)]
    before = model.pack()
    for bad in broken:
        with pytest.raises(JubatusError):
            model.put_diff(bad)
        for pair in ((bad, diff), (diff, bad)):
            with pytest.raises(JubatusError):
                model.mix(pair)
        assert model.pack() == before
    for _ in range(200):
        flipped = bytearray(diff)
        flipped[random.randrange(len(diff))] ^= 1 << random.randrange(8)
        victim = model_of(service, config, True)
        victim.unpack(before)
        whole = victim.pack()
        try:
            victim.put_diff(victim.mix([diff, bytes(flipped)]))
            victim.put_diff(bytes(flipped))
        except JubatusError:
            pass
        else:
            answers(service, victim)
            continue
        victim.unpack(whole)
        kept = victim.pack()  # ids that share a bucket may have swapped
        try:
            victim.put_diff(bytes(flipped))
        except JubatusError:
            assert victim.pack() == kept
